"""How long a follower waits for the log and the status of a run that has ended."""

from __future__ import annotations

import pytest

from enso_operator.sessions.pods import end_timeouts, records
from enso_operator.sessions.pods.logs import NoLog
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.control import CANCEL, SessionControl
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.service_layer.observations import Ended, Outcome
from job_execution_framework.service_layer.records import End
from tests.support.followed import Node, follow, line, started
from tests.support.pods import RUNNING, Document, disrupted, ended, pod

ALL, PART = "enso/1 ended 1S1", "enso/1 goes-on 1R1"
REFUSED = Unavailable("the API server answers 403: pods is forbidden")


def killed(**status: object) -> Document:
    """Return a Pod whose session was ended, while its records are still printed."""
    given = pod(session=ended(137, "Error"), records=RUNNING, version=3 if status else 2)
    given["status"] |= status
    return given


def over(last_words: str = "") -> Document:
    """Return a Pod that has ended, with this termination message."""
    return pod(session=ended(0, message=last_words), records=ended(), version=2, phase="Succeeded")


@pytest.fixture
def _is_long(monkeypatch: pytest.MonkeyPatch, _is_short: None) -> None:
    """Also where this machine is busy log and status come within it."""
    for name in ("SPREAD_SECONDS", "SUMMED_UP_SECONDS", "UNKNOWN_SECONDS", "STATUS_SECONDS"):
        monkeypatch.setattr(end_timeouts, name, 60)


@pytest.fixture(autouse=True)
def _is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(end_timeouts, "SPREAD_SECONDS", 0.2)
    monkeypatch.setattr(end_timeouts, "SUMMED_UP_SECONDS", 1)
    monkeypatch.setattr(end_timeouts, "UNKNOWN_SECONDS", 2)
    monkeypatch.setattr(end_timeouts, "STATUS_SECONDS", 1)


@pytest.mark.usefixtures("_is_long")
def test_a_log_that_is_refused_for_a_while_is_read_then() -> None:
    log = [line(started("open", 1)), line(End())]
    followed = follow(Node([pod(session=RUNNING), over()], [*[REFUSED] * 6, log]))
    assert [event.seq for event in followed.records] == [1]
    assert followed.ended == Ended(log_is_complete=True)


@pytest.mark.usefixtures("_is_long")
def test_a_log_that_is_not_there_at_once_is_read_over_some_time() -> None:
    log = [line(started("open", 1)), line(End())]
    followed = follow(Node([pod(session=RUNNING), over()], [*[NoLog("400")] * 4, log]))
    assert followed.ended == Ended(log_is_complete=True)


@pytest.mark.parametrize("control", [None, CANCEL])
def test_where_the_log_is_kept_from_us_for_ever_the_summary_is_believed(
    control: SessionControl | None,
) -> None:
    followed = follow(Node([pod(session=RUNNING), over(ALL)], later_error=REFUSED), control=control)
    outcomes = (Outcome("open", 1, ScriptState.SUCCEEDED),)
    assert followed.ended == Ended(log_is_complete=True, outcomes=outcomes)


@pytest.mark.parametrize("gone", [False, True])
def test_where_no_log_and_no_summary_tell_that_is_said(gone: bool) -> None:
    states = [pod(session=RUNNING), over(PART), *([None] if gone else [])]
    cause = follow(Node(states, later_error=REFUSED)).ended.cause
    assert cause
    assert cause.reason == Reason.SESSION_LOST
    assert "its log could not be read: the API server answers 403" in cause.message


def evicted() -> list[Document]:
    """Return a Pod that its kubelet evicts, up to where it says why."""
    said = 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi".'
    final = killed(phase="Failed", reason="Evicted", message=said)
    return [pod(session=RUNNING), killed(), final]


@pytest.mark.usefixtures("_is_long")
@pytest.mark.parametrize(
    "log",
    [
        [line(started("open", 1)), b"drained"],
        [line(started("open", 1)), line(End("Terminated: script 'open' was ended")), b"drained"],
    ],
)
def test_what_a_kubelet_ended_is_said_in_its_words(log: list[bytes]) -> None:
    cause = follow(Node(evicted(), [log, log])).ended.cause
    assert cause
    assert cause.reason == Reason.EVICTED
    assert "exceeds the limit" in cause.message


@pytest.mark.usefixtures("_is_long")
def test_a_node_that_shuts_down_is_said_to() -> None:
    said = "Pod was terminated in response to imminent node shutdown."
    target = disrupted("TerminationByKubelet", said)
    final = killed(phase="Failed", reason="Terminated", message=said, conditions=target)
    log = [line(started("open", 1)), line(End("Terminated: script 'open' was ended"))]
    cause = follow(Node([pod(session=RUNNING), killed(), final], [log])).ended.cause
    assert cause
    assert (cause.reason, cause.message) == (Reason.EVICTED, said)


def test_a_status_that_never_comes_is_not_waited_for_for_ever() -> None:
    log = [line(started("open", 1)), line(End("OSError: no space left on device"))]
    followed = follow(Node([pod(session=RUNNING), killed()], [log]))
    assert followed.ended.cause
    assert followed.ended.cause.message == "OSError: no space left on device"


@pytest.mark.parametrize(
    ("log", "why"),
    [
        ([b""] * 2_000, "bytes that are no records"),
        ([b'{"v":1,' + b"1" * 70_000], "a record of more than"),
    ],
)
def test_a_flood_ends_its_session(
    monkeypatch: pytest.MonkeyPatch, log: list[bytes], why: str
) -> None:
    monkeypatch.setattr(records, "NOISE_BYTES", 1_000)
    node = Node([*[pod(session=RUNNING)] * 4, over(PART)], [log])
    cause = follow(node).ended.cause
    assert node.controls == [CANCEL]
    assert cause
    assert cause.reason == Reason.SESSION_LOST
    assert why in cause.message


def test_records_begin_where_the_job_is() -> None:
    log = [line(started("open", seq)) for seq in range(8, 12)]
    followed = follow(Node([pod(session=RUNNING)], [[*log, line(End())]]), after=9)
    assert [event.seq for event in followed.records] == [10, 11]
    assert followed.ended == Ended(log_is_complete=True)
