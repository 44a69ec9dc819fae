"""What answers of the API server mean that are none of success."""

from __future__ import annotations

import json

import pytest

from enso_operator.kube.client import Forbidden, NoRoom, Taken, error_of
from job_execution_framework.domain.errors import Conflict, EnsoError, Unavailable

BUSY = 'Operation cannot be fulfilled on resourcequotas "compute": the object has been modified'


def refusal(reason: str, message: str) -> str:
    return json.dumps({"kind": "Status", "reason": reason, "message": message})


@pytest.mark.parametrize(
    ("method", "reason", "error"),
    [
        ("POST", "AlreadyExists", Taken),
        ("POST", "Conflict", Unavailable),
        ("GET", "Conflict", Unavailable),
        ("PATCH", "Conflict", Conflict),
        ("PUT", "Conflict", Conflict),
        ("DELETE", "Conflict", Conflict),
    ],
)
def test_only_a_write_of_what_exists_finds_it_changed(
    method: str, reason: str, error: type[EnsoError]
) -> None:
    found = error_of(method, 409, "Conflict", refusal(reason, BUSY))
    assert (type(found), str(found)) == (error, BUSY)


@pytest.mark.parametrize(
    ("said", "is_quota"),
    [
        ('pods "a" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=1', True),
        ('pods "a" is forbidden: failed quota: compute: must specify limits.cpu', False),
        ('pods "a" is forbidden: violates PodSecurity "restricted:latest"', False),
        ('admission webhook "x.example.com" denied the request: exceeded quota: compute', False),
        (
            "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'p' denied it: exceeded quota: b",
            False,
        ),
        ('pods is forbidden: User "enso" cannot create resource "pods"', False),
    ],
)
def test_only_a_quota_that_is_used_up_says_no_room(said: str, is_quota: bool) -> None:
    found = error_of("POST", 403, "Forbidden", refusal("Forbidden", said))
    assert isinstance(found, Forbidden)
    assert isinstance(found, NoRoom) == is_quota
    assert str(found) == f"the API server does not let us (403): {said}"
