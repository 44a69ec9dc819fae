"""Those who read streams are counted from their first moment to their last, each caller alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from starlette.requests import Request
from starlette.types import Message

from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.port import Busy, Jobs
from enso_operator.http_api.web import live, output
from enso_operator.http_api.web.live import Live, Subject
from enso_operator.http_api.web.output import OutputPages
from enso_operator.http_api.web.readers import Places
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.static_files import StaticFiles
from enso_operator.http_api.web.views.parts import Parts
from tests.support.eventually import DEADLINE_SECONDS, until_async

pytestmark = pytest.mark.anyio
TEMPLATES = Templates(StaticFiles())


@dataclass
class Silent:
    """Jobs whose scripts write nothing for as long as they run."""

    open: int = 0

    async def output(
        self, name: str, script: str, number: int, *, is_following: bool
    ) -> AsyncGenerator[bytes]:
        assert (name, script, number, is_following) == ("shot", "simulate", 1, True)
        self.open += 1
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            self.open -= 1

    async def changes(self) -> AsyncGenerator[None]:
        self.open += 1
        try:
            await asyncio.Event().wait()
            yield
        finally:
            self.open -= 1

    async def has(self, number: int) -> None:
        async def is_so() -> bool:
            return self.open == number

        await until_async(is_so)


@dataclass
class Reader:
    """A connection of somebody."""

    left: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[Message] = field(default_factory=list[Message])

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def follows(self, pages: OutputPages, jobs: Silent, key: str) -> None:
        """Follow the output of a script that runs."""
        scope = {
            "type": "http",
            "query_string": b"follow=1",
            "path_params": {"name": "shot", "script": "simulate", "number": 1},
        }
        viewer = Viewer(cast("Jobs", jobs), key=key)
        answer = await pages.text(Request(scope), viewer)
        await answer(scope, self.receive, self.send)

    async def looks(self, streams: Live, jobs: Silent, key: str) -> None:
        """Look at a page that changes."""

        async def look() -> Parts:
            return {}

        # Each at another page: those who look at the same have one watch.
        answer = streams.stream(Subject((key, str(id(self))), look, jobs.changes), "")
        await answer({"type": "http"}, self.receive, self.send)


@dataclass
class Kind:
    """A kind of streams, and what refuses one too many."""

    jobs: Silent
    reads: Callable[[Reader, str], asyncio.Task[None]]
    says: str

    async def refuses(self, reader: Reader, key: str, says: str) -> None:
        """Expect that there is no place for this one."""
        with pytest.raises(Busy, match=f"^{says}"):
            async with asyncio.timeout(DEADLINE_SECONDS):
                await self.reads(reader, key)
        assert reader.sent == []  # so that the refusal is an answer of its own

    @asynccontextmanager
    async def reading(self, *keys: str) -> AsyncGenerator[list[Reader]]:
        """Let so many read; they leave at the end, and all must be over."""
        readers = [Reader() for _ in keys]
        tasks = [self.reads(reader, key) for reader, key in zip(readers, keys, strict=True)]
        before = self.jobs.open
        await self.jobs.has(before + len(keys))
        yield readers
        for reader in readers:
            reader.left.set()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await asyncio.gather(*tasks)
        assert self.jobs.open == before


@pytest.fixture(params=["output", "live"])
async def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kind:
    monkeypatch.setattr(output, "MOST_READERS", 3)
    monkeypatch.setattr(live, "MOST_STREAMS", 3)
    for module in (output, live):
        monkeypatch.setattr(module, "MOST_OF_ONE", 2)
    jobs, streams = Silent(), Live(TEMPLATES)
    pages = OutputPages(TEMPLATES, streams)

    def follows(reader: Reader, key: str) -> asyncio.Task[None]:
        return asyncio.create_task(reader.follows(pages, jobs, key))

    def looks(reader: Reader, key: str) -> asyncio.Task[None]:
        return asyncio.create_task(reader.looks(streams, jobs, key))

    if request.param == "output":
        return Kind(jobs, follows, "outputs are read")
    return Kind(jobs, looks, "pages are shown live")


async def test_a_reader_of_nothing_yet_has_a_place_until_they_leave(kind: Kind) -> None:
    for _ in range(2):  # what was left is free again
        async with kind.reading("a", "b", "c"):
            await kind.refuses(Reader(), "d", f"3 {kind.says} at this moment")


async def test_a_caller_leaves_places_for_others(kind: Kind) -> None:
    async with kind.reading("a", "a"):
        await kind.refuses(Reader(), "a", f"2 {kind.says} for you at this moment")
        async with kind.reading("b"):
            pass


async def test_where_nobody_is_known_only_the_number_of_all_counts(kind: Kind) -> None:
    async with kind.reading("", "", ""):
        await kind.refuses(Reader(), "", f"3 {kind.says} at this moment")


async def test_places_are_given_back_whatever_happens() -> None:
    places = Places(1, 1, "streams are open")
    for _ in range(2):
        with pytest.raises(OSError, match="gone"), places.taken("a"):
            raise OSError("gone")
    with places.taken("a"), pytest.raises(Busy), places.taken("b"):
        pass
