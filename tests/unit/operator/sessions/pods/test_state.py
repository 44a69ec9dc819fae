"""What a Pod's status means: statuses as kubelets, schedulers and controllers write them."""

from __future__ import annotations

import pytest

from enso_operator.sessions.pods import causes, state
from job_execution_framework.domain.cause import Reason
from tests.support.pods import RUNNING, WAITING, Document, disrupted, ended, pod, waiting

UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient memory.",
}
READY = {"type": "PodReadyToStartContainers", "status": "True"}
# A killed container under cgroup v2, where the kernel ends all of it at once, as containerd says.
OOM_V2 = ended(137, "OOMKilled")
NO_PYTHON = ended(128, "StartError", 'exec: "python3": executable file not found in $PATH')


@pytest.mark.parametrize(
    ("given", "reason", "said"),
    [
        (pod(phase="Failed", reason="Evicted", message="node was low on memory"), "Evicted", "low"),
        (pod(phase="Failed", conditions=disrupted("EvictionByEvictionAPI")), "Evicted", "said"),
        (pod(phase="Failed", conditions=disrupted("PreemptionByScheduler")), "Preempted", "said"),
        (pod(conditions=disrupted("DeletionByTaintManager"), deleted=True), "NodeLost", "said"),
        (pod(phase="Failed", conditions=disrupted("DeletionByPodGC")), "NodeLost", "said"),
        (pod(phase="Failed", reason="DeadlineExceeded"), "DeadlineExceeded", ""),
        (pod(session=OOM_V2), "OutOfMemory", "64Mi"),
        (pod(session=NO_PYTHON), "InterpreterDidNotStart", "python3"),
        (pod(session=ended(143, "Error"), deleted=True), "SessionLost", "deleted its Pod"),
        (pod(session=ended(137, "Error")), "SessionLost", "exit code 137, that is SIGKILL"),
        (pod(session=ended(1, "Error")), "SessionLost", "its container ended with exit code 1"),
        (pod(session=ended(1, "OOMKilled")), "SessionLost", "exit code 1; the kernel killed a"),
        (pod(session=NO_PYTHON, annotations={"enso.dev/attempt": "{}"}), "ConfigError", "command"),
        (pod(session=ended(0) | {"restartCount": 1}), "SessionLost", "second time"),
        (pod(phase="Failed", reason="OutOfcpu", message="no cpu"), "SessionLost", "OutOfcpu"),
        (pod(session=RUNNING), "SessionLost", "gone"),
    ],
)
def test_why_a_session_is_over(given: Document, reason: str, said: str) -> None:
    cause = causes.why_over(given)
    assert cause.reason == reason
    assert said in cause.message


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (pod(scheduled=False, conditions=[UNSCHEDULABLE]), Reason.UNSCHEDULABLE),
        (pod(session=waiting("ErrImagePull", "not found")), Reason.IMAGE_PULL_FAILED),
        (pod(session=waiting("ImagePullBackOff", "not found")), Reason.IMAGE_PULL_FAILED),
        (pod(session=waiting("InvalidImageName")), Reason.IMAGE_PULL_FAILED),
        (pod(records=waiting("ErrImageNeverPull")), Reason.IMAGE_PULL_FAILED),
        (pod(session=waiting("CreateContainerConfigError")), Reason.CONFIG_ERROR),
        (pod(records=waiting("CrashLoopBackOff")), Reason.CONFIG_ERROR),
        (pod(records=WAITING, session=waiting("ErrImagePull")), Reason.IMAGE_PULL_FAILED),
    ],
)
def test_what_a_session_waits_for(given: Document, reason: str) -> None:
    waits = causes.waits_for(given)
    assert waits
    assert waits[1].reason == reason
    assert not state.has_begun(given)
    assert not state.is_over(given)


REFUSED = ended(1, "Error", "no route to\nvault")
CRASHING: Document = waiting("CrashLoopBackOff") | {"lastState": REFUSED}
BESIDE = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("given", "reason", "said"),
    [
        (
            pod(inits={"vault": waiting("ErrImagePull", "not found")}),
            Reason.IMAGE_PULL_FAILED,
            "its init container vault: vault:1: not found",
        ),
        (
            pod(inits={"vault": waiting("CreateContainerConfigError", "no secret x")}),
            Reason.CONFIG_ERROR,
            "its init container vault: no secret x",
        ),
        (
            pod(inits={"mesh": CRASHING | BESIDE}),
            Reason.CONFIG_ERROR,
            "its container mesh ends again and again with exit code 1: no route to vault",
        ),
    ],
)
def test_a_session_may_wait_for_an_init_container_of_others(
    given: Document, reason: str, said: str
) -> None:
    waits = causes.waits_for(given)
    assert waits
    assert (waits[1].reason, waits[1].message) == (reason, said)


@pytest.mark.parametrize(
    ("init", "said"),
    [
        (REFUSED, "its init container vault ended with exit code 1: no route to vault"),
        (ended(137, "Error"), "its init container vault ended with exit code 137, that is SIGKILL"),
        (ended(2, "OOMKilled"), "ended with exit code 2; the kernel killed a process of it"),
    ],
)
def test_an_init_container_of_others_that_fails_is_why_a_session_is_over(
    init: Document, said: str
) -> None:
    given = pod(inits={"vault": init}, session=WAITING, phase="Failed")
    cause = causes.why_over(given)
    assert cause.reason == Reason.INIT_CONTAINER
    assert said in cause.message
    assert state.container_to_read(given) == "vault"


@pytest.mark.parametrize(
    ("inits", "read", "runs"),
    [
        ({"vault": RUNNING}, "vault", "vault"),
        ({"vault": ended(0), "mesh": RUNNING}, "mesh", "mesh"),
        ({"mesh": RUNNING | BESIDE}, "mesh", "mesh"),  # its startup probe has not succeeded yet
        ({"mesh": RUNNING | BESIDE | {"started": True}}, "", ""),
        ({"mesh": CRASHING | BESIDE}, "mesh", ""),
        ({"vault": ended(0)}, "", ""),
        ({"vault": WAITING}, "", ""),
        ({}, "", ""),
    ],
)
def test_the_log_to_read_is_of_the_init_container_that_is_in_the_way(
    inits: dict[str, Document], read: str, runs: str
) -> None:
    given = pod(inits=inits, session=WAITING)
    assert (state.container_to_read(given), state.init_container_that_runs(given)) == (read, runs)


def test_the_log_of_an_init_container_that_ended_well_when_it_had_to_is_still_the_one() -> None:
    given = pod(inits={"vault": ended(0)}, session=WAITING, records=ended(143), phase="Failed")
    assert state.container_to_read(given) == "vault"


def test_an_init_container_that_ended_after_the_session_is_no_reason() -> None:
    # What runs beside the session is ended after it, mostly by a signal.
    over = pod(inits={"mesh": ended(137, "Error") | BESIDE}, session=ended(1, "Error"))
    assert causes.why_over(over).reason == Reason.SESSION_LOST
    assert state.container_to_read(over) == "session"
    leaving = pod(inits={"vault": ended(143, "Error")}, session=WAITING, deleted=True)
    assert causes.why_over(leaving).message == "somebody deleted its Pod"


@pytest.mark.parametrize(
    "given",
    [
        pod(gated=True),
        pod(inits={"vault": RUNNING}, session=WAITING),
        pod(),
        pod(session=WAITING),
        pod(session=waiting("ContainerCreating")),
        pod(session=RUNNING, records=waiting("CrashLoopBackOff")),
    ],
)
def test_a_moments_delay_is_nothing_to_talk_about(given: Document) -> None:
    assert causes.waits_for(given) is None


@pytest.mark.parametrize(
    ("given", "needs"),
    [
        (pod(), True),
        (pod(session=waiting("PodInitializing")), True),
        (pod(conditions=[READY]), False),
        (pod(session=RUNNING), False),
        (pod(scheduled=False), False),
        (pod(deleted=True), False),
    ],
)
def test_a_pod_with_a_node_needs_its_volumes_until_its_containers_may_start(
    given: Document, needs: bool
) -> None:
    assert state.needs_volumes(given) is needs


def test_the_phase_does_not_say_whether_a_session_has_begun() -> None:
    assert state.has_begun(pod(session=RUNNING, phase="Pending"))
    assert state.has_begun(pod(session=WAITING | {"restartCount": 1}))
    assert not state.has_begun(pod(session=WAITING, records=RUNNING, phase="Running"))
    assert not state.has_begun(pod(session=NO_PYTHON, phase="Failed"))


def test_a_place_names_node_pod_and_image_by_digest() -> None:
    given = pod(session=RUNNING)
    assert state.where(given) == "render-12, pod shot-main-1-abcde, studio/houdini@sha256:9f2c41ab"
    assert state.where(pod(gated=True)) == "pod shot-main-1-abcde, studio/houdini:20.5"


def test_gates_of_others_are_named_once_ours_is_gone() -> None:
    theirs = [{"name": "kueue.x-k8s.io/admission"}, {"name": "studio/budget"}]
    given = pod(scheduled=False)
    given["spec"]["schedulingGates"] = [{"name": "enso.dev/release"}, *theirs]
    assert causes.waits_for(given) is None
    given["spec"]["schedulingGates"] = theirs
    waits = causes.waits_for(given)
    assert waits
    assert waits[1].reason == Reason.SCHEDULING_GATED
    assert "kueue.x-k8s.io/admission, studio/budget" in waits[1].message
