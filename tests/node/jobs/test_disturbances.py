"""What a node does to a session while a script runs: nothing runs twice, and doubt is said."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from dev.node.images import PYTHON

from tests.node.jobs import runtime
from tests.node.jobs.pod_namespace import PodNamespace
from tests.node.jobs.story import START, PodStory, starts_in
from tests.support.eventually import until
from tests.support.operators import Operator
from tests.support.resources import Document, of_scripts

INTERRUPTED = ("Succeeded", "Interrupted", "NotStarted")
SIDECAR = "enso_operator.sessions.pods.sidecar"


@pytest.fixture
def story(ns: PodNamespace, operator: Operator) -> PodStory:
    """The job, which an operator looks after that nobody disturbs."""
    assert operator.is_ready()
    return PodStory(ns)


def in_the_middle(story: PodStory) -> Document:
    """Let the job run until its second script has begun, and that is known; return the Pod."""
    story.in_the_middle()
    until(lambda: runtime.is_known(story.ns.pod()))
    return story.ns.pod()


@pytest.mark.parametrize("component", ["kubelet", "containerd"])
def test_what_runs_the_node_is_killed_and_comes_back(story: PodStory, component: str) -> None:
    pod = in_the_middle(story)
    story.ns.node.kill(component)
    story.ns.node.revive()
    story.goes_on(pod)
    story.ends_well()
    assert story.restarts("session") == 0


def test_a_node_that_was_away_when_the_session_ended_tells_of_it(story: PodStory) -> None:
    pod = in_the_middle(story)
    story.ns.node.kill("kubelet")
    story.goes_on(pod)
    until(lambda: not story.ns.processes("/enso/plan", pod))
    story.ns.node.revive()
    story.ends_well()
    assert story.restarts("session") == 0


def kill_sandbox(ns: PodNamespace, _: Document) -> None:
    ns.kill("catatonit")


def kill_supervisor(ns: PodNamespace, _: Document) -> None:
    ns.kill("/enso/plan")


def remove_unseen(ns: PodNamespace, pod: Document) -> None:
    """Remove the session's container as a whole: a kubelet that sees its end starts no other."""
    kubelet = ns.node.pid("kubelet")
    os.kill(kubelet, signal.SIGSTOP)
    try:
        runtime.remove(pod, "session")
    finally:
        os.kill(kubelet, signal.SIGCONT)


def remove_pod(ns: PodNamespace, pod: Document) -> None:
    ns.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=false")


def force_delete(ns: PodNamespace, pod: Document) -> None:
    ns.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0")


def expire(ns: PodNamespace, pod: Document) -> None:
    over = '{"spec": {"activeDeadlineSeconds": 1}}'
    ns.kubectl("patch", "pod", pod["metadata"]["name"], "--type=merge", "-p", over)


ENDS: dict[str, tuple[Callable[[PodNamespace, Document], None], str]] = {
    "sandbox": (kill_sandbox, ""),
    "supervisor": (kill_supervisor, "exit code 137"),
    "deleted": (remove_pod, "deleted its Pod"),
    "force-deleted": (force_delete, "Pod"),
    "expired": (expire, "Pod was active on the node longer than the specified deadline"),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_session_that_is_ended_leaves_one_doubt_and_no_second_start(
    story: PodStory, how: str
) -> None:
    disturb, why = ENDS[how]
    pod = in_the_middle(story)
    before = story.marks()
    disturb(story.ns, pod)
    status = story.fails(*INTERRUPTED)
    assert why in status["failure"]["message"], status["failure"]
    assert story.marks() in (before, [])  # the node forgets the logs of a Pod that is deleted
    assert len(before) == 2
    assert {other["metadata"]["uid"] for other in story.ns.pods()} <= {pod["metadata"]["uid"]}


def test_a_container_that_the_node_starts_again_starts_no_script(story: PodStory) -> None:
    pod = in_the_middle(story)
    remove_unseen(story.ns, pod)
    status = story.fails(*INTERRUPTED)
    assert "a second time" in status["failure"]["message"], status["failure"]
    until(lambda: story.restarts("session") == 1)
    until(lambda: len(runtime.logs(pod, "session")) == 2)
    assert starts_in(runtime.text(runtime.logs(pod, "session")[1])) == []


def test_an_interpreter_that_is_killed_is_its_scripts_failure(story: PodStory) -> None:
    in_the_middle(story)
    story.ns.kill("worker.py")
    status = story.fails("Succeeded", "Failed", "NotStarted")
    assert "SIGKILL" in status["failure"]["message"], status["failure"]
    assert story.starts() == ["open", "do"]


def test_records_that_are_killed_are_printed_again(story: PodStory) -> None:
    pod = in_the_middle(story)
    story.ns.kill(SIDECAR)
    until(lambda: story.restarts("records") == 1)
    story.goes_on(pod)
    story.ends_well()
    assert story.restarts("records") == 1
    assert story.restarts("session") == 0


def test_records_that_are_removed_are_printed_again(story: PodStory) -> None:
    pod = in_the_middle(story)
    runtime.remove(pod, "records")
    until(lambda: story.ns.processes(SIDECAR, pod))
    story.goes_on(pod)
    story.ends_well()
    assert story.restarts("session") == 0


def test_a_container_script_that_the_node_starts_again_is_in_doubt(
    ns: PodNamespace, operator: Operator
) -> None:
    assert operator.is_ready()
    own = {"image": PYTHON, "command": ["python3", "-c", START + "main('own', 120)"]}
    ns.apply(of_scripts({"name": "own", "container": own}, {"name": "next"}))
    until(lambda: PodStory(ns).starts() == ["own"])
    until(lambda: runtime.is_known(ns.pod()))
    pod = ns.pod()
    remove_unseen(ns, pod)
    status = ns.ends()
    assert [row[:2] for row in ns.rows()] == [("own", "Interrupted"), ("next", "NotStarted")]
    assert "a second time" in status["failure"]["message"], status["failure"]
    assert len(ns.pods()) == 1
