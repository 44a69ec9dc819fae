"""A run that is followed: its Pod's states and its log, as a test wants them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.sessions.pods import state
from enso_operator.sessions.pods.container import ContainerFollower
from enso_operator.sessions.pods.follower import PodFollower
from enso_operator.sessions.pods.logs import NoLog, PodLogs
from enso_operator.sessions.pods.pod_api import PodApi
from enso_operator.sessions.pods.run_ref import PodGone, RunRef
from enso_operator.settings import PodSettings
from job_execution_framework.domain import events
from job_execution_framework.domain.errors import EnsoError
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.steps import SessionControl
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.records import Record, to_line
from tests.support.pods import Document

SUBJECT = RunRef("main-1", "shot-main-1-abcde", "pod-uid", ("open", "save"))
SETTINGS = PodSettings(records_image="enso", pull_patience_seconds=0)


def started(script: str, seq: int) -> events.ScriptStarted:
    number = SUBJECT.scripts.index(script) + 1
    return events.ScriptStarted(
        at=1, origin="main-1", seq=seq, script=script, number=number, of=2, attempt=1
    )


def line(record: Record) -> bytes:
    return to_line(record).removesuffix(b"\n")


@dataclass
class Node:
    """A Pod that goes from one state to the next, and its log, which is read again and again."""

    states: Sequence[Document | None]
    logs: Sequence[list[bytes] | EnsoError] = ()
    """What the log holds each time that it is read, or what keeps it from being read."""
    then: EnsoError = field(default_factory=lambda: NoLog("404"))
    """What keeps it from being read after that."""
    deleted: int = 0
    expired: int = 0
    given_up: int = 0
    warned: list[Document] = field(default_factory=list[Document])
    told: list[str] = field(default_factory=list[str])
    refused: int = 0
    """How often a log was asked for that was not there yet."""

    def get(self, name: str) -> Document | None:
        assert name == SUBJECT.pod
        return self.states[0]

    def delete(self, name: str, uid: str) -> None:
        assert (name, uid) == (SUBJECT.pod, SUBJECT.uid)
        self.deleted += 1

    def expire(self, name: str, uid: str) -> None:
        assert (name, uid) == (SUBJECT.pod, SUBJECT.uid)
        self.expired += 1

    def give_up(self, pod: Document) -> bool:
        assert pod["metadata"]["uid"] == SUBJECT.uid
        self.given_up += 1
        return True

    def warnings(self, uid: str) -> list[Document]:
        assert uid == SUBJECT.uid
        return self.warned

    def tell(self, name: str, uid: str, word: str) -> None:
        assert (name, uid) == (SUBJECT.pod, SUBJECT.uid)
        self.told.append(word)

    async def follow(self, namespace: str, name: str, container: str) -> AsyncIterator[list[bytes]]:
        assert (namespace, name, container) == ("shows", SUBJECT.pod, "records")
        await asyncio.sleep(0)
        if (now := self.states[0]) and not state.records_have_begun(now):
            self.refused += 1
            raise NoLog("400")
        log, self.logs = (self.logs[0] if self.logs else self.then), self.logs[1:]
        if isinstance(log, EnsoError):
            raise log
        yield log

    namespace = "shows"


@dataclass
class Told:
    records: list[Event]
    ended: Ended
    places: list[SessionLocation]

    @property
    def place(self) -> SessionLocation:
        """Where the session was last."""
        return self.places[-1] if self.places else SessionLocation()


def follow(
    node: Node,
    *,
    container: bool = False,
    word: SessionControl | None = None,
    timeout: float | None = None,
    patience: float = 0,
    after: int = 0,
    settle: float = 0,
    began_at: float | None = None,
) -> Told:
    """Follow the run while the node's Pod goes through its states."""

    async def run() -> Told:
        places: list[SessionLocation] = []
        calls, logs = cast("PodApi", node), cast("PodLogs", node)
        settings = SETTINGS.model_copy(update={"pull_patience_seconds": patience})
        subject = replace(SUBJECT, after=after, settle_seconds=settle, began_at=began_at)
        given = (subject, calls, logs, settings, SystemClock(), places.append)
        follower = ContainerFollower(*given, timeout) if container else PodFollower(*given)
        if word:
            follower.tell(word)
        seen: list[Observations] = []
        async with asyncio.timeout(20):
            async for one in follower.observations():
                seen.append(one)
                if len(node.states) > 1:
                    await asyncio.sleep(0.02)  # the log is read meanwhile
                    last, *node.states = node.states
                    now = node.states[0]
                    follower.inbox.put_nowait(now or PodGone(last))
        last_one = seen[-1].ended
        assert last_one
        records = [event for one in seen for event in one.records]
        return Told(records, last_one, places)

    return asyncio.run(run())
