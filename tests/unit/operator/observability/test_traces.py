"""The spans of a job: one for each thing that has ended, the same however often it is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test as run_machine

from enso_operator.observability.traced_job import TracedJob
from enso_operator.observability.traces import Span, spans_of
from job_execution_framework.domain import events, trace_context
from job_execution_framework.domain.cause import Cause, Frame
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from tests.support.jobs import job_of, make
from tests.unit.domain.test_simulation import Simulation

TRACED = TracedJob("uid", "publish-shot", {"enso.job.name": "publish-shot"})
OUTCOMES = (events.ScriptSucceeded, events.ScriptFailed, events.ScriptInterrupted)
PARENT = f"00-{'4b' * 16}-{'00f0' * 4}-01"


def told(job: Job, history: Sequence[Event], ends: Iterable[int]) -> list[Span]:
    """Return the spans of a job to which this happens, told as far as each of these ends.

    What finishes a job, the end of its last session and its own end, is told together, as it is
    committed together: a job that has finished is only resumed.
    """
    spans, begin = list[Span](), 0
    for end in sorted({*ends, len(history)}):
        for event in history[len(job.events) : end]:
            job.apply(event)
        following = history[end] if end < len(history) else None
        if job.finished and following and not isinstance(following, events.JobResumed):
            continue
        spans += spans_of(job, job.events[begin:], TRACED)
        begin = end
    return spans


def assert_whole(job: Job, ends: Iterable[int]) -> list[tuple[object, ...]]:
    """Assert that the trace of a finished job has each thing once; return what its spans say."""
    spans = told(Job(job.id, job.scripts, job.sessions, job.deadline_seconds), job.events, ends)
    own = [span.id for span in spans]
    assert len(own) == len(set(own)), "a span is sent twice"
    assert {span.parent for span in spans} <= {"", *own}, "a span is in none that was sent"
    outcomes = [event for event in job.events if isinstance(event, OUTCOMES)]
    runs = [event for event in job.events if isinstance(event, events.SessionEnded)]
    assert len(spans) == 1 + job.resumes + len(runs) + len(outcomes)
    assert all(span.began <= span.ended for span in spans)
    return [
        (span.id, span.name, span.parent, span.attributes, span.failure)
        for span in sorted(spans, key=lambda span: span.id)
    ]


class Traced(Simulation):
    """Whatever happens to a job, in whatever portions it is told."""

    jobs = 0

    def teardown(self) -> None:
        """Look at the whole trace."""
        super().teardown()
        if not hasattr(self, "world"):
            return
        job = self.world.job()
        one_by_one, count = range(len(job.events)), len(job.events)
        some = sorted(Random(count).choices(one_by_one, k=3))  # noqa: S311  # no secret
        assert assert_whole(job, one_by_one) == assert_whole(job, some) == assert_whole(job, [])
        type(self).jobs += 1


@pytest.mark.timeout(400)  # on a machine that is busy with something else
def test_a_trace_is_whole_and_has_nothing_twice() -> None:
    run_machine(
        Traced,
        settings=settings(
            max_examples=80,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert Traced.jobs >= 40


def test_an_attempt_says_what_it_was_given_and_why_it_failed() -> None:
    spans = spans_after(Cause("Exception", "no\nfile", "OSError", Frame("a.py", 3, "main", "open")))
    failed = next(span for span in spans if span.name == "script open")
    assert failed.failure
    assert failed.attributes == {
        "enso.job.name": "publish-shot",
        "enso.session.run": "s1-1",
        "enso.script.name": "open",
        "enso.script.attempt": 1,
        "enso.script.outcome": "Failed",
        "enso.script.arguments": "path=/a token=***",
        "error.type": "OSError",
    }
    assert failed.failure.description == "OSError: no file"
    assert failed.failure.exception == {
        "exception.type": "OSError",
        "exception.message": "no file",
        "code.file.path": "a.py",
        "code.line.number": 3,
        "code.function.name": "main",
    }


def spans_after(cause: Cause, at: float = 8, **parameters: object) -> list[Span]:
    """Return the spans of a job whose first script fails so."""
    job = job_of("open")
    given = parameters or {"path": "/a", "token": "***"}
    about = {"script": "open", "number": 1, "of": 1, "attempt": 1, "parameters": given}
    of_run = {"origin": "s1-1", **about}
    history: list[Event] = [
        events.JobAdded(at=1, origin="coordinator", seq=1),
        events.JobStarted(at=2, origin="coordinator", seq=2),
        make(
            events.SessionOpened,
            at=3,
            origin="coordinator",
            seq=3,
            run="s1-1",
            session="s1",
            uid="u",
            scripts=("open",),
        ),
        make(events.ScriptStarted, at=4, seq=1, **of_run),
        make(events.ScriptFailed, at=at, seq=2, cause=cause, **of_run),
        events.SessionEnded(at=9, origin="coordinator", seq=4, run="s1-1"),
        events.JobFailed(at=10, origin="coordinator", seq=5, cause=cause, script="open"),
    ]
    return told(job, history, range(len(history)))


def test_spans_begin_and_end_when_it_happened() -> None:
    spans = spans_after(Cause("Timeout", "1 s"))
    times = {span.name: (span.began, span.ended) for span in spans}
    assert times == {
        "script open": (4, 8),
        "session s1": (3, 9),
        "job publish-shot": (2, 10),
    }
    whole = spans[-1]
    assert whole.failure
    assert whole.failure.description == "open: Timeout: 1 s"
    assert (whole.attributes["error.type"], whole.attributes["enso.job.state"]) == (
        "Timeout",
        "Failed",
    )


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -1e300, 1e300])
def test_a_session_that_claims_any_time_breaks_no_trace(at: float) -> None:
    times = [at for span in spans_after(Cause("Timeout"), at) for at in (span.began, span.ended)]
    assert all(0 <= int(at * 1e9) < 2**64 for at in times)


def test_texts_of_users_are_bounded_lines() -> None:
    hostile = "\ud800\x1b[31m\n" * 10_000
    cause = Cause(hostile, hostile, hostile, Frame(hostile, 10**30, hostile, hostile))
    for span in spans_after(cause, hostile=hostile):
        found = {**span.attributes, **(span.failure.exception if span.failure else {})}
        for value in found.values():
            assert isinstance(value, int) or len(value.encode()) <= 1024
            assert isinstance(value, str) or abs(value) < 2**63
            assert "\n" not in str(value)


def test_a_script_finds_the_id_of_its_own_span() -> None:
    plan_says = TRACED.traceparent(sampled=True)
    found = trace_context.of_attempt(plan_says, "open", 1)
    own = next(span for span in spans_after(Cause("Timeout")) if span.name == "script open")
    assert found == f"00-{TRACED.trace_id}-{own.id}-01"


def test_a_job_is_a_part_of_what_asked_for_it() -> None:
    part = replace(TRACED, parent=PARENT)
    assert (part.trace_id, part.parent_id) == ("4b" * 16, "00f0" * 4)
    assert part.span_id not in (part.parent_id, replace(part, uid="other").span_id)


@pytest.mark.parametrize(
    "nonsense",
    ["", "00", PARENT.upper(), PARENT + "-x", f"01{PARENT[2:]}", f"00-{'0' * 32}-{'1' * 16}-01"],
)
def test_what_is_no_traceparent_counts_as_none(nonsense: str) -> None:
    assert replace(TRACED, parent=nonsense).trace_id == TRACED.trace_id
    assert replace(TRACED, parent=nonsense).parent_id == ""
