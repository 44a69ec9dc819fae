"""Kubernetes Events of a job: their number is bounded, whatever its scripts do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from enso_operator.controller.event_publisher import (
    A_SECOND,
    AT_ONCE,
    PATIENCE_SECONDS,
    EventPublisher,
)
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.observability.metrics import Metrics
from job_execution_framework.domain import events
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.domain.job import Job
from tests.support.jobs import FakeClock
from tests.support.kept_events import KeptEvents
from tests.support.resources import of_scripts


@dataclass
class PublishedJob:
    board: KeptEvents
    clock: FakeClock
    publisher: EventPublisher
    job: Job

    def tell(self, *told: events.Event) -> None:
        asyncio.run(self.publisher.announce(self.job, told))

    def succeeded(self, first: int, last: int) -> list[events.Event]:
        """Return as many outcomes as one session recorded."""
        return [
            events.ScriptSucceeded(
                at=1, origin="main-1", seq=seq, script="script-0", number=1, of=1, attempt=seq
            )
            for seq in range(first, last + 1)
        ]


@pytest.fixture
def published() -> PublishedJob:
    board, clock = KeptEvents(), FakeClock()
    metadata = {"namespace": "shows", "uid": "u", "resourceVersion": "1", "generation": 1}
    document = of_scripts({})
    document["metadata"] |= metadata | {"creationTimestamp": "2026-11-26T12:00:00Z"}
    job = EnsoJobObject(document).job()
    seen = {"scripts": [{"name": "a", "state": "NotStarted"}]}
    ensojob = EnsoJobObject(document | {"status": seen})
    publisher = EventPublisher(ensojob, board, Metrics(), clock, lambda _job, _events: None)
    return PublishedJob(board, clock, publisher, job)


def test_a_flood_of_records_is_not_one_of_events(published: PublishedJob) -> None:
    published.tell(*published.succeeded(1, 2000))
    published.publisher.committed(published.job, ())
    assert published.board.reasons() == {"ScriptSucceeded": AT_ONCE, "EventsLeftOut": 1}
    published.clock.sleep(10)
    published.tell(*published.succeeded(2001, 5000))
    assert published.board.reasons() == {
        "ScriptSucceeded": AT_ONCE + 10 * A_SECOND,
        "EventsLeftOut": 1,
    }


def test_what_the_coordinator_says_is_always_told(published: PublishedJob) -> None:
    ended = events.JobSucceeded(at=2, origin=events.COORDINATOR, seq=1)
    published.tell(*published.succeeded(1, 2000), ended)
    assert published.board.reasons()["JobSucceeded"] == 1


def test_the_largest_job_that_fails_nowhere_is_told_whole(published: PublishedJob) -> None:
    published.tell(*published.succeeded(1, 200))
    assert published.board.reasons() == {"ScriptSucceeded": 200}


def test_what_was_posted_is_not_posted_again_before_its_commit(published: PublishedJob) -> None:
    published.tell(*published.succeeded(1, 10))
    published.tell()
    published.tell(*published.succeeded(1, 11))
    assert published.board.attempts == 11


def test_an_api_server_that_is_away_is_waited_for_a_while(published: PublishedJob) -> None:
    published.board.is_unavailable = True
    with pytest.raises(Unavailable):
        published.tell(*published.succeeded(1, 1))
    published.clock.sleep(3600)
    published.tell(*published.succeeded(1, 1))
    assert not published.board.stored


def test_a_wait_is_told_for_a_while_also_between_turns_that_tell_nothing(
    published: PublishedJob,
) -> None:
    published.board.is_unavailable = True
    for _ in range(2):
        with pytest.raises(Unavailable):
            asyncio.run(published.publisher.report_blocked(published.job, "no node"))
        published.tell()
        published.clock.sleep(PATIENCE_SECONDS / 2)
    asyncio.run(published.publisher.report_blocked(published.job, "no node"))
