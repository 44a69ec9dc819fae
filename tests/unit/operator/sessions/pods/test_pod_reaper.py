"""Which Pods stay because of an injected container after their session has ended."""

from __future__ import annotations

import pytest

from enso_operator.sessions.pods.pod_reaper import is_kept_up
from tests.support.pods import RUNNING, WAITING, Document, container, ended, pod


def with_proxy(state: Document, proxy: Document, **more: object) -> Document:
    """Return a Pod in which a mesh has put a container beside the session."""
    given = pod(session=state, records=ended(), **{"phase": "Running", **more})  # type: ignore[arg-type]
    given["status"]["containerStatuses"].append(container("proxy", proxy))
    return given


def expired(given: Document) -> Document:
    given["spec"]["activeDeadlineSeconds"] = 1
    return given


@pytest.mark.parametrize("proxy", [RUNNING, WAITING])
@pytest.mark.parametrize("code", [0, 1])
def test_a_container_of_others_keeps_a_pod_up(code: int, proxy: Document) -> None:
    assert is_kept_up(with_proxy(ended(code), proxy))


@pytest.mark.parametrize(
    "given",
    [
        with_proxy(RUNNING, RUNNING),
        with_proxy(WAITING, RUNNING),
        with_proxy(ended(), ended()),
        with_proxy(ended(), RUNNING, deleted=True),
        with_proxy(ended(), RUNNING, phase="Failed"),
        expired(with_proxy(ended(), RUNNING)),
        pod(session=ended(), records=RUNNING, phase="Running"),  # ends with the session, by itself
        pod(gated=True),
    ],
)
def test_no_other_pod_is_ended(given: Document) -> None:
    assert not is_kept_up(given)
