"""A start is told where its script still runs a moment later, and before whatever follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enso_operator.controller.delayed_starts import DELAY_SECONDS
from enso_operator.controller.event_publisher import EventPublisher
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.status.size import document_of
from enso_operator.kube.status.write import status_of
from enso_operator.observability.metrics import Metrics
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.domain.job import Job
from tests.support.job_history import JobHistory
from tests.support.jobs import FakeClock
from tests.support.kept_events import KeptEvents
from tests.support.resources import EMPTY, of_scripts

BEGIN = ["JobAdded", "JobStarted", "SessionOpened"]


class Story:
    """A job whose only session is open; what happens in it is told and committed."""

    def __init__(self, scripts: int = 3) -> None:
        self.board, self.clock = KeptEvents(), FakeClock()
        metadata = {"namespace": "shows", "uid": "u", "resourceVersion": "1", "generation": 1}
        self.document = of_scripts(*[EMPTY] * scripts)
        self.document["metadata"] |= metadata | {"creationTimestamp": "2026-11-26T12:00:00Z"}
        self.history = JobHistory(EnsoJobObject(self.document).job())
        self.announced = self.committed = 1  # that it was added is told with the first news
        self.publisher = self.new_operator()
        self.tell()
        self.history.opens("main")
        self.tell()
        self.commit()

    @property
    def job(self) -> Job:
        return self.history.job

    def new_operator(self) -> EventPublisher:
        """Return the publisher of an operator that has just read the job."""
        ensojob = EnsoJobObject(self.document)
        self.publisher = EventPublisher(
            ensojob, self.board, Metrics(), self.clock, lambda _job, _events: None
        )
        return self.publisher

    def crash(self) -> None:
        """End the operator; another one reads the job, and what was not committed happens anew."""
        late = self.job.events[self.committed :]
        self.history = JobHistory(EnsoJobObject(self.document).job(), self.history.at)
        self.announced = self.committed = len(self.job.events)
        self.new_operator()
        for event in late:
            self.job.apply(event)

    def tell(self) -> None:
        asyncio.run(self.publisher.announce(self.job, self.job.events[self.announced :]))
        self.announced = len(self.job.events)

    def commit(self) -> None:
        before = EnsoJobObject(self.document).status
        status = status_of(self.job, 1, before, spec_digest=None)
        self.document = self.document | {"status": document_of(status)}
        self.publisher.ensojob = EnsoJobObject(self.document)
        self.publisher.committed(self.job, self.job.events[self.committed :])
        self.committed = len(self.job.events)

    def starts(self, script: str = "script-0") -> None:
        self.history.record_in_session(events.ScriptStarted, script)
        self.tell()

    def succeeds(self, script: str = "script-0") -> None:
        self.history.record_in_session(events.ScriptSucceeded, script, seconds=1)
        self.tell()

    def waits(self) -> None:
        self.clock.sleep(DELAY_SECONDS)
        self.tell()

    @property
    def due(self) -> float:
        """When the next start is told; 0 where none waits."""
        return self.publisher.due or 0.0

    @property
    def told(self) -> list[str]:
        """The reasons of the Events in the order in which they were posted, without the begin."""
        reasons = [event["reason"] for event in self.board.stored.values()]
        assert reasons[:3] == BEGIN
        return reasons[3:]


@pytest.fixture
def story() -> Story:
    return Story()


def test_fifty_quick_scripts_have_fifty_events_fewer() -> None:
    story = Story(scripts=50)
    for script in story.job.rows:
        story.starts(script)
        story.commit()
        story.succeeds(script)
        story.commit()
    story.history.ends()
    story.history.record(events.JobSucceeded)
    story.tell()
    assert story.told == [*["ScriptSucceeded"] * 50, "SessionEnded", "JobSucceeded"]
    assert story.board.attempts == len(story.board.stored)


def test_a_script_that_still_runs_is_told_before_its_outcome(story: Story) -> None:
    story.starts()
    assert story.due == story.clock.now() + DELAY_SECONDS
    story.clock.sleep(DELAY_SECONDS / 2)
    story.tell()
    assert story.told == []
    story.waits()
    assert story.told == ["ScriptStarted"]
    assert not story.due
    story.succeeds()
    assert story.told == ["ScriptStarted", "ScriptSucceeded"]


def test_where_the_outcome_is_seen_late_it_alone_is_told(story: Story) -> None:
    story.starts()
    story.clock.sleep(60)
    story.succeeds()
    story.waits()
    assert story.told == ["ScriptSucceeded"]


def test_an_interrupted_script_is_told_by_its_outcome(story: Story) -> None:
    story.starts()
    lost = Cause("SessionLost", "its Pod is gone")
    story.history.record_for_script(events.ScriptInterrupted, "script-0", cause=lost)
    story.history.ends(lost)
    story.tell()
    assert story.told == ["ScriptInterrupted", "SessionEnded"]


def test_whatever_else_happens_is_told_after_the_start(story: Story) -> None:
    story.starts()
    story.history.record(events.JobPaused, by="ann")
    story.tell()
    assert story.told == ["ScriptStarted", "JobPaused"]
    story.succeeds()
    assert story.told == ["ScriptStarted", "JobPaused", "ScriptSucceeded"]


def test_what_keeps_the_job_from_going_on_is_told_after_the_start(story: Story) -> None:
    story.starts()
    asyncio.run(story.publisher.report_blocked(story.job, "the quota is used up"))
    assert story.told == ["ScriptStarted", "NotGoingOn"]


@pytest.mark.parametrize("was_told", [True, False])
def test_the_next_operator_tells_of_a_script_that_runs_once(story: Story, was_told: bool) -> None:
    story.starts()
    story.commit()
    if was_told:
        story.waits()
    story.crash()
    story.tell()
    assert story.told == ["ScriptStarted"] * was_told
    story.waits()
    assert story.told == ["ScriptStarted"]
    story.succeeds()
    assert story.told == ["ScriptStarted", "ScriptSucceeded"]


def test_a_script_that_ended_while_no_operator_looked_is_told_by_its_outcome(story: Story) -> None:
    story.starts()
    story.commit()
    story.crash()
    story.succeeds()
    assert story.told == ["ScriptSucceeded"]


def test_a_start_from_before_a_resume_is_not_told_after_it(story: Story) -> None:
    story.starts()
    story.history.record(events.JobCancelled)
    story.history.record(events.JobResumed, by="ann")
    story.tell()
    story.commit()
    story.crash()
    story.waits()
    assert story.told == ["ScriptStarted", "JobCancelled", "JobResumed"]


def test_a_start_that_could_not_be_told_is_told_later(story: Story) -> None:
    story.starts()
    story.board.is_unavailable = True
    with pytest.raises(Unavailable):
        story.waits()
    story.board.is_unavailable = False
    story.tell()
    assert story.told == ["ScriptStarted"]


def test_a_commit_that_failed_doubles_and_delays_nothing(story: Story) -> None:
    story.starts()
    story.succeeds()
    story.starts("script-1")
    due = story.due
    story.clock.sleep(DELAY_SECONDS / 2)
    story.announced = story.committed
    story.tell()
    assert story.due == due
    assert story.told == ["ScriptSucceeded"]
    story.waits()
    story.announced = story.committed
    story.waits()
    story.commit()
    story.waits()
    assert story.told == ["ScriptSucceeded", "ScriptStarted"]


STEPS: dict[str, Callable[[Story], None]] = {
    "commit": Story.commit,
    "crash": Story.crash,
    "tell": Story.tell,
    "wait": Story.waits,
    "pause": lambda story: story.history.record(events.JobPaused, by="ann"),
    "unpause": lambda story: story.history.record(events.JobUnpaused, by="ann"),
}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.sampled_from([*STEPS]), max_size=4), min_size=6, max_size=6))
def test_no_story_is_out_of_order_and_no_outcome_is_missing(between: list[list[str]]) -> None:
    """Whatever comes between starts and outcomes: told things, crashes and pauses."""
    story = Story()
    moments = iter(between)
    for script in story.job.rows:
        for happens in (story.starts, story.succeeds):
            happens(script)
            for step in next(moments):
                STEPS[step](story)
    story.history.record(events.JobUnpaused)
    story.history.ends()
    story.history.record(events.JobSucceeded)
    story.tell()
    ours = [event for event in story.board.stored.values() if "Script" in event["reason"]]
    messages = [event["message"].partition(", attempt")[0] for event in ours]
    assert messages == sorted(messages)
    assert [*map(str, story.told)].count("ScriptSucceeded") == 3
    for event, later in pairwise(ours):
        if event["reason"] == "ScriptStarted":
            assert later["reason"] == "ScriptSucceeded"
    assert story.told[-2:] == ["SessionEnded", "JobSucceeded"]
