"""What lies between a session and its job breaks: nothing recorded is lost, nothing runs twice."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime

import pytest

from tests.cluster.story import EVENT_REASONS
from tests.node.jobs import runtime
from tests.node.jobs.pod_namespace import Document, PodNamespace
from tests.node.jobs.story import START, PodStory
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, on
from tests.support.operators import Operator, Operators

FOLLOWS = on("get", "pods/log")
MEGABYTES = 50
LOUD = f"""
import time
TEXT = "x" * 1023 + "\\n"
{START}
    for _ in range({MEGABYTES} if name == "do" else 0):
        print(TEXT * 1024, end="", flush=True)
        time.sleep(0.35)
"""
"""Slow enough for the kubelet, which looks at the size of a log every ten seconds."""


@pytest.fixture
def story(ns: PodNamespace) -> PodStory:
    return PodStory(ns)


def test_output_that_rotates_its_log_away_leaves_the_records_alone(
    ns: PodNamespace, operator: Operator
) -> None:
    story = PodStory(ns, source=LOUD)
    assert operator.is_ready()
    story.begin()
    until(lambda: len(runtime.logs(story.pods()[0], "session")) > 1 if story.pods() else False)
    story.ends_well()
    status = story.document["status"]
    assert status["scripts"][1]["state"] == "Succeeded"


def test_a_follow_that_breaks_every_second_loses_nothing(
    story: PodStory, operators: Operators
) -> None:
    with FaultProxy(operators.kubeconfig) as proxy:
        operator = operators.start(kubeconfig=proxy.kubeconfig)
        pod = story.in_the_middle()
        cuts = [time.monotonic()]

        def cut() -> None:
            if time.monotonic() >= cuts[-1] + 1:
                proxy.cut(FOLLOWS)
                cuts.append(time.monotonic())

        def is_followed_often() -> bool:
            cut()
            return sum(FOLLOWS(call) and call.told == 200 for call in proxy.calls) > 3

        def is_over() -> bool:
            cut()
            return story.is_over()

        until(is_followed_often)
        story.goes_on(pod)
        until(is_over, story.patience)
        story.ends_well()
        assert operator.process.is_alive()


def test_an_api_server_that_dies_and_comes_back(story: PodStory, operator: Operator) -> None:
    """The API server is away while two scripts end and one begins, for any time."""
    pod = story.in_the_middle()
    story.ns.node.kill("kube-apiserver")
    story.goes_on(pod)
    until(lambda: not story.ns.processes("/enso/plan", pod))
    story.ns.node.revive()
    story.ends_well()
    assert operator.process.is_alive()


def test_an_operator_that_is_away_in_the_middle_of_a_script_disturbs_nothing(
    story: PodStory, operators: Operators
) -> None:
    first = operators.start()
    pod = story.in_the_middle()
    first.kill()
    second = operators.ready()
    story.ns.runs("do")
    story.goes_on(pod)
    story.ends_well()
    assert second.process.is_alive()


def test_a_session_that_ends_while_the_operator_is_away_tells_it_all(
    story: PodStory, operators: Operators
) -> None:
    ends_unseen(story, operators)
    operators.start()
    story.ends_well()


@pytest.mark.parametrize("how", ["emptied", "removed"])
def test_where_the_records_are_lost_the_last_words_of_the_session_tell(
    story: PodStory, operators: Operators, how: str
) -> None:
    ends_unseen(story, operators)
    for file in runtime.logs(story.pods()[0], "records"):
        if how == "emptied":
            file.write_bytes(b"")
        else:
            file.unlink()
    operators.start()
    until(story.is_over)
    rows = [("open", "Succeeded", 1), ("do", "Succeeded", 1), ("save", "Succeeded", 1)]
    assert story.ns.rows() == rows
    assert story.starts() == ["open", "do", "save"]
    told = Counter(reason for reason, _ in story.ns.job_events(story.name))
    assert told >= Counter(EVENT_REASONS)  # without the records, earlier details are not known


def ends_unseen(story: PodStory, operators: Operators) -> None:
    """Run the job; from the middle on no operator sees it."""
    first = operators.start()
    pod = story.in_the_middle()
    first.kill()
    story.goes_on(pod)
    until(lambda: story.pods()[0]["status"]["phase"] == "Succeeded")


def test_a_job_that_does_nothing_costs_five_writes_and_its_events(
    story: PodStory, operators: Operators
) -> None:
    operator = operators.ready()
    mark = story.ns.node.audit.mark()
    story.begin()
    story.ends_well()
    written, progress = writes(story.ns, mark), ("patch", "ensojobs/status")
    begin = [("create", "configmaps"), ("create", "pods"), progress, ("patch", "pods")]
    assert written[:5] == [*begin, progress]
    # What takes long, as on a machine that has much to do, tells of its progress once a second.
    assert written[5:] == [progress] * (len(written) - 5)
    assert len(written) - 5 <= seconds_of(story.document["status"])
    assert events(story.ns, mark) == len(EVENT_REASONS) + story.ns.starts_told()
    operator.kill()
    mark = story.ns.node.audit.mark()
    operators.ready("--resync-seconds=0.5")
    sweeps = lists(story.ns, mark) + 3
    until(lambda: lists(story.ns, mark) > sweeps)
    assert (writes(story.ns, mark), events(story.ns, mark)) == ([], 0)


def seconds_of(status: Document) -> float:
    """Return how long the job took from its first script's start to its end."""
    begin, end = status["scripts"][0]["startTime"], status["completionTime"]
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


OTHERS = ("kube", "containerd")
"""User agents other than the operator: Kubernetes itself, and the test's kubectl."""


def asked(ns: PodNamespace, mark: int) -> list[tuple[str, str]]:
    """Return what the operator asked for in this namespace."""
    return [
        (request.verb, request.resource)
        for request in ns.node.audit.since(mark)
        if request.namespace == ns.namespace and not request.user_agent.startswith(OTHERS)
    ]


def writes(ns: PodNamespace, mark: int) -> list[tuple[str, str]]:
    reading = ("get", "list", "watch")
    return [
        request
        for request in asked(ns, mark)
        if request[0] not in reading and request[1] != "events"
    ]


def events(ns: PodNamespace, mark: int) -> int:
    return asked(ns, mark).count(("create", "events"))


def lists(ns: PodNamespace, mark: int) -> int:
    return asked(ns, mark).count(("list", "ensojobs"))
