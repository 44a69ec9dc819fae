"""The output of one attempt of a job in a cluster, out of the logs that kubelets keep of its Pods.

A session writes a mark before the output of each attempt, `--- simulate, attempt 2`; the log of a
container script is that of one attempt.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from enso_operator.api.document import Document
from enso_operator.http_api.output import NoOutput, check_script
from enso_operator.kube.client import NoSuchObject
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.streams import Streams
from enso_operator.sessions.pods import names, state
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import Attempt
from job_execution_framework.service_layer import bounded_json

_MARK = re.compile(rb"--- ([a-z0-9-]+), attempt ([0-9]+)\r?\n\Z")
_BEGINS = b"--- "
_LONGEST_MARK = 200
"""Bytes; a longer line is no mark."""
PAUSE_SECONDS = 1.0
"""Before a log is read again whose stream ended before its container did."""
MOST_TRIES = 10
"""How often in a row a log that cannot be read is tried again: its kubelet may restart."""


@dataclass(frozen=True)
class AttemptLogs:
    """Where an attempt may have written, in Pods of its session."""

    job: Job
    script: str
    number: int
    pods: Callable[[], Awaitable[list[Document]]]
    """Lists the Pods of the job."""
    streams: Streams
    where: str = ""
    """The file that has it, of a job that ran beside the operator; "" where that is not known."""

    async def pieces(self, *, is_following: bool) -> AsyncGenerator[bytes]:
        """Yield what the attempt wrote. Raises NoOutput."""
        check_script(self.job, self.script)
        if not 0 < self.number <= self.job.rows[self.script].attempt:
            raise NoOutput(
                f"attempt {self.number} of {self.script!r} has not begun: nothing was written"
            )
        is_following = is_following and self.job.is_running(self.script, self.number)
        for pod in self._likely_first(await self.pods()):
            is_there = False
            async with aclosing(self._of_pod(pod, is_following=is_following)) as found:
                async for piece in found:
                    is_there = True
                    if piece:
                        yield piece
            if is_there:
                return
        raise NoOutput(self._why_none())

    def _likely_first(self, pods: list[Document]) -> list[Document]:
        """Return the Pods that may have it; first the one that was the newest at its start."""
        of_session = [pod for pod in pods if state.has_begun(pod) and self._may_have(pod)]
        started_at = self._attempt.started_at if self._attempt else None
        newest = sorted(of_session, key=_created, reverse=True)
        if started_at is None:
            return newest
        return sorted(newest, key=lambda pod: _created(pod) > started_at + 1)

    @property
    def _attempt(self) -> Attempt | None:
        row = self.job.rows[self.script]
        known = (row.latest, *row.earlier)
        return next((attempt for attempt in known if attempt.number == self.number), None)

    def _may_have(self, pod: Document) -> bool:
        if state.is_container(pod):
            record = _record(pod["metadata"]["annotations"][names.ATTEMPT])
            return (record.get("script"), record.get("attempt")) == (self.script, self.number)
        labels = state.part(pod["metadata"], "labels")
        session = names.label(self.job.script(self.script).session)
        return labels.get(names.SESSION_LABEL) == session

    async def _of_pod(self, pod: Document, *, is_following: bool) -> AsyncGenerator[bytes]:
        """Yield what the attempt wrote in a Pod; an empty piece, too, where it began there.

        The stream of a log may end before its container. Then it is read again, from its start,
        and what was yielded is skipped.
        """
        yielded, tries = 0, 0
        while True:
            is_over = state.is_over(pod)
            part, to_skip = Part(self.script, self.number, is_all=state.is_container(pod)), yielded
            try:
                log = self._log(pod, is_following=is_following and not is_over)
                async with aclosing(part.of(log)) as pieces:
                    async for piece in pieces:
                        rest = piece[to_skip:]
                        to_skip -= len(piece) - len(rest)
                        yielded += len(rest)
                        yield rest
                tries = 0
            except NoSuchObject:
                return
            except Unavailable:
                tries += 1
                if not is_following or tries == MOST_TRIES:
                    raise
            if not is_following or is_over or part.is_over:
                return
            await asyncio.sleep(PAUSE_SECONDS)
            same = [other for other in await self.pods() if _uid(other) == _uid(pod)]
            if not same:
                return
            (pod,) = same

    def _log(self, pod: Document, *, is_following: bool) -> AsyncGenerator[bytes]:
        metadata = pod["metadata"]
        return self.streams.log(
            metadata["namespace"], metadata["name"], names.SESSION, is_following=is_following
        )

    def _why_none(self) -> str:
        what = f"what {self.script}, attempt {self.number} wrote"
        if self.where:
            return f"{what} is in {self.where}, beside the operator, which has run it"
        return (
            f"{what} is not there: its Pod is gone, or it ran beside an operator with "
            "--sessions=local, which keeps it in its state directory"
        )


def place_of_local_session(ensojob: EnsoJobObject) -> str:
    """Return the file in which an operator with local sessions keeps what a failed job wrote."""
    card: list[str] = ensojob.raw_status.get("why") or []
    logs = [line.removeprefix("log").strip() for line in card if line.startswith("log ")]
    return logs[0] if logs and not logs[0].startswith("kubectl ") else ""


class Part:
    """The part of a log that one attempt wrote."""

    def __init__(self, script: str, number: int, *, is_all: bool) -> None:
        self._wanted = script.encode(), number
        self._has_begun = self._is_all = is_all
        self.is_over = False
        """Whether the mark of another attempt has come behind it."""
        self._held, self._is_in_line = b"", False
        """What may be the beginning of a mark; whether a line has begun that is none."""

    async def of(self, log: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """Yield the attempt's part of a log, and an empty piece where it has begun."""
        async with aclosing(log) as pieces:
            async for piece in pieces:
                own = piece if self._is_all else b"".join(self._own(piece))
                if self._has_begun:
                    yield own
                if self.is_over:
                    return
        if self._has_begun:
            yield self._held

    def _own(self, piece: bytes) -> Iterator[bytes]:
        for line in (self._held + piece).splitlines(keepends=True):
            self._held = b""
            is_whole = line.endswith(b"\n")
            if not self._is_in_line and not is_whole and _may_become_mark(line):
                self._held = line
                return
            mark = None if self._is_in_line else _MARK.match(line)
            self._is_in_line = not is_whole
            if mark:
                is_wanted = (mark[1], int(mark[2])) == self._wanted
                self.is_over = self._has_begun and not is_wanted
                if self.is_over:
                    return
                self._has_begun = self._has_begun or is_wanted
            elif self._has_begun:
                yield line


def _may_become_mark(line: bytes) -> bool:
    is_like = line.startswith(_BEGINS) or _BEGINS.startswith(line)
    return is_like and len(line) < _LONGEST_MARK


def _record(text: str) -> Document:
    """Return the record of a container script's start; empty where somebody wrote another text."""
    try:
        record: object = bounded_json.loads(text)
    except ValueError:
        return {}
    return cast("Document", record) if isinstance(record, dict) else {}


def _created(pod: Document) -> float:
    return datetime.fromisoformat(str(pod["metadata"]["creationTimestamp"])).timestamp()


def _uid(pod: Document) -> str:
    return str(pod["metadata"]["uid"])
