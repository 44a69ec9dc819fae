"""Follows a session run; a test defines the states of its Pod, and its log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.sessions.pods import state
from enso_operator.sessions.pods.container import ContainerFollower
from enso_operator.sessions.pods.follower import PodFollower
from enso_operator.sessions.pods.inbox import PodGone, PodSeen
from enso_operator.sessions.pods.logs import NoLog, PodLogs
from enso_operator.sessions.pods.pod_api import PodApi
from enso_operator.sessions.pods.pod_warnings import Warned
from enso_operator.sessions.pods.run_ref import RunRef
from enso_operator.sessions.pods.shared_reads import SharedReads
from enso_operator.settings import PodSettings
from job_execution_framework.domain import events
from job_execution_framework.domain.control import SessionControl
from job_execution_framework.domain.errors import EnsoError
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.row import Attempt
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.records import Record, to_line
from tests.support.eventually import DEADLINE_SECONDS
from tests.support.pods import Document

RUN = RunRef("main-1", "shot-main-1-abcde", "pod-uid", ("open", "save"))
SETTINGS = PodSettings(records_image="enso", pull_patience_seconds=0)


def started(script: str, seq: int) -> events.ScriptStarted:
    number = RUN.scripts.index(script) + 1
    return events.ScriptStarted(
        at=1, origin="main-1", seq=seq, script=script, number=number, of=2, attempt=1
    )


def line(record: Record) -> bytes:
    return to_line(record).removesuffix(b"\n")


@dataclass
class Node:
    """A Pod that changes its state at each read, and its log, which changes at each read, too."""

    states: Sequence[Document | None]
    logs: Sequence[list[bytes] | EnsoError] = ()
    """The log's lines at each read, or the error that the read raises."""
    later_error: EnsoError = field(default_factory=lambda: NoLog("404"))
    """The error of all later reads."""
    deleted: int = 0
    expired: int = 0
    given_up: int = 0
    warned: Warned | EnsoError | None = None
    """What the Events of the Pod say, or the error of whoever reads them."""
    event_reads: int = 0
    event_seconds: float = 0
    """How long it takes to read them."""
    controls: list[SessionControl] = field(default_factory=list[SessionControl])
    refused: int = 0
    """How often a read found no log yet."""

    def get(self, name: str) -> Document | None:
        assert name == RUN.pod
        return self.states[0]

    def delete(self, name: str, uid: str) -> None:
        assert (name, uid) == (RUN.pod, RUN.uid)
        self.deleted += 1

    def expire(self, name: str, uid: str) -> None:
        assert (name, uid) == (RUN.pod, RUN.uid)
        self.expired += 1

    def give_up(self, pod: Document) -> bool:
        assert pod["metadata"]["uid"] == RUN.uid
        self.given_up += 1
        return True

    async def warnings(self, namespace: str, uids: Collection[str]) -> dict[str, Warned]:
        assert (namespace, {*uids}) == (self.namespace, {RUN.uid})
        self.event_reads += 1
        await asyncio.sleep(self.event_seconds)
        if isinstance(self.warned, EnsoError):
            raise self.warned
        return {RUN.uid: self.warned} if self.warned else {}

    def send_control(self, name: str, uid: str, control: SessionControl) -> None:
        assert (name, uid) == (RUN.pod, RUN.uid)
        self.controls.append(control)

    async def follow(
        self, namespace: str, name: str, container: str
    ) -> AsyncGenerator[list[bytes]]:
        assert (namespace, name, container) == ("shows", RUN.pod, "records")
        await asyncio.sleep(0)
        if (now := self.states[0]) and not state.records_have_begun(now):
            self.refused += 1
            raise NoLog("400")
        log, self.logs = (self.logs[0] if self.logs else self.later_error), self.logs[1:]
        if isinstance(log, EnsoError):
            raise log
        yield log

    namespace = "shows"


@dataclass
class Followed:
    """The results of following a run."""

    records: list[Event]
    ended: Ended
    locations: list[SessionLocation]

    @property
    def location(self) -> SessionLocation:
        """The last known location of the session."""
        return self.locations[-1] if self.locations else SessionLocation()


def follow(
    node: Node,
    *,
    container: bool = False,
    control: SessionControl | None = None,
    timeout: float | None = None,
    patience: float = 0,
    after: int = 0,
    settle: float = 0,
    attempt: Attempt | None = None,
) -> Followed:
    """Follow the run while the node's Pod goes through its states."""

    async def run() -> Followed:
        locations: list[SessionLocation] = []
        api, logs = cast("PodApi", node), cast("PodLogs", node)
        settings = SETTINGS.model_copy(update={"pull_patience_seconds": patience})
        run_ref = replace(RUN, after=after, settle_seconds=settle, attempt=attempt)
        reads = SharedReads(node.warnings)
        arguments = (run_ref, api, logs, reads, settings, SystemClock(), locations.append)
        follower = ContainerFollower(*arguments, timeout) if container else PodFollower(*arguments)
        if control:
            follower.on_control(control)
        observed: list[Observations] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for observations in follower.observations():
                observed.append(observations)
                if len(node.states) > 1:
                    await asyncio.sleep(0.02)  # the log is read meanwhile
                    last, *node.states = node.states
                    now = node.states[0]
                    follower.inbox.put_nowait(PodSeen(now) if now else PodGone(last))
        ended = observed[-1].ended
        assert ended
        records = [event for observations in observed for event in observations.records]
        return Followed(records, ended, locations)

    return asyncio.run(run())
