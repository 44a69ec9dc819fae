"""What people are told that a job will run is what then runs, of any job, whatever happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from job_execution_framework.domain import events
from job_execution_framework.domain.actions import (
    Action,
    Pause,
    Resume,
    Retry,
    Skip,
    Suspend,
    Unsuspend,
)
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import InvalidAction
from job_execution_framework.domain.forecast import STARTS, Fate, forecast
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import LibraryScript, Script, Session
from job_execution_framework.domain.transitions import ENDED, JobState
from job_execution_framework.service_layer.observations import Observations
from tests.support.sessions import SUCCEEDS
from tests.support.sessions import Fate as Outcome
from tests.support.world import World
from tests.unit.domain.test_simulation import FATES, IN_CI, SIZES, jobs

seen: Counter[str] = Counter()
"""What the random jobs had in them."""


def until_it_rests(world: World) -> Job:
    """Let everything be known of what has happened so far; what is to end has ended."""
    for _ in range(20):
        world.coordinate(world.read(0, None, detect_end=True))
        job = world.job()
        if job.state is JobState.RUNNING or job.open_run is None:
            break
        world.run_one_script(SUCCEEDS)
    return world.job()


def wish(job: Job, kind: int, place: int) -> Action | None:
    """Return what somebody asks of the job now; None where nothing is, or it is not possible."""
    name = list(job.rows)[place % len(job.rows)]
    if job.state in ENDED:
        asked: Action = [Resume(), Resume(from_script=name), Resume(skip=(name,))][kind % 3]
    elif job.paused and job.state is JobState.SUSPENDED:
        asked = [Resume(), Resume(skip=(name,))][kind % 2]
    else:
        asked = Skip(script=name)
    return None if job.why_not(asked) else asked


@given(jobs(), st.lists(FATES, min_size=1, max_size=8), SIZES, SIZES, st.sampled_from([*range(6)]))
@settings(
    max_examples=400,
    deadline=None,
    derandomize=IN_CI,
    phases=[Phase.generate],  # shrinking takes minutes
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def promise_and_what_ran(
    described: tuple[list[Script], list[Session], float | None],
    fates: list[Outcome],
    kind: int,
    place: int,
    held: int,
) -> None:
    scripts, sessions, _ = described
    world = World(scripts, sessions, None)
    for fate in fates:
        world.coordinate(world.read(0, None, detect_end=True))
        world.run_one_script(fate)
    if held == 0:
        world.do_action(Pause())
    elif held == 1:
        world.coordinate(Observations(), Suspend())
    job = until_it_rests(world)
    state = job.state

    asked = wish(job, kind, place)
    if state in ENDED and asked is None:
        return
    promised = forecast(job, asked)
    told = [outlook.script.name for outlook in promised if outlook.fate in STARTS]
    if asked:
        assert world.do_action(asked) == ""
    before = len(world.started)
    for _ in range(200):
        world.coordinate(world.read(0, None, detect_end=True))
        if world.job().finished:
            break
        if world.job().state is JobState.SUSPENDED:
            world.coordinate(Observations(), Unsuspend(), Resume())
        world.run_one_script(SUCCEEDS)
        world.clock.time += 10

    is_doomed = any(outlook.fate in (Fate.NOT_REACHED, Fate.PASSED) for outlook in promised)
    assert world.job().state is (JobState.FAILED if is_doomed else JobState.SUCCEEDED)
    main = {script.name for script in world.job().main}
    ran = [name for name in world.started[before:] if name in main]
    if any(outlook.why.endswith("which has none") for outlook in promised):
        # Some try that again; where their session ends for it, others repeat.
        ran = [name for name in dict.fromkeys(ran) if name in told]
    assert ran == told
    seen.update(str(outlook.fate.value) for outlook in promised)
    seen[f"{state} {type(asked).__name__ if asked else None}"] += 1


def test_what_is_promised_is_what_then_runs() -> None:
    promise_and_what_ran()
    assert min(seen[fate] for fate in ("runs", "runs again", "kept", "skipped", "failed")) > 0, seen
    cases = ("Failed Resume", "Suspended Resume", "Running None", "Running Skip")
    assert min(seen[case] for case in cases) > 0, seen


def shot(*, keeps: bool = False) -> Job:
    """Return a job whose third script has failed."""
    scripts = (
        Script("open", LibraryScript("open"), setup=True),
        Script("cache", LibraryScript("cache"), checkpoint=keeps),
        Script("simulate", LibraryScript("simulate")),
        Script("publish", LibraryScript("publish")),
    )
    job = Job("shot", scripts)
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    for name in ("open", "cache"):
        job.record(job.script_event(events.ScriptStarted, name, 1, 0))
        job.record(job.script_event(events.ScriptSucceeded, name, 1, 1))
    job.record(job.script_event(events.ScriptStarted, "simulate", 1, 1))
    cause = Cause(Reason.OUT_OF_MEMORY)
    job.record(job.script_event(events.ScriptFailed, "simulate", 1, 2, cause=cause))
    job.record(events.JobFailed(at=2, cause=cause, script="simulate"))
    return job


def told(job: Job, action: Action | None = None) -> list[tuple[str, str, str]]:
    return [(found.script.name, found.fate.value, found.why) for found in forecast(job, action)]


def test_each_script_says_what_becomes_of_it_and_why() -> None:
    assert told(shot(), Resume()) == [
        ("open", "runs again", "setup: it prepares each new interpreter"),
        ("cache", "runs again", "its work was in memory, which is lost"),
        ("simulate", "runs", "attempt 1 failed: OutOfMemory"),
        ("publish", "runs", ""),
    ]
    assert told(shot(keeps=True), Resume(skip=("simulate",)))[1:] == [
        ("cache", "kept", "checkpoint: its effect is on disk"),
        ("simulate", "skipped", "as you ask"),
        ("publish", "runs", ""),
    ]
    assert told(shot(keeps=True), Resume(from_script="cache"))[:3] == [
        ("open", "runs again", "setup: it prepares each new interpreter"),
        ("cache", "runs again", "this resume asks for it"),
        ("simulate", "runs", "attempt 1 failed: OutOfMemory"),
    ]


def test_nothing_starts_any_more_of_a_job_that_is_about_to_fail() -> None:
    job = shot()
    job.state, job.failure, job.warm = JobState.RUNNING, None, frozenset({"open", "cache"})
    job.open_run = events.SessionOpened(at=0, run="main-1", session="main", uid="u", scripts=())
    because = "the job fails: simulate failed for good"
    assert [found[1:] for found in told(job)] == [
        *[("kept", because)] * 2,
        *[("not reached", because)] * 2,
    ]


def gone_past(*later: Script) -> Job:
    """Return a job that has failed only at its first script, past which it went on."""
    first = Script("first", LibraryScript("first"), continues=True)
    job = Job("shot", (first, *later))
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    job.record(job.script_event(events.ScriptStarted, "first", 1, 0))
    cause = Cause(Reason.EXCEPTION)
    job.record(job.script_event(events.ScriptFailed, "first", 1, 1, cause=cause))
    return job


def test_what_ran_behind_a_failure_is_kept_where_nothing_comes_after_it() -> None:
    job = gone_past(Script("second", LibraryScript("second")))
    job.record(job.script_event(events.ScriptStarted, "second", 1, 1))
    job.record(job.script_event(events.ScriptSucceeded, "second", 1, 2))
    job.record(events.JobFailed(at=2, cause=Cause(Reason.EXCEPTION), script="first"))
    assert told(job, Resume()) == [
        ("first", "runs", "attempt 1 failed: Exception"),
        ("second", "kept", "it is done, and nothing after it needs its work"),
    ]


def test_a_script_without_the_output_that_it_needs_does_not_run() -> None:
    of_first = {"given": OutputOf("first", "said")}
    why = "argument 'given' is said of the output of first, which has none"
    second = Script("second", LibraryScript("second"), of_first)
    last = Script("last", LibraryScript("last"))
    assert told(gone_past(second, last))[1:] == [
        ("second", "not reached", why),
        ("last", "not reached", "the job fails: second lacks an output"),
    ]
    assert told(gone_past(replace(second, continues=True), last))[1:] == [
        ("second", "failed", why),
        ("last", "runs", ""),
    ]


def test_nor_does_one_that_needs_a_key_which_an_output_that_is_kept_does_not_have() -> None:
    of_first = {"given": OutputOf("first", "path")}
    scripts = (
        Script("first", LibraryScript("first"), checkpoint=True),
        Script("second", LibraryScript("second"), of_first),
    )
    job = Job("shot", scripts)
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    job.record(job.script_event(events.ScriptStarted, "first", 1, 1))
    job.record(job.script_event(events.ScriptSucceeded, "first", 1, 2, output={"frames": 240}))
    job.record(events.JobFailed(at=2, cause=Cause(Reason.NO_OUTPUT), script="second"))
    assert told(job, Resume()) == [
        ("first", "kept", "checkpoint: its effect is on disk"),
        (
            "second",
            "not reached",
            "argument 'given' is path of the output of first, which has frames",
        ),
    ]
    assert told(job, Resume(from_script="first"))[1] == ("second", "runs", "")


def test_a_session_that_ends_for_a_long_wait_keeps_no_memory() -> None:
    scripts = (
        Script("open", LibraryScript("open")),
        Script("bake", LibraryScript("bake"), retries=Retries(2, 60)),
    )
    job = Job("shot", scripts)
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    opened = events.SessionOpened(at=0, run="main-1", session="main", uid="u", scripts=())
    job.record(opened)
    job.record(job.script_event(events.ScriptStarted, "open", 1, 0))
    job.record(job.script_event(events.ScriptSucceeded, "open", 1, 1))
    job.warm = frozenset({"open"})
    job.record(job.script_event(events.ScriptStarted, "bake", 1, 1))
    assert [fate for _, fate, _ in told(job)] == ["kept", "runs now"]
    cause = Cause(Reason.EXCEPTION)
    job.record(job.script_event(events.ScriptFailed, "bake", 1, 2, cause=cause))
    assert [fate for _, fate, _ in told(job)] == ["runs again", "runs"]
    assert [fate for _, fate, _ in told(job, Retry())] == ["kept", "runs"]


def test_what_runs_is_said_apart_from_what_starts() -> None:
    job = shot()
    job.record(events.JobResumed(at=3))
    opened = events.SessionOpened(at=3, run="main-1", session="main", uid="u", scripts=("open",))
    job.record(opened)
    job.record(job.script_event(events.ScriptStarted, "open", 2, 4))
    assert told(job)[:2] == [
        ("open", "runs now", ""),
        ("cache", "runs again", "its work was in memory, which is lost"),
    ]
    job.record(job.script_event(events.ScriptSucceeded, "open", 2, 5))
    assert told(job)[0] == ("open", "kept", "its work is in the memory of the session that runs")


def test_a_forecast_changes_nothing_and_refuses_what_is_not_possible() -> None:
    job = shot()
    before = job.copy()
    forecast(job, Resume(from_script="open"))
    assert job == before
    with pytest.raises(InvalidAction, match="job shot is Failed: resume it and skip 'open'"):
        forecast(job, Skip(script="open"))
