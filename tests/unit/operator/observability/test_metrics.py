"""What the operator counts: each thing once, and never under a name that a user chose."""

from __future__ import annotations

import asyncio
import math
import re
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from enso_operator.coordinator.actor import Actor
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.publisher import Publisher
from enso_operator.observability.metrics import LONGEST_SECONDS, REASONS, Metrics
from enso_operator.sessions.local.sessions import LocalSessions
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import Conflict, JobNotFound, Unavailable
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import FINALLY, Script, Source, When
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork
from tests.support.jobs import job_of, make

PAGE = Path(__file__).parents[4] / "docs/operating.md"
HOSTILE = 'ann"s-secret\n{job="x"} 1\nfake_total 99'

Series = tuple[str, frozenset[tuple[str, str]]]


def families(metrics: Metrics) -> list[Metric]:
    return list(text_string_to_metric_families(metrics.text()[0].decode()))


def series(metrics: Metrics) -> dict[Series, float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families(metrics)
        for sample in family.samples
        if sample.name.startswith("enso_")
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return series(metrics)[name, frozenset(labels.items())]


def nonzero(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """Return the series of a counter that counted something, by their labels' values."""
    return {
        tuple(of for _, of in sorted(labels)): value
        for (found, labels), value in series(metrics).items()
        if found == name and value
    }


def drive(metrics: Metrics, folder: Path, *scripts: Script) -> Job:
    uow = InMemoryJobUnitOfWork()
    services.add(scripts, job_uow=uow, job_id="job")
    sessions, library = LocalSessions(folder), ScriptLibrary([])
    actor = Actor(
        "job", uow, sessions, Planner(library), SystemClock(), Publisher(metrics.committed)
    )
    asyncio.run(asyncio.wait_for(actor.drive(), 60))
    return uow.jobs.get("job")


def final(name: str, source: Source, when: When = When.ALWAYS) -> Script:
    return Script(name, source, session=FINALLY, when=when)


def of_script(kind: type[events.ScriptEvent], **details: object) -> events.ScriptEvent:
    about = {"at": 5, "script": HOSTILE, "number": 1, "of": 1, "attempt": 1}
    return make(kind, **about, parameters={HOSTILE: HOSTILE}, **details)


def test_what_an_actor_commits_is_counted_once(tmp_path: Path) -> None:
    metrics = Metrics()
    job = drive(
        metrics,
        tmp_path,
        Script("open", Source("def main(): pass")),
        Script("do", Source("def main(): raise KeyError('x')"), retries=Retries(2)),
        Script("never", Source("def main(): pass")),
    )
    assert sum(isinstance(event, events.ScriptFailed) for event in job.events) == 3
    # The labels' names in their order: outcome, reason; reason, result.
    assert nonzero(metrics, "enso_scripts_finished_total") == {
        ("Succeeded", ""): 1,
        ("Failed", Reason.EXCEPTION): 3,
    }
    assert nonzero(metrics, "enso_jobs_finished_total") == {(Reason.EXCEPTION, "Failed"): 1}
    assert value(metrics, "enso_script_duration_seconds_count", outcome="Failed") == 3


PASSES = Source("def main(): pass")
FAILS = Source("def main(): raise KeyError('x')")


@pytest.mark.parametrize(
    ("scripts", "counted"),
    [
        ([Script("open", PASSES), final("clean", PASSES)], ("", "Succeeded")),
        ([Script("open", PASSES), final("clean", FAILS)], (Reason.EXCEPTION, "Failed")),
        ([Script("open", PASSES), final("clean", FAILS, When.FAILED)], ("", "Succeeded")),
        ([Script("open", FAILS), final("clean", FAILS)], (Reason.EXCEPTION, "Failed")),
        (
            [Script("open", PASSES), final("clean", FAILS), final("tell", PASSES)],
            (Reason.EXCEPTION, "Failed"),
        ),
    ],
)
def test_a_job_that_cleans_up_ends_once(
    tmp_path: Path, scripts: list[Script], counted: tuple[str, str]
) -> None:
    metrics = Metrics()
    drive(metrics, tmp_path, *scripts)
    assert nonzero(metrics, "enso_jobs_finished_total") == {counted: 1}


def test_every_end_of_a_job_and_of_a_script() -> None:
    metrics = Metrics()
    metrics.committed(
        job_of("open"),
        [
            events.JobSucceeded(at=1),
            events.JobCancelled(at=2, by=HOSTILE, why=HOSTILE),
            events.JobFailed(at=3, cause=Cause(Reason.TIMEOUT)),
            of_script(events.ScriptStarted),
            of_script(events.ScriptInterrupted, cause=Cause(Reason.SESSION_LOST)),
            of_script(events.ScriptSkipped, by=HOSTILE),
            of_script(events.ScriptRetrying),
        ],
    )
    assert nonzero(metrics, "enso_jobs_finished_total") == {
        ("", "Succeeded"): 1,
        ("", "Cancelled"): 1,
        (Reason.TIMEOUT, "Failed"): 1,
    }
    assert nonzero(metrics, "enso_scripts_finished_total") == {
        ("Interrupted", Reason.SESSION_LOST): 1,
        ("Skipped", ""): 1,
    }


def test_no_text_of_a_user_becomes_a_label_and_no_series_is_born_later() -> None:
    metrics = Metrics()
    before = series(metrics)
    cause = Cause(HOSTILE, HOSTILE, error=HOSTILE, signal=HOSTILE)
    reasons = [cause, *map(Cause, REASONS), Cause("")]
    found: list[events.Event] = [events.JobSucceeded(at=1), of_script(events.ScriptSkipped)]
    for cause in reasons:
        found += [
            events.JobFailed(at=1, cause=cause, script=HOSTILE),
            of_script(events.ScriptFailed, cause=cause, seconds=1),
            of_script(events.ScriptInterrupted, cause=cause),
        ]
    job = job_of("open")
    job.id = HOSTILE
    metrics.committed(job, found)
    assert series(metrics).keys() == before.keys()
    assert b"ann" not in metrics.text()[0]
    assert value(metrics, "enso_jobs_finished_total", result="Failed", reason="Other") == 2


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, -1, 1e300, 10**400])
def test_a_duration_that_cannot_be_spoils_no_sum(seconds: float) -> None:
    metrics = Metrics()
    failed = of_script(events.ScriptFailed, cause=Cause(Reason.SIGNAL), seconds=seconds)
    metrics.committed(job_of("open"), [failed])
    total = value(metrics, "enso_script_duration_seconds_sum", outcome="Failed")
    assert 0 <= total <= LONGEST_SECONDS


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (None, "committed"),
        (Conflict("a"), "conflict"),
        (JobNotFound("deleted"), "conflict"),
        (Unavailable("no answer"), "unavailable"),
        (TimeoutError(), "unavailable"),
        (asyncio.CancelledError(), None),
    ],
)
def test_commits_are_timed_by_their_outcome(
    raised: BaseException | None, outcome: str | None
) -> None:
    metrics = Metrics()

    def commit() -> None:
        with metrics.committing():
            if raised:
                raise raised

    if raised:
        with pytest.raises(type(raised)):
            commit()
    else:
        commit()
    expected = {(outcome,): 1.0} if outcome else {}
    assert nonzero(metrics, "enso_commit_seconds_count") == expected


def test_the_operators_own_work() -> None:
    metrics = Metrics()
    with metrics.reconciling():
        pass
    metrics.posted("known")
    metrics.actor_failed()
    assert value(metrics, "enso_reconcile_seconds_count") == 1
    assert value(metrics, "enso_events_posted_total", outcome="known") == 1
    assert value(metrics, "enso_actor_failures_total") == 1


def test_gauges_are_asked_when_they_are_read() -> None:
    metrics, live = Metrics(), {"a"}
    assert math.isnan(value(metrics, "enso_watch_age_seconds"))
    metrics.live_jobs_from(lambda: len(live))
    metrics.watch_age_from(lambda: 2.5)
    live.add("b")
    assert value(metrics, "enso_live_jobs") == 2
    assert value(metrics, "enso_watch_age_seconds") == 2.5


def test_the_longest_wait_for_each_reason_is_told_as_long_as_it_lasts() -> None:
    metrics, full = Metrics(), Cause(Reason.UNSCHEDULABLE, HOSTILE)
    waits = [(full, 20.0), (full, 3000.0), (Cause(HOSTILE), 5.0)]
    metrics.waits_from(lambda: waits)
    told = nonzero(metrics, "enso_waiting_jobs")
    assert told == {(Reason.UNSCHEDULABLE,): 2, ("Other",): 1}
    told = nonzero(metrics, "enso_longest_wait_seconds")
    assert told == {(Reason.UNSCHEDULABLE,): 3000, ("Other",): 5}
    waits.clear()
    assert nonzero(metrics, "enso_waiting_jobs") == {}
    assert nonzero(metrics, "enso_longest_wait_seconds") == {}


def test_two_operators_in_one_process_count_apart() -> None:
    first, other = Metrics(), Metrics()
    first.actor_failed()
    assert value(other, "enso_actor_failures_total") == 0


def test_the_page_lists_exactly_what_there_is() -> None:
    exposed = {
        family.name + ("_total" if family.type == "counter" else ""): family
        for family in families(Metrics())
    }
    ours = {name for name in exposed if name.startswith("enso_")}
    assert set(re.findall(r"^\| `(enso_\w+)", PAGE.read_text("utf-8"), re.MULTILINE)) == ours
    assert {"process_cpu_seconds_total", "python_info"} <= exposed.keys()
    for name in ours:
        labels = {key for sample in exposed[name].samples for key in sample.labels} - {"le"}
        assert labels <= {"outcome", "reason", "result"}
        assert exposed[name].documentation.endswith(".")
