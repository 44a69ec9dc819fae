"""Which jobs are read again, and which are known well enough."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from enso_operator.api.document import Document
from enso_operator.controller.rereads import Rereads
from enso_operator.kube.ensojob import EnsoJobObject, Reference
from tests.support.in_memory_objects import InMemoryCluster, InMemoryObjects
from tests.support.resources import of_scripts


@dataclass(frozen=True)
class Counted(InMemoryObjects):
    """Notes the names of what is read."""

    read: list[str] = field(default_factory=list[str])

    def get(self, name: str) -> Document:
        self.read.append(name)
        return super().get(name)


class Jobs:
    """EnsoJobs, and what is known and said of them."""

    def __init__(self) -> None:
        self.objects = Counted(InMemoryCluster(), "shows")
        self.known, self.found, self.gone = dict[str, int](), list[str](), list[str]()
        self._tasks = set[asyncio.Task[None]]()
        self.rereads = Rereads(
            lambda _namespace: self.objects,
            self._do,
            is_news=lambda job: int(job.version) > self.known.get(job.uid, 0),
            found=self._found,
            gone=lambda job: self.gone.append(job.uid),
        )

    def create(self, name: str = "shot") -> Reference:
        job = EnsoJobObject(self.objects.create(of_scripts({}) | {"metadata": {"name": name}}))
        return job.reference

    def delete(self, job: Reference) -> None:
        self.objects.delete(job.name, job.uid, job.version)

    async def until_done(self) -> None:
        async with asyncio.timeout(30):
            while self._tasks:
                await asyncio.wait(self._tasks)

    def _found(self, document: Document) -> None:
        job = EnsoJobObject(document).reference
        self.known[job.uid] = int(job.version)
        self.found.append(job.name)

    def _do(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(chore)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def test_what_the_operator_wrote_itself_is_not_read() -> None:
    async def story() -> None:
        jobs = Jobs()
        job = jobs.create()
        jobs.rereads.look(job)
        jobs.known[job.uid] = int(job.version)  # the answer to its write came a moment later
        await jobs.until_done()
        assert (jobs.objects.read, jobs.found, jobs.gone) == ([], [], [])

    asyncio.run(story())


def test_what_others_changed_is_read_once() -> None:
    async def story() -> None:
        jobs = Jobs()
        one, other = jobs.create("one"), jobs.create("other")
        for job in (one, other, one):
            jobs.rereads.look(job)
        await jobs.until_done()
        assert jobs.objects.read == jobs.found == ["one", "other"]
        jobs.rereads.look(one)
        await jobs.until_done()
        assert jobs.objects.read == ["one", "other"]

    asyncio.run(story())


def test_what_was_deleted_is_gone_also_where_another_has_its_name() -> None:
    async def story() -> None:
        jobs = Jobs()
        deleted, replaced = jobs.create("deleted"), jobs.create("replaced")
        jobs.delete(deleted)
        jobs.delete(replaced)
        jobs.create("replaced")
        for job in (deleted, replaced):
            jobs.rereads.look(job)
        await jobs.until_done()
        assert sorted(jobs.gone) == sorted([deleted.uid, replaced.uid])
        assert jobs.found == []

    asyncio.run(story())
