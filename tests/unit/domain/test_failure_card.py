"""The failure card: everything that a person needs, in one place, in at most 1 KiB."""

from __future__ import annotations

from dataclasses import replace

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Frame, Reason
from job_execution_framework.domain.failure_card import FailureCard, failure_card
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import LibraryScript, Script
from job_execution_framework.domain.secret import Secret
from job_execution_framework.service_layer.runner import Result
from tests.support.coordinator import Coordinator
from tests.support.jobs import job_of
from tests.support.sessions import FAILS, TIMES_OUT

CAUSE = Cause(
    Reason.EXCEPTION,
    "cache exceeded 2 GiB",
    error="MemoryError",
    at=Frame("/lib/simulate.py", 88, "main", "solver.step(frame)"),
    said=("frame 71", "frame 72"),
    said_lines=18204,
)


def failed(cause: Cause, **parameters: object) -> Job:
    scripts = (
        Script("open", LibraryScript("open"), setup=True),
        Script("simulate", LibraryScript("simulate"), parameters),
        Script("publish", LibraryScript("publish")),
    )
    job = Job("shot", scripts)
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    job.record(job.script_event(events.ScriptStarted, "open", 1, 0))
    job.record(job.script_event(events.ScriptSucceeded, "open", 1, 1))
    job.record(job.script_event(events.ScriptStarted, "simulate", 1, 1))
    job.record(job.script_event(events.ScriptFailed, "simulate", 1, 42, cause=cause, seconds=41.2))
    job.record(events.JobFailed(at=42, cause=cause, script="simulate"))
    return job


def card(job: Job) -> FailureCard:
    made = failure_card(job, on="render-12", log="/log", resume="enso run shot.yaml --resume")
    assert made
    return made


def test_a_card_says_which_script_with_what_why_and_how_to_go_on() -> None:
    made = card(failed(CAUSE, frames=240, token=Secret("canary")))
    assert made.why == (
        "simulate (2 of 3), attempt 1, failed after 41 s",
        "  MemoryError: cache exceeded 2 GiB",
        "at      /lib/simulate.py, line 88 in main: solver.step(frame)",
        "args    frames=240 token=***",
        "on      render-12",
        "said    18204 lines; the last of them:",
        "  frame 71",
        "  frame 72",
        "log     /log",
        "resume  enso run shot.yaml --resume",
        "        runs open (setup), simulate, publish",
    )
    assert made.line == (
        "simulate failed: MemoryError: cache exceeded 2 GiB; args frames=240 token=***; "
        "attempt 1, 41 s; resume: enso run shot.yaml --resume"
    )


def test_the_first_failure_is_shown_in_full_and_others_with_a_line_each() -> None:
    coordinator = Coordinator(
        job_of("open do.continue publish.continue save"), {"do:1": FAILS, "publish:1": TIMES_OUT}
    )
    coordinator.drive()
    made = card(coordinator.job)
    assert made.why == (
        "do (2 of 4), attempt 1, failed after 0 ms",
        "  ValueError: it broke",
        "on      render-12",
        "also    publish: Timeout: 1 s",
        "log     /log",
        "resume  enso run shot.yaml --resume",
        "        runs open (again), do, publish",
    )
    assert "; also failed: publish; resume: " in made.line


def test_of_many_failures_only_some_have_a_line_and_the_card_stays_small() -> None:
    names = [f"check-{number}" for number in range(90)]
    scripts = " ".join(f"{name}.continue" for name in names)
    fails = Result(cause=Cause(Reason.EXCEPTION, "x" * 900, error="ValueError"))
    coordinator = Coordinator(job_of(scripts), {f"{name}:1": fails for name in names})
    coordinator.drive()
    made = card(coordinator.job)
    assert "also    84 more" in made.why
    assert len("\n".join(made.why).encode()) <= 1024


def test_a_script_that_never_started_has_no_attempt() -> None:
    cause = Cause(Reason.CONFIG_ERROR, 'secret "tracker" not found')
    job = Job("shot", (Script("open", LibraryScript("open")),))
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    job.record(events.JobFailed(at=42, cause=cause, script="open"))
    made = card(job)
    sentence = 'secret "tracker" not found'
    assert made.line.startswith(f"open did not start: ConfigError: {sentence}; resume: ")
    assert made.why[:2] == (f"open did not start: ConfigError: {sentence}", "log     /log")


def test_a_script_of_a_library_without_files_is_named_and_not_a_sessions_copy_of_it() -> None:
    copy = Frame("/enso/run/scripts/enso_script_simulate.py", 88, "main", "solver.step(frame)")
    made = card(failed(replace(CAUSE, at=copy)))
    assert "at      simulate, line 88 in main: solver.step(frame)" in made.why


def test_a_reason_that_is_no_exception_is_named() -> None:
    made = card(failed(Cause(Reason.TIMEOUT, "ran longer than 40 s")))
    assert made.why[0] == "simulate (2 of 3), attempt 1, failed after 41 s: Timeout"
    assert made.why[1] == "  ran longer than 40 s"


def test_the_largest_card_is_one_kibibyte_and_keeps_its_ends() -> None:
    cause = Cause(
        Reason.EXCEPTION,
        "\n".join(["é" * 300] * 20),
        error="ValueError",
        said=("x" * 300,) * 5,
        said_lines=5,
    )
    made = card(failed(cause, path="/" + "p" * 5000, other=["q" * 300] * 100))
    assert len("\n".join(made.why).encode()) <= 1024
    assert made.why[0].startswith("simulate (2 of 3)")
    assert made.why[-1].endswith("simulate, publish")
    assert "\n" not in made.line


def test_what_an_exception_came_from_stands_below_it() -> None:
    cause = Cause(
        *(Reason.EXCEPTION, "publish", "PublishError"),
        root="caused by OSError: no disk",
    )
    made = card(failed(cause))
    assert made.why[1:3] == ("  PublishError: publish", "  caused by OSError: no disk")
    assert "simulate failed: PublishError: publish; caused by OSError: no disk; " in made.line


def test_a_headline_is_one_line_whatever_it_is_made_of() -> None:
    text = "a\nb\u2028c\x85d\re\x0bf"
    cause = Cause("Exception", text, text, Frame(text, 1, text, text), said=(text,), root=text)
    job = failed(cause, note=text, deep={text: [text]})
    made = failure_card(job, on=text, log=text, resume=text)
    assert made
    assert len(made.line.splitlines()) == 1
    assert [line.splitlines() for line in made.why] == [[line] for line in made.why]


ARGV = "the command " + " ".join(f"--frame={number}" for number in range(60))


def test_a_long_message_gives_way_before_the_last_line_that_was_said() -> None:
    cause = Cause(
        *(Reason.EXCEPTION, f"{ARGV} returned non-zero exit status 2.", "CalledProcessError"),
        at=Frame("/lib/simulate.py", 88, "main", f"run({ARGV})"),
        said=(*("x" * 300 for _ in range(4)), "ERROR: no licence for hython on licence-01"),
        said_lines=71,
    )
    made = card(failed(cause, frames=240))
    assert len("\n".join(made.why).encode()) <= 1024
    assert made.why[1].startswith("  CalledProcessError: the command --frame=0 ")
    assert "  ERROR: no licence for hython on licence-01" in made.why
    assert "args    frames=240" in made.why
    assert made.why[-2:] == (
        "resume  enso run shot.yaml --resume",
        "        runs open (setup), simulate, publish",
    )


def test_a_card_that_fits_is_not_cut() -> None:
    cause = Cause(Reason.EXCEPTION, "m" * 200, "ValueError", said=("a" * 200, "b" * 200))
    made = card(failed(cause))
    assert f"  ValueError: {'m' * 200}" in made.why
    assert f"  {'a' * 200}" in made.why


def test_a_job_that_failed_at_no_script_has_a_card_too() -> None:
    job = failed(CAUSE)
    job.record(events.JobResumed(at=50))
    late = Cause(Reason.DEADLINE_EXCEEDED, "the job took longer than its 60 s")
    job.record(events.JobFailed(at=120, cause=late))
    assert card(job).why[0] == ("job failed: DeadlineExceeded: the job took longer than its 60 s")


@pytest.mark.parametrize("reason", [Reason.CANCELLED, "Cancelled"], ids=["new", "stored"])
def test_what_the_end_of_the_job_stopped_is_no_other_failure(reason: str) -> None:
    late = Cause(Reason.DEADLINE_EXCEEDED, "the job took longer than its 60 s, at open")
    job = Job("shot", (Script("open", LibraryScript("open")),))
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    job.record(job.script_event(events.ScriptStarted, "open", 1, 0))
    stopped = Cause(reason, "it was stopped")
    job.record(job.script_event(events.ScriptFailed, "open", 1, 61, cause=stopped, seconds=60))
    job.record(events.JobFailed(at=61, cause=late))
    made = card(job)
    assert "also" not in made.line
    assert not any(line.startswith("also") for line in made.why)


def test_the_arguments_of_an_attempt_are_those_it_was_started_with() -> None:
    job = failed(CAUSE, frames=1)
    changed = Job("shot", (job.scripts[0], replace(job.scripts[1], parameters={"evil": 666})))
    for event in job.events:
        changed.apply(event)
    made = card(changed)
    assert "; args frames=1; " in made.line
    assert "args    frames=1" in made.why


def test_a_job_that_did_not_fail_has_no_card() -> None:
    assert failure_card(Job("shot", (Script("open", LibraryScript("open")),))) is None


def test_an_attempt_whose_start_is_unknown_has_no_duration() -> None:
    lost = Cause(Reason.SESSION_LOST, "its Pod is gone")
    job = Job("shot", (Script("open", LibraryScript("open")),))
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    job.record(job.script_event(events.ScriptInterrupted, "open", 1, 5, cause=lost))
    job.record(events.JobFailed(at=5, cause=lost, script="open"))
    made = card(job)
    assert made.why[0] == (
        "open (1 of 1), attempt 1, interrupted, not known to have begun: SessionLost"
    )
    assert "; attempt 1, not known to have begun; resume: " in made.line


def test_of_a_hundred_scripts_the_first_ones_that_a_resume_runs_are_named() -> None:
    scripts = tuple(Script(f"script-{i:03}-{'x' * 40}", LibraryScript("a")) for i in range(100))
    job = Job("shot", scripts)
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    first = scripts[0].name
    job.record(job.script_event(events.ScriptStarted, first, 1, 0))
    job.record(job.script_event(events.ScriptFailed, first, 1, 1, cause=CAUSE))
    job.record(events.JobFailed(at=1, cause=CAUSE, script=first))
    made = card(job)
    assert made.why[-1] == (f"        runs {scripts[0].name}, {scripts[1].name} and 98 more")
    assert "  frame 71" in made.why  # the names take no room from what the script said
