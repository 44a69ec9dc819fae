"""What the page says of a job whose end is decided, while and after its finally scripts run."""

from __future__ import annotations

from dataclasses import replace

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.job_page import JobPage, job_page
from enso_operator.http_api.web.views.scripts import ShownScript
from enso_operator.http_api.web.views.standing import Standing
from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Cancel
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import LibraryScript, Script, When
from tests.support.job_story import Story
from tests.unit.operator.kube.status.test_simulation import through_status

BROKE = Cause("Exception", "the cache is full", "OSError")


def _story(**finals: Retries) -> Story:
    simulate = Script("simulate", LibraryScript("simulate"))
    story = Story.of(
        simulate,
        *(
            replace(simulate, name=name, session="finally", when=When.ALWAYS, retries=retries)
            for name, retries in (finals or {"cleanup": Retries()}).items()
        ),
    )
    story.opens("main-1", "simulate")
    return story


def _failed(**finals: Retries) -> Story:
    story = _story(**finals)
    story.fails("simulate", BROKE, 8)
    story.job_fails("simulate", BROKE)
    return story


def _page(story: Story) -> JobPage:
    job = story.job
    return job_page(JobSnapshot(job.id, str(job.state), failure_card(job), job), story.at)


def _shown(story: Story, name: str) -> ShownScript:
    return next(script for script in _page(story).scripts if script.name == name)


def test_a_job_ends_with_its_finally_scripts_and_ran_no_longer_than_that() -> None:
    story = _failed()
    story.opens("finally-1", "cleanup")
    story.at += 2
    story.succeeds("cleanup", 5)
    story.closes()
    page = _page(story)
    assert page.started_at
    assert page.ended_at
    assert page.ended_at == story.at
    assert page.timeline
    assert page.timeline.end == page.ended_at
    assert page.times
    assert page.times.ran <= page.ended_at - page.started_at


def test_it_ends_no_earlier_than_a_script_by_the_clock_of_its_session() -> None:
    story = _failed()
    story.opens("finally-1", "cleanup")
    story.succeeds("cleanup", 5)
    end = story.at
    story.at -= 3
    story.closes()
    assert _page(story).ended_at == end


def test_while_it_cleans_up_it_says_so_and_has_not_ended() -> None:
    story = _failed()
    told = list[tuple[str, str, bool]]()
    for step in (
        lambda: None,
        lambda: story.opens("finally-1", "cleanup"),
        lambda: story.starts("cleanup"),
        lambda: story.ends("cleanup"),
        story.closes,
    ):
        step()
        page = _page(story)
        told.append((page.standing.word, page.standing.message, page.ended_at is None))
    assert told == [
        ("Failed, cleaning up", "cleanup is about to run.", True),
        ("Failed, cleaning up", "cleanup is about to run.", True),
        ("Failed, cleaning up", "cleanup is running.", True),
        ("Failed, cleaning up", "", True),
        ("Failed", "", False),
    ]


def test_a_retry_of_a_finally_script_does_not_hide_how_the_job_ended() -> None:
    story = _failed(cleanup=Retries(limit=1, backoff_seconds=30))
    story.opens("finally-1", "cleanup")
    story.fails("cleanup", BROKE)
    standing = _page(story).standing
    assert (standing.look, standing.word) == ("Failed", "Failed, cleaning up")
    assert standing.retry
    assert (standing.retry.script, standing.retry.attempt) == ("cleanup", 2)


def test_a_finally_script_that_was_cancelled_says_so() -> None:
    story = _failed(cleanup=Retries(), tidy=Retries())
    story.opens("finally-1", "cleanup", "tidy")
    story.starts("cleanup")
    story.job.obey(Cancel(), story.at)
    assert _page(story).standing.message == "cleanup is being stopped."
    assert _shown(story, "cleanup").note == "is being stopped"
    assert _shown(story, "tidy").note == "cancelled before it began"

    story.breaks("cleanup", Cause(Reason.CANCELLED, "it was ended"))
    story.closes()
    message = "Cleaning up was cancelled: tidy did not run."
    assert _page(story).standing == Standing("Failed", "Failed", message)
    assert (_shown(story, "cleanup").state, _shown(story, "cleanup").note) == ("Cancelled", "")


def test_a_finally_script_that_is_not_for_such_an_end_was_not_cancelled() -> None:
    story = _story()
    story.job.redefine(
        replace(
            story.job.definition,
            scripts=tuple(
                replace(script, when=When.SUCCEEDED) if script.is_final else script
                for script in story.job.scripts
            ),
        )
    )
    story.fails("simulate", BROKE)
    story.job_fails("simulate", BROKE)
    assert (_page(story).standing.word, _shown(story, "cleanup").note) == ("Failed", "")


def test_a_script_that_waited_for_a_retry_when_the_job_was_cancelled_is_tried_no_more() -> None:
    story = Story.of(
        Script("open", LibraryScript("open"), retries=Retries(limit=2, backoff_seconds=40)),
        Script("tidy", LibraryScript("tidy"), session="finally", when=When.ALWAYS),
    )
    story.opens("main-1", "open")
    story.fails("open", BROKE)
    story.job.obey(Cancel(), story.at)
    assert _shown(story, "open").note == ""


def test_a_job_whose_end_only_the_session_delays_has_not_ended_either() -> None:
    story = _story()
    story.starts("simulate")
    story.job.obey(Cancel(without_finally=True), story.at)
    assert _page(story).ended_at is None
    story.record(events.SessionEnded(at=story.at + 4, run="main-1", cause=None))
    assert _page(story).ended_at == story.at + 4


def test_a_job_that_was_restored_from_its_status_cleans_up_in_the_same_words() -> None:
    story = _failed()
    told = list[list[tuple[Standing, float | None]]]()
    for step in (
        lambda: story.opens("finally-1", "cleanup"),
        lambda: story.starts("cleanup"),
        lambda: story.job.obey(Cancel(), story.at),
        lambda: story.breaks("cleanup", Cause(Reason.CANCELLED, "it was ended")),
        story.closes,
    ):
        step()
        jobs = story.job, through_status(story.job)
        pages = [job_page(JobSnapshot(job.id, str(job.state), None, job), 10) for job in jobs]
        told.append([(page.standing, page.ended_at) for page in pages])
    assert [one for one, other in told if one != other] == []
    assert told[-1][0][1]
