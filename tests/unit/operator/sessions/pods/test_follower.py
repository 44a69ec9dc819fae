"""How a run is followed to its end, where that is hard to provoke on a real node."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enso_operator.sessions.pods import follower, names, volume_wait
from enso_operator.sessions.pods.pod_warnings import Warned
from enso_operator.sessions.pods.shared_reads import Pace
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import CANCEL, PAUSE
from job_execution_framework.domain.row import Attempt, ScriptState
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.observations import Ended, Outcome
from job_execution_framework.service_layer.records import End, to_line
from tests.support.followed import Node, follow, line, started
from tests.support.pods import RUNNING, WAITING, Document, disrupted, ended, pod, waiting


def test_a_session_whose_log_ends_in_order_has_ended() -> None:
    node = Node([pod(session=RUNNING)], [[line(started("open", 1)), line(End())]])
    followed = follow(node)
    assert [event.seq for event in followed.records] == [1]
    assert followed.ended == Ended(log_is_complete=True)
    assert "render-12" in followed.location.on
    assert followed.location.log == "kubectl logs -n shows shot-main-1-abcde -c session"


def test_a_log_is_asked_for_when_its_container_is_seen_to_run() -> None:
    waits = [pod(records=WAITING, version=version) for version in range(1, 6)]
    runs = pod(records=RUNNING, session=WAITING, version=6)
    node = Node([*waits, runs], [[line(started("open", 1)), line(End())]])
    assert follow(node).ended == Ended(log_is_complete=True)
    assert node.refused == 0


def test_a_container_that_was_killed_leaves_what_it_wrote() -> None:
    over = pod(session=ended(137, "Error"), records=ended(), version=2, phase="Failed")
    node = Node([pod(session=RUNNING), over], [[line(started("open", 1))]] * 2 + [[b"drained"]])
    followed = follow(node)
    assert [event.seq for event in followed.records] == [1]
    assert followed.ended.log_is_complete
    assert followed.ended.cause
    assert "exit code 137" in followed.ended.cause.message


def test_memory_that_ran_out_under_cgroup_v2_is_known() -> None:
    over = pod(session=ended(137, "OOMKilled"), records=ended(), version=2, phase="Failed")
    node = Node([pod(session=RUNNING), over], [[line(started("open", 1)), b"drained"]])
    cause = follow(node).ended.cause
    assert cause
    assert cause.reason == Reason.OUT_OF_MEMORY
    assert "64Mi" in cause.message


@pytest.mark.parametrize("is_all", [True, False])
def test_where_the_log_is_lost_the_summary_tells(is_all: bool) -> None:
    word = "ended" if is_all else "goes-on"
    message = f"enso/1 {word} 1S1 2F3:Timeout"
    over = pod(session=ended(137, "Error", message), records=ended(), version=2, phase="Failed")
    followed = follow(Node([pod(session=RUNNING), over]))
    assert followed.ended.log_is_complete is is_all
    assert (followed.ended.cause is None) is is_all
    assert followed.ended.outcomes == (
        Outcome("open", 1, ScriptState.SUCCEEDED),
        Outcome("save", 3, ScriptState.FAILED, "Timeout"),
    )


@pytest.mark.parametrize("states", [[pod(session=RUNNING), None], [None]])
def test_a_pod_that_is_gone_without_a_word_leaves_a_doubt(states: list[Document | None]) -> None:
    followed = follow(Node(states))
    assert not followed.ended.log_is_complete
    assert followed.ended.cause
    assert followed.ended.cause.reason == Reason.SESSION_LOST
    assert (followed.location.pod, followed.location.log, followed.location.is_gone) == (
        "",
        "",
        True,
    )


def test_an_image_that_never_comes_ends_the_pod_and_nothing_has_run() -> None:
    missing = pod(session=waiting("ErrImagePull", "pull access denied"), version=2)
    node = Node([pod(), missing, missing, None])
    followed = follow(node)
    assert (node.given_up, node.deleted) == (1, 0)
    assert followed.ended.log_is_complete
    assert followed.ended.cause
    assert (followed.ended.cause.reason, followed.ended.cause.message) == (
        Reason.IMAGE_PULL_FAILED,
        "studio/houdini:20.5: pull access denied",
    )


def test_a_volume_that_does_not_come_is_told_by_the_pods_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(volume_wait, "FOR_A_VOLUME", Pace(0, 0, 0, 60))
    why = "FailedMount", Cause(Reason.CONFIG_ERROR, "no secret")
    node = Node(
        [*(pod(version=version) for version in range(1, 5)), None], warned=Warned(volume=why)
    )
    cause = follow(node).ended.cause
    assert node.given_up == 1
    assert cause
    assert (cause.reason, cause.message) == (Reason.CONFIG_ERROR, "no secret")


def test_an_init_container_that_hangs_is_told_and_its_log_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(volume_wait, "INIT_SECONDS", 0)
    hangs = {"vault": RUNNING}
    over = pod(session=WAITING, inits={"vault": ended(137, "Error")}, phase="Failed", version=9)
    node = Node([*(pod(session=WAITING, inits=hangs, version=i) for i in range(1, 5)), over])
    followed = follow(node)
    assert (node.given_up, node.expired, node.deleted) == (0, 1, 0)
    assert followed.ended.log_is_complete
    assert followed.ended.cause
    assert (followed.ended.cause.reason, followed.ended.cause.message) == (
        Reason.INIT_CONTAINER,
        "its init container vault has not ended",
    )
    assert followed.location.log == "kubectl logs -n shows shot-main-1-abcde -c vault"


def test_a_job_that_is_cancelled_does_not_wait_for_an_init_container(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(volume_wait, "INIT_SECONDS", 0)
    node = Node([*[pod(session=WAITING, inits={"vault": RUNNING})] * 3, None])
    followed = follow(node, control=CANCEL, patience=300)
    assert (node.given_up, node.expired) == (1, 0)
    assert followed.ended == Ended(log_is_complete=True)


@pytest.mark.parametrize("code", [0, 1])
def test_a_container_of_a_finally_script_ends_as_one_of_them(code: int) -> None:
    start = replace(started("open", 1), is_final=True)
    attempt = {"enso.dev/attempt": to_line(start).decode()}
    over = pod(session=ended(code), annotations=attempt, phase="Succeeded", version=2)
    followed = follow(Node([pod(session=RUNNING, annotations=attempt), over]), container=True)
    places = [event.place() for event in followed.records if isinstance(event, events.ScriptEvent)]
    assert places == ["finally 1/2 open"] * 2


def test_an_init_container_that_fails_is_named_with_its_log() -> None:
    failed = {"vault": ended(3, "Error", "permission denied")}
    over = pod(session=WAITING, records=ended(143), inits=failed, phase="Failed", version=2)
    followed = follow(Node([pod(), over]))
    assert followed.ended.log_is_complete
    assert str(followed.ended.cause) == (
        "InitContainer: its init container vault ended with exit code 3: permission denied"
    )
    assert followed.location.log.endswith(" -c vault")


def test_a_patience_does_not_begin_anew_with_each_of_a_kubelets_words() -> None:
    words = ["ErrImagePull", "ImagePullBackOff"] * 8
    states = [pod(session=waiting(word), version=i) for i, word in enumerate(words, start=1)]
    node = Node([*states, None])
    followed = follow(node, patience=0.1)
    assert node.given_up
    assert followed.ended.cause
    assert followed.ended.cause.reason == Reason.IMAGE_PULL_FAILED


def test_a_session_that_is_about_to_begin_hears_its_word_itself() -> None:
    node = Node([pod(), pod(session=RUNNING, version=2)], [[line(End())]])
    followed = follow(node, control=PAUSE)
    assert (node.given_up, node.expired, node.deleted) == (0, 0, 0)
    assert followed.ended == Ended(log_is_complete=True)


def test_what_began_on_a_node_that_is_lost_nobody_knows() -> None:
    lost = pod(phase="Failed", conditions=disrupted("DeletionByPodGC"), deleted=True, version=2)
    followed = follow(Node([pod(), lost, None]))
    assert not followed.ended.log_is_complete
    assert followed.ended.cause
    assert followed.ended.cause.reason == Reason.NODE_LOST


def test_a_pod_that_was_removed_by_force_is_said_to_be_so() -> None:
    followed = follow(
        Node([pod(session=RUNNING), pod(session=RUNNING, deleted=True, version=2), None])
    )
    assert followed.ended.cause
    assert "by force" in followed.ended.cause.message


def test_an_image_with_an_old_python_says_so() -> None:
    said = "enso: the image's python3 is 3.9, and enso needs 3.10\n"
    over = pod(session=ended(1, "Error", said), records=ended(), version=2, phase="Failed")
    cause = follow(Node([pod(), over], [[b"drained"]])).ended.cause
    assert cause
    assert cause.reason == Reason.INTERPRETER_DID_NOT_START
    assert cause.message == "the image's python3 is 3.9, and enso needs 3.10"


def test_a_queue_is_waited_in_and_a_word_ends_that() -> None:
    unschedulable = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "no node",
    }
    queued = pod(scheduled=False, conditions=[unschedulable])
    node = Node([queued, None])
    followed = follow(node, control=PAUSE)
    assert (node.given_up, node.deleted) == (1, 0)
    assert followed.ended == Ended(log_is_complete=True)
    assert followed.location.waits
    assert followed.location.waits.reason == Reason.UNSCHEDULABLE


def test_what_was_taken_away_is_said_to_be_so() -> None:
    leaving = pod(
        session=ended(143, "Error"), conditions=disrupted("PreemptionByScheduler"), version=2
    )
    log = [line(started("open", 1)), line(End("Terminated: taken away"))]
    followed = follow(Node([pod(session=RUNNING), leaving], [log]))
    assert followed.ended.log_is_complete
    assert followed.ended.cause
    assert followed.ended.cause.reason == Reason.PREEMPTED


def test_a_damaged_log_is_not_believed_and_its_session_is_ended() -> None:
    over = pod(session=ended(143, "Error"), records=ended(), version=2, phase="Failed")
    node = Node([*[pod(session=RUNNING)] * 6, over], [[b'{"v":99}']])
    followed = follow(node)
    assert node.controls == [CANCEL]
    assert not followed.ended.log_is_complete
    assert followed.ended.cause
    assert "damaged" in followed.ended.cause.message


ATTEMPT = {"enso.dev/attempt": to_line(started("open", 1)).decode()}


def outcome(*states: Document) -> tuple[list[str], Ended]:
    followed = follow(Node([*states]), container=True)
    return [type(event).__name__ for event in followed.records], followed.ended


def test_a_containers_exit_code_is_its_outcome() -> None:
    running = pod(session=RUNNING, annotations=ATTEMPT)
    good = pod(session=ended(0), annotations=ATTEMPT, version=2)
    bad = pod(session=ended(3, "Error", "one\n\nno route to host"), annotations=ATTEMPT, version=2)
    assert outcome(running, good) == (
        ["ScriptStarted", "ScriptSucceeded"],
        Ended(log_is_complete=True),
    )
    assert outcome(bad)[0] == ["ScriptStarted", "ScriptFailed"]
    failed = follow(Node([bad]), container=True).records[1]
    assert isinstance(failed, events.ScriptFailed)
    assert (failed.cause.exit_code, failed.cause.said) == (3, ("one", "no route to host"))
    assert failed.seconds == 41


KILLED_CHILD = "; the kernel killed a process of it, beyond its memory limit of 64Mi"


@pytest.mark.parametrize(
    ("end", "reason", "said"),
    [
        (ended(137, "OOMKilled"), Reason.OUT_OF_MEMORY, "more memory than its limit of 64Mi"),
        (ended(1, "OOMKilled"), Reason.EXIT_CODE, f"code 1{KILLED_CHILD}"),
        (ended(139, "OOMKilled"), Reason.EXIT_CODE, f"code 139, that is SIGSEGV{KILLED_CHILD}"),
        (ended(137, "Error"), Reason.EXIT_CODE, "code 137, that is SIGKILL"),
        (ended(139, "Error"), Reason.EXIT_CODE, "code 139, that is SIGSEGV"),
        (ended(255, "Error"), Reason.EXIT_CODE, "exited with code 255"),
    ],
)
def test_a_failed_container_names_its_signal_and_what_the_kernel_did(
    end: Document, reason: str, said: str
) -> None:
    failed = follow(Node([pod(session=end, annotations=ATTEMPT)]), container=True).records[1]
    assert isinstance(failed, events.ScriptFailed)
    assert failed.cause.reason == reason
    assert said in failed.cause.message
    assert failed.cause.exit_code == (end["terminated"]["exitCode"])


def test_a_container_that_exits_with_0_succeeded_whatever_became_of_its_children() -> None:
    over = pod(session=ended(0, "OOMKilled"), annotations=ATTEMPT)
    assert outcome(over) == (["ScriptStarted", "ScriptSucceeded"], Ended(log_is_complete=True))


@pytest.mark.parametrize(
    "over",
    [
        pod(session=ended(0) | {"restartCount": 1}, annotations=ATTEMPT, phase="Succeeded"),
        pod(session=ended(143, "Error"), deleted=True, annotations=ATTEMPT),
    ],
)
def test_a_container_that_was_started_again_or_taken_away_is_in_doubt(over: Document) -> None:
    names, end = outcome(over)
    assert names == ["ScriptStarted"]
    assert end.cause
    assert end.cause.reason == Reason.SESSION_LOST


def test_a_container_that_takes_too_long_is_ended_and_fails() -> None:
    running = pod(session=RUNNING, annotations=ATTEMPT)
    over = pod(session=ended(143, "Error"), deleted=True, annotations=ATTEMPT, version=2)
    node = Node([running, running, over])
    followed = follow(node, container=True, timeout=0.001)
    assert isinstance(followed.records[-1], events.ScriptFailed)
    assert followed.records[-1].cause.reason == Reason.TIMEOUT
    assert (node.expired, node.deleted) == (1, 0)  # its Pod stays, to be read


@pytest.mark.parametrize("began", ["2026-01-01T00:00:00Z", "2126-01-01T00:00:00Z"])
def test_a_container_has_its_time_whatever_its_nodes_clock_says(began: str) -> None:
    before = SystemClock().now()
    running = pod(session={"running": {"startedAt": began}}, annotations=ATTEMPT)
    good = pod(session=ended(0), annotations=ATTEMPT, version=2)
    node = Node([*[running] * 4, good])
    start, end = follow(node, container=True, timeout=600).records
    assert node.expired == 0
    assert before <= start.at <= end.at <= SystemClock().now()
    assert isinstance(end, events.ScriptSucceeded)
    assert end.seconds == 41


def test_a_container_that_began_before_a_restart_is_not_given_its_time_again() -> None:
    running = pod(session=RUNNING, annotations=ATTEMPT)
    over = pod(session=ended(143, "Error"), deleted=True, annotations=ATTEMPT, version=2)
    node, an_hour_ago = Node([running, running, over]), SystemClock().now() - 3600
    known = Attempt(1, started_at=an_hour_ago)
    followed = follow(node, container=True, timeout=1800, after=1, attempt=known)
    assert node.expired == 1
    assert followed.records[0].at == an_hour_ago


def test_a_container_is_not_given_the_start_of_an_earlier_attempt() -> None:
    running = pod(session=RUNNING, annotations=ATTEMPT)
    node, before = Node([running, pod(session=ended(0), annotations=ATTEMPT)]), SystemClock().now()
    known = Attempt(7, started_at=before - 3600)
    followed = follow(node, container=True, timeout=1800, after=1, attempt=known)
    assert node.expired == 0
    assert followed.records[0].at >= before - 41


@pytest.mark.parametrize(("given", "expired"), [("0.001", 1), ("0", 0), ("600", 0)])
def test_the_time_that_a_container_has_stands_in_its_pod(given: str, expired: int) -> None:
    annotations = ATTEMPT | {names.TIMEOUT: given}
    running = pod(session=RUNNING, annotations=annotations)
    over = pod(session=ended(0), annotations=annotations, version=2)
    node = Node([running, running, over])
    follow(node, container=True, timeout=0.001)
    assert node.expired == expired


def test_a_pod_whose_end_nobody_saw_may_have_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "RESYNC_SECONDS", 0.05)

    class Blind(Node):
        """Its watch shows nothing, and its Pod is gone when it is read for the second time."""

        reads = 0

        def get(self, name: str) -> Document | None:
            self.reads += 1
            return None if self.reads > 1 else super().get(name)

    blind = Blind([pod(scheduled=False)])
    assert not follow(blind).ended.log_is_complete
    assert blind.reads > 1
