"""What a job's page shows."""

from __future__ import annotations

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.job_page import JobPage, job_page
from enso_operator.http_api.web.views.scripts import ShownScript
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Frame
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.progress import Progress
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import LibraryScript, Script, When
from job_execution_framework.domain.secret import Secret
from tests.support.job_story import Story

CAUSE = Cause(
    "Exception",
    "2 substeps are too few",
    "ValueError",
    Frame("/tmp/x/enso_script_simulate.py", 4, "main", "raise ValueError(…)"),  # noqa: S108  # a text
    said=("frame 1", "\\x1b[32mframe 2\\x1b[0m"),
    said_lines=90,
    root="caused by SolverError: diverged",
)


def _script(name: str, **args: object) -> Script:
    return Script(name, LibraryScript(f"{name}_it"), args)


def _page(story: Story, now: float | None = None) -> JobPage:
    job = story.job
    snapshot = JobSnapshot(job.id, str(job.state), failure_card(job), job)
    return job_page(snapshot, story.at if now is None else now)


def _shown(page: JobPage, name: str) -> ShownScript:
    return next(script for script in page.scripts if script.name == name)


def test_a_failure_is_shown_in_all_of_its_parts() -> None:
    cook, simulate = _script("cook"), _script("simulate", substeps=2, of=OutputOf("cook", "files"))
    story = Story.of(cook, simulate, _script("publish"))
    story.opens("main-1", "cook", "simulate", "publish")
    story.succeeds("cook", 4, {"files": 240})
    story.fails("simulate", CAUSE, 62)
    story.job_fails("simulate", CAUSE)
    failure = _page(story).failure
    assert failure is not None
    assert (failure.script, failure.place, failure.attempt) == ("simulate", "2 of 3", 1)
    assert (failure.state, failure.seconds) == ("Failed", 62)
    assert (failure.what, failure.message) == ("ValueError", "2 substeps are too few")
    assert (failure.file, failure.line) == ("simulate_it", "line 4 in main")
    assert (failure.root, failure.said_lines) == ("caused by SolverError: diverged", 90)
    substeps, of = failure.arguments
    assert (substeps.name, substeps.text, substeps.taken) == ("substeps", "2", None)
    assert of.taken == OutputOf("cook", "files")
    assert failure.runs == ("cook (again)", "simulate", "publish")
    assert failure.said == ("frame 1", "frame 2")
    assert failure.card[0].startswith("simulate (2 of 3), attempt 1, failed after 1 min 2 s")


def test_a_job_that_cannot_be_read_shows_why() -> None:
    story = Story.of(_script("cook"))
    story.opens("main-1", "cook")
    story.fails("cook", CAUSE)
    story.job_fails("cook", CAUSE)
    card = failure_card(story.job)
    page = job_page(JobSnapshot("broken", "Failed", card, None), story.at)
    assert page.failure is not None
    assert page.failure.message.startswith("cook (1 of 1)")
    assert page.scripts == ()


def test_attempts_tell_their_session_run_and_which_of_them_ran_again() -> None:
    story = Story.of(_script("open"), _script("simulate"))
    story.opens("main-1", "open", "simulate")
    story.succeeds("open", 10)
    story.fails("simulate", CAUSE, 20)
    story.job_fails("simulate", CAUSE)
    story.at += 50_000
    story.record(events.JobResumed(at=story.at, by="mara", why="more memory"))
    story.opens("main-2", "open", "simulate")
    story.succeeds("open", 10)
    story.starts("simulate")
    page = _page(story, now=story.at + 5)

    opened, simulated = _shown(page, "open").attempts, _shown(page, "simulate").attempts
    assert [(one.run, one.is_again) for one in opened] == [("main-1", False), ("main-2", True)]
    assert [(one.run, one.is_again) for one in simulated] == [("main-1", False), ("main-2", False)]
    assert [one.seconds for one in simulated] == [20, None]
    assert simulated[0].why == str(CAUSE)

    bars = [one.bar for one in (*opened, *simulated)]
    assert all(bar is not None and 0 <= bar.left <= 100 for bar in bars)
    assert [bar.width is None for bar in bars if bar] == [False, False, False, True]
    assert all(bar.left + bar.width <= 100 for bar in bars if bar and bar.width is not None)
    assert page.timeline is not None
    assert [band.width is None for band in page.timeline.bands] == [False, True]
    assert bars[-1] is not None
    assert bars[-1].left < page.timeline.position(story.at + 5) < 100
    assert [band.name for band in page.timeline.bands] == ["main-1", "main-2"]
    assert [cut.seconds for cut in page.timeline.cuts] == [50_000]
    assert [(one.what, one.by, one.why) for one in page.requests] == [
        ("resume", "mara", "more memory")
    ]


def test_a_script_that_runs_tells_how_far_it_is() -> None:
    story = Story.of(_script("simulate"))
    story.opens("main-1", "simulate")
    story.starts("simulate")
    story.job.progress = Progress("simulate", 1, 42.5, "frame 12")
    page = _page(story)
    assert page.now_at is not None
    assert (page.now_at.name, page.now_at.progress, page.now_at.message) == (
        "simulate",
        42.5,
        "frame 12",
    )
    assert not page.is_over


def test_what_is_to_come_of_a_failed_attempt_is_said() -> None:
    retried = Script("simulate", LibraryScript("simulate"), retries=Retries(limit=2))
    story = Story.of(retried)
    story.opens("main-1", "simulate")
    story.fails("simulate", CAUSE)
    assert "1 of 2" in _shown(_page(story), "simulate").note
    story.record(
        story.job.script_event(events.SkipRequested, "simulate", 1, story.at, by="mara", why="")
    )
    assert _shown(_page(story), "simulate").note == "will be skipped"


def test_outputs_and_arguments_are_shown_as_they_were_written() -> None:
    values = {"text": "two words", "empty": "", "many": list(range(40)), "pass": Secret("hunter2")}
    story = Story.of(_script("cook", **values))
    story.opens("main-1", "cook")
    story.succeeds("cook", 1, {"files": 240, "path": "/shots/ショット"})
    shown = _shown(_page(story), "cook")
    texts = {value.name: value.text for value in shown.arguments}
    assert (texts["text"], texts["empty"], texts["pass"]) == ("two words", "", "***")
    assert texts["many"].splitlines()[:2] == ["[", "  0,"]
    assert [(value.name, value.text) for value in shown.output] == [
        ("files", "240"),
        ("path", "/shots/ショット"),
    ]


def test_finally_scripts_are_numbered_for_themselves() -> None:
    tell = Script("tell", LibraryScript("tell"), when=When.ALWAYS)
    page = _page(Story.of(_script("cook"), tell))
    assert [script.number for script in page.scripts] == ["1", "f1"]
    assert (page.done, page.total, page.timeline) == (0, 1, None)


def test_what_a_job_waits_for_is_said_where_the_page_does_not_say_it() -> None:
    story = Story.of(_script("simulate"))

    def said(message: str) -> str:
        job = story.job
        return job_page(JobSnapshot(job.id, "Running", None, job, message=message), 0).message

    waits = "main-1 waits: Unschedulable: no node has 64Gi"
    assert said(waits) == waits
    assert said("0 of 1 scripts are done") == ""
    story.opens("main-1", "simulate")
    story.starts("simulate")
    assert said("simulate (1 of 1) runs, attempt 1") == ""
    both = "simulate (1 of 1) may still run, attempt 1; NodeLost: node-3 does not answer"
    assert said(both) == both
