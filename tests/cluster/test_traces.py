"""The trace of an EnsoJob, as a collector gets it from operators that come and go."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from enso_operator.kube.ensojob import EnsoJobObject
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kill_points import MOST_CALLS, kill
from tests.support.collector import Collector
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, after, number, watches
from tests.support.operators import Operator, Operators
from tests.support.resources import Document, of_scripts

PARENT = f"00-{'4b' * 16}-{'00f0' * 4}-01"
SOURCE = """
import os, time

def main(folder):
    script = os.path.join(folder, os.environ["ENSO_SCRIPT"])
    with open(script, "a") as file:
        file.write(os.environ["TRACEPARENT"] + "\\n")
    while os.environ["ENSO_SCRIPT"] == "do" and not os.path.exists(script + ".go"):
        time.sleep(0.05)
"""
WHOLE = [
    "job shot",
    "job shot > session main",
    "job shot > session main > script open",
    "job shot > session main > script do",
    "job shot > session main > script save",
]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


def job(folder: Path, name: str = "shot", **metadata: object) -> Document:
    """Return a job whose script `do` waits for a file."""
    scripts = [
        {"name": script, "source": SOURCE, "args": {"folder": str(folder)}}
        for script in ("open", "do", "save")
    ]
    return of_scripts(*scripts) | {"metadata": {"name": name, **metadata}}


def test_a_job_is_a_part_of_what_its_annotation_says(
    ns: ClusterNamespace, operators: Operators, collector: Collector, tmp_path: Path
) -> None:
    operators.start(environment=collector.environment)
    (tmp_path / "do.go").touch()
    ns.apply(job(tmp_path, annotations={"enso.dev/traceparent": PARENT, "other": "x" * 1000}))
    ns.waits("Succeeded")
    until(lambda: len(collector.spans) == len(WHOLE))
    assert collector.tree == WHOLE
    whole, saved = collector.named("job shot"), collector.named("script save")
    assert (whole.trace, whole.parent) == ("4b" * 16, "00f0" * 4)
    assert whole.attributes == {
        "enso.job.name": "shot",
        "enso.job.uid": ns.get()["metadata"]["uid"],
        "enso.job.state": "Succeeded",
        "enso.job.resumes": 0,
        "k8s.namespace.name": ns.namespace,
    }
    assert saved.attributes["enso.script.arguments"] == f"folder={tmp_path}"
    assert saved.resource["service.name"] == "enso-operator"
    for span in collector.spans[:3]:
        found = (tmp_path / span.name.partition(" ")[2]).read_text().split()
        assert found == [f"00-{span.trace}-{span.id}-01"]


def test_jobs_of_one_kind_have_one_name(
    ns: ClusterNamespace, operators: Operators, collector: Collector, tmp_path: Path
) -> None:
    (tmp_path / "do.go").touch()
    document = job(tmp_path)
    document["metadata"] = {"generateName": "shot-"}
    for _ in range(2):
        ns.create(document)
    operators.start(environment=collector.environment)
    until(lambda: [span.name for span in collector.spans].count("job shot") == 2)
    assert len({span.trace for span in collector.spans}) == 2


def test_an_operator_that_is_killed_costs_no_trace(
    ns: ClusterNamespace, operators: Operators, collector: Collector, tmp_path: Path
) -> None:
    first = operators.start(environment=collector.environment)
    ns.apply(job(tmp_path))
    until(lambda: collector.spans)  # of the first script
    first.kill()
    second = operators.start(environment=collector.environment)
    (tmp_path / "do.go").touch()
    ns.waits("Succeeded")
    until(lambda: len(collector.spans) == len(WHOLE))
    assert second.stop() == 0

    operators.start(environment=collector.environment)
    ns.apply(job(tmp_path, "later"))
    ns.waits("Succeeded", "later")
    until(lambda: len(collector.spans) == 2 * len(WHOLE))
    of_first = [span for span in collector.spans if span.attributes["enso.job.name"] == "shot"]
    assert len({span.id for span in of_first}) == len(of_first) == len(WHOLE)
    assert collector.tree[: len(WHOLE)] == WHOLE
    assert len({span.trace for span in of_first}) == 1
    assert (tmp_path / "do").read_text().split()[0].split("-")[2] in {span.id for span in of_first}


@pytest.mark.timeout(600)
def test_no_kill_at_any_call_makes_two_spans_of_one_thing(
    ns: ClusterNamespace, operators: Operators, collector: Collector, tmp_path: Path
) -> None:
    (tmp_path / "do.go").touch()
    for point in range(2, MOST_CALLS, 7):
        name, victim = f"shot-{point}", list[Operator]()
        ns.apply(job(tmp_path, name))
        with FaultProxy(operators.kubeconfig) as proxy:
            rule = proxy.add(number(point, ~watches()), after(partial(kill, victim)), times=1)
            victim.append(
                operators.start(kubeconfig=proxy.kubeconfig, environment=collector.environment)
            )
            until(lambda: not victim[0].process.is_alive() or is_over(ns, name))  # noqa: B023
            victim[0].kill()
        had_ended = is_over(ns, name)
        second = operators.start(environment=collector.environment)
        ns.waits("Succeeded", name)
        until(second.is_ready)
        # What is sent was written to the log before.
        until(lambda: had_ended or " JobSucceeded " in second.log_text)  # noqa: B023  # as above
        assert second.stop() == 0
        own = [span for span in collector.spans if span.attributes["enso.job.name"] == name]
        assert len({span.id for span in own}) == len(own)
        assert had_ended or f"job {name}" in [span.name for span in own]
        assert len({span.trace for span in own}) <= 1
        if not rule.used:
            return
    pytest.fail(f"an operator makes more than {MOST_CALLS} calls for one job")


def is_over(ns: ClusterNamespace, name: str) -> bool:
    """Whether the job has ended."""
    return EnsoJobObject(ns.get(name)).is_finished


def test_an_operator_that_stops_sends_what_it_has(
    ns: ClusterNamespace, operators: Operators, collector: Collector, tmp_path: Path
) -> None:
    never = {"OTEL_BSP_SCHEDULE_DELAY": str(10**7)}
    operator = operators.start(environment=collector.environment | never)
    (tmp_path / "do.go").touch()
    ns.apply(job(tmp_path))
    ns.waits("Succeeded")
    until(lambda: " JobSucceeded " in operator.log_text)
    assert collector.requests == 0
    assert operator.stop() == 0
    assert collector.tree == WHOLE


def test_no_job_waits_for_a_collector_that_does_not_answer(
    ns: ClusterNamespace, operators: Operators, collector: Collector, tmp_path: Path
) -> None:
    collector.goes_on.clear()
    soon = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    operator = operators.start(environment=collector.environment | soon)
    (tmp_path / "do.go").touch()
    told = f"traces cannot be sent to {collector.address}, and have a gap: "
    for name in ("first", "second"):
        ns.apply(job(tmp_path, name))
        ns.waits("Succeeded", name)
        until(lambda: told in operator.log_text)
    collector.goes_on.set()
    ns.apply(job(tmp_path, "third"))
    until(lambda: f"traces are sent to {collector.address} again" in operator.log_text)
    assert operator.log_text.count("traces cannot be sent") == 1
    assert operator.stop() == 0
