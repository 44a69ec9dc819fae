"""What answers of the API server mean that are none of success."""

from __future__ import annotations

import json

import pytest

from enso_operator.kube.client import Taken, error_of
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
