"""Two operators whose sessions are Pods: both awake, or one that sleeps while the other works."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pytest

from tests.node.jobs.lanes import Lane, side_by_side
from tests.node.jobs.pod_namespace import Document, PodNamespace
from tests.node.jobs.story import PodStory
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, after, before, meanwhile, number, on
from tests.support.fault_proxy.calls import Call
from tests.support.fault_proxy.rules import Fault, Filter
from tests.support.operators import Operator, Operators

JOBS = 5
LONGEST_SECONDS = 400
"""Longer than a test takes."""
SWEEPS = "--resync-seconds=1"
REFUSED = 400
"""From this status code on, the API server has refused the call."""
PODS, RELEASE = on("create", "pods"), on("patch", "pods")
STATUS, EVENTS, LOG = on("patch", "ensojobs/status"), on("create", "events"), on("get", "pods/log")

Point = tuple[Callable[[Callable[[], object]], Fault], Filter, int]
"""When an operator falls asleep: before or after the n-th of such calls."""
POINTS: list[Point] = [
    (fault, calls, n)
    for calls, n in [
        (on("create", "configmaps"), 1),
        (PODS, 1),
        (EVENTS, 2),
        (STATUS, 1),
        (RELEASE, 1),
        (LOG, 1),
        (EVENTS, 5),
        (EVENTS, 8),
        (STATUS, 2),
    ]
    for fault in (before, after)
]


def test_both_awake_do_what_one_would(ns: PodNamespace, operators: Operators) -> None:
    both = [operators.start(SWEEPS), operators.start(SWEEPS)]
    until(lambda: all(operator.is_ready() for operator in both))
    stories = [PodStory(ns, f"shot-{i}") for i in range(JOBS)]
    for story in stories:
        story.begin()
    for story in stories:
        story.ends_well()
        assert len(story.pods()) == 1
    assert all(operator.process.is_alive() for operator in both)


@pytest.mark.timeout(600)
def test_one_that_sleeps_at_any_moment_and_wakes_when_the_job_is_over(lanes: list[Lane]) -> None:
    assert len(side_by_side(lanes, POINTS, sleeps_through)) == len(POINTS)


def sleeps_through(lane: Lane, point: Point) -> None:
    fault, calls, n = point
    story, sleeper = lane.story(), list[Operator]()
    with FaultProxy(lane.operators.kubeconfig) as proxy:
        asleep = proxy.add(
            number(n, calls), fault(lambda: sleeper[0].send(signal.SIGSTOP)), times=1
        )
        sleeper.append(lane.operators.start(kubeconfig=proxy.kubeconfig))
        story.begin()
        until(lambda: asleep.used)
        second = lane.operators.start()
        story.ends_well()
        sleeper[0].send(signal.SIGCONT)
        until(lambda: has_nothing_to_do(sleeper[0]))
        story.ends_well()
        assert len(story.pods()) == 1
        sleeper[0].kill()
        second.kill()


def has_nothing_to_do(operator: Operator) -> bool:
    return "enso_live_jobs 0.0" in operator.http_get("/metrics")[1]


class Late:
    """An operator that sleeps with a Pod on its way to the API server, where it arrives late."""

    def __init__(self, operators: Operators, story: PodStory, proxy: FaultProxy) -> None:
        self._arrives = threading.Event()
        self.asleep = proxy.add(number(1, PODS), meanwhile(self._sleep), times=1)
        self.operator = operators.start(SWEEPS, kubeconfig=proxy.kubeconfig)
        story.begin()
        until(lambda: self.asleep.used)
        self._proxy = proxy

    def arrives(self) -> None:
        """Create the Pod; its operator sleeps on."""
        self._arrives.set()
        until(lambda: next(call.done for call in self._proxy.calls if PODS(call)))

    def wakes(self) -> None:
        """Wake the operator, which gets the answer."""
        self.operator.send(signal.SIGCONT)
        until(lambda: has_nothing_to_do(self.operator))

    def _sleep(self) -> None:
        self.operator.send(signal.SIGSTOP)
        self._arrives.wait(LONGEST_SECONDS)


def released(proxy: FaultProxy) -> list[Call]:
    """Return the releases of Pods through the proxy that were not in vain.

    Its watch may show an operator the job's first Pod, which it may try to release: that is gone.
    """
    return [call for call in proxy.calls if RELEASE(call) and call.code < REFUSED]


def test_a_pod_that_is_made_late_stays_gated_and_is_removed(
    ns: PodNamespace, operators: Operators
) -> None:
    story = PodStory(ns)
    with FaultProxy(operators.kubeconfig) as proxy:
        late = Late(operators, story, proxy)
        second = operators.start(SWEEPS)
        story.ends_well()
        first = story.pods()
        ns.kubectl("delete", "pod", first[0]["metadata"]["name"])
        second.kill()
        late.arrives()
        (made,) = made_for(story, first)
        assert is_inert(made)
        late.wakes()
        until(lambda: made_for(story, first) == [])
        assert (ns.state(), story.is_over()) == ("Succeeded", True)
        assert released(proxy) == []


def test_a_pod_that_is_made_late_for_a_job_that_is_gone_goes_too(
    ns: PodNamespace, operators: Operators
) -> None:
    story = PodStory(ns)
    with FaultProxy(operators.kubeconfig) as proxy:
        late = Late(operators, story, proxy)
        second = operators.start(SWEEPS)
        story.ends_well()
        ns.kubectl("delete", "ensojob", story.name)
        until(lambda: story.pods() == [])
        story.begin()  # another job of that name
        until(story.is_over)
        first = story.pods()
        second.kill()
        late.arrives()
        late.wakes()
        assert all(map(is_inert, made_for(story, first)))
        until(lambda: made_for(story, first) == [])
        assert released(proxy) == []
        assert story.starts() == ["open", "do", "save"]


def made_for(story: PodStory, others: list[Document]) -> list[Document]:
    """Return the job's Pods apart from those."""
    uids = {pod["metadata"]["uid"] for pod in others}
    return [pod for pod in story.pods() if pod["metadata"]["uid"] not in uids]


def is_inert(pod: Document) -> bool:
    """Whether the Pod still has its scheduling gate, and no node."""
    return bool(pod["spec"].get("schedulingGates")) and "nodeName" not in pod["spec"]
