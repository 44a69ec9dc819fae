"""Streams of what changes on a page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from enso_operator.http_api.rows import JobRow, Rows
from enso_operator.http_api.web import live as module
from enso_operator.http_api.web.live import BEAT, EventStream, Live, Subject, event
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.static_files import StaticFiles
from enso_operator.http_api.web.views.job_list import job_list
from enso_operator.http_api.web.views.parts import Parts, parts_of_list
from enso_operator.http_api.web.views.query import Query
from enso_operator.http_api.web.views.seen import Shown
from job_execution_framework.domain.errors import JobNotFound, Unavailable
from tests.support.eventually import until_async

pytestmark = pytest.mark.anyio


@dataclass
class Jobs:
    """Jobs by name and state, which change when the test says so."""

    states: dict[str, str]
    error: Exception | None = None
    looks: int = 0
    followers: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def parts(self) -> Parts:
        rows = [JobRow(name, "", 0, state) for name, state in self.states.items()]
        return parts_of_list(job_list(Rows.of(rows), Query()))

    def seen(self) -> str:
        return Shown(self.parts()).seen

    async def look(self) -> Parts:
        self.looks += 1
        if self.error:
            raise self.error
        return self.parts()

    async def changes(self) -> AsyncGenerator[None]:
        self.followers += 1
        try:
            while True:
                yield
                await self._changed.wait()
                self._changed.clear()
        finally:
            self.followers -= 1

    def become(self, **states: str) -> None:
        self.states |= states
        self._changed.set()

    def fail(self, error: Exception) -> None:
        self.error = error
        self._changed.set()

    def subject(self, key: str = "jobs") -> Subject:
        return Subject(("me", key), self.look, self.changes)


@pytest.fixture
def live() -> Live:
    return Live(Templates(StaticFiles()))


@pytest.fixture
async def jobs() -> Jobs:
    return Jobs({"a": "Running", "b": "Waiting"})


def _events(live: Live, jobs: Jobs, seen: str = "") -> AsyncGenerator[bytes]:
    stream = live.stream(jobs.subject(), seen)
    assert isinstance(stream, EventStream)
    return stream.events


async def _news(events: AsyncGenerator[bytes]) -> bytes:
    """Return the next event that tells of a change."""
    async for message in events:
        if message not in (BEAT, AWAY):
            return message
    raise AssertionError("the stream has ended")


AWAY = b"event: away\ndata: the API server does not answer\n\n"
WHOLE_PAGE = ["part-states", "part-reasons", "part-table"]


def _id(message: bytes) -> str:
    lines = [line for line in message.decode().split("\n") if line.startswith("id: ")]
    return lines[0].removeprefix("id: ")


def _ids(message: bytes) -> list[str]:
    return re.findall(r'<hx-partial id="([^"]+)"', message.decode())


async def test_who_has_seen_another_page_is_sent_all_of_this_one(live: Live, jobs: Jobs) -> None:
    async with aclosing(_events(live, jobs)) as events:
        message = await anext(events)
    assert _ids(message) == WHOLE_PAGE
    assert b"Running" in message


async def test_only_what_changed_is_sent(live: Live, jobs: Jobs) -> None:
    async with aclosing(_events(live, jobs, jobs.seen())) as events:
        following = asyncio.ensure_future(_news(events))
        await until_async(_is_followed(jobs))
        jobs.become(a="Failed")
        message = await following
        assert _ids(message) == ["part-states", "job--a"]
        jobs.become(c="Running")
        assert _ids(await anext(events)) == ["part-states", "part-table"]


async def test_who_asks_again_is_sent_what_changed_since(live: Live, jobs: Jobs) -> None:
    async with aclosing(_events(live, jobs)) as events:
        seen = _id(await anext(events))
    for states, ids in (({}, []), ({"a": "Failed"}, ["part-states", "job--a"]), ({}, [])):
        jobs.states |= states
        async with aclosing(_events(live, jobs, seen)) as events:
            message = await anext(events)
        assert _ids(message) == ids
        assert message == BEAT if not ids else b"Failed" in message
        seen = _id(message) if ids else seen


async def test_the_id_of_each_event_is_what_its_reader_has_seen_by_then(
    live: Live, jobs: Jobs
) -> None:
    async with aclosing(_events(live, jobs)) as events:
        assert _id(await anext(events)) == jobs.seen()
        for state in ("Failed", "Running"):
            jobs.become(a=state)
            assert _id(await anext(events)) == jobs.seen()


async def test_many_who_look_at_the_same_cost_one_look(live: Live, jobs: Jobs) -> None:
    streams = [_events(live, jobs, jobs.seen()) for _ in range(50)]
    following = [asyncio.ensure_future(_news(events)) for events in streams]
    await until_async(_is_followed(jobs))
    jobs.become(a="Failed")
    messages = set(await asyncio.gather(*following))
    assert len(messages) == 1
    assert (jobs.looks, jobs.followers) == (2, 1)
    for events in streams:
        await events.aclose()
    assert jobs.followers == 0


async def test_a_slow_reader_gets_what_changed_since_instead_of_each_change(
    live: Live, jobs: Jobs
) -> None:
    async with aclosing(_events(live, jobs)) as quick, aclosing(_events(live, jobs)) as slow:
        await anext(quick)
        await anext(slow)
        for state in ("Failed", "Running", "Succeeded"):
            jobs.become(a=state)
            assert _ids(await anext(quick)) == ["part-states", "job--a"]
        message = await anext(slow)
        assert _ids(message) == ["part-states", "job--a"]
        assert b"Succeeded" in message


async def test_a_stream_of_nothing_new_beats(
    live: Live, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.01)
    async with aclosing(_events(live, jobs, jobs.seen())) as events:
        assert [await anext(events) for _ in range(3)] == [BEAT] * 3


async def test_while_the_api_server_is_away_a_page_is_told_so_and_not_that_it_is_live(
    live: Live, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLIND_SECONDS", 0.01)
    async with aclosing(_events(live, jobs, jobs.seen())) as events:
        assert await anext(events) == BEAT
        jobs.fail(Unavailable("the API server does not answer"))
        assert await anext(events) == AWAY
        async with aclosing(_events(live, jobs)) as later:
            assert await anext(later) == AWAY
            monkeypatch.setattr(module, "BEAT_SECONDS", 0.01)
            assert await anext(events) == AWAY
            jobs.error = None
            while await anext(events) == AWAY:
                pass
            while (message := await anext(later)) == AWAY:
                pass
            assert _ids(message) == WHOLE_PAGE
        assert await anext(events) == BEAT


async def test_an_api_server_that_is_away_ends_no_stream(live: Live, jobs: Jobs) -> None:
    async with aclosing(_events(live, jobs, jobs.seen())) as events:
        following = asyncio.ensure_future(_news(events))
        await until_async(_is_followed(jobs))
        jobs.fail(Unavailable("the API server does not answer"))

        async def has_looked() -> bool:
            return jobs.looks == 2

        await until_async(has_looked)
        jobs.error = None
        jobs.become(a="Failed")
        assert _ids(await following) == ["part-states", "job--a"]


async def test_a_job_that_goes_away_is_told_and_ends_the_stream(live: Live, jobs: Jobs) -> None:
    async with aclosing(_events(live, jobs)) as events:
        await anext(events)
        jobs.fail(JobNotFound("there is no job 'a'"))
        assert await anext(events) == b"event: trouble\ndata: there is no job 'a'\n\n"
        assert [message async for message in events] == []
    assert jobs.followers == 0


async def test_who_looks_again_is_not_told_of_an_error_that_is_over(live: Live, jobs: Jobs) -> None:
    async with aclosing(_events(live, jobs)) as slow:
        await anext(slow)
        jobs.fail(JobNotFound("there is no job 'a'"))

        async def has_failed() -> bool:
            return jobs.followers == 0

        await until_async(has_failed)
        jobs.error = None
        async with aclosing(_events(live, jobs)) as again:
            assert _ids(await anext(again)) == WHOLE_PAGE
            assert b"there is no job" in await anext(slow)
            jobs.become(a="Failed")
            assert _ids(await anext(again)) == ["part-states", "job--a"]
    assert jobs.followers == 0


async def test_who_begins_to_look_while_the_api_server_is_away_is_told(
    live: Live, jobs: Jobs
) -> None:
    jobs.error = Unavailable("the API server does not answer")
    async with aclosing(_events(live, jobs)) as events:
        assert await anext(events) == AWAY
        assert [message async for message in events] == []


async def test_a_server_that_stops_ends_its_streams(live: Live, jobs: Jobs) -> None:
    sent: list[Mapping[str, object]] = []

    async def send(message: Mapping[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    answering = asyncio.create_task(
        live.stream(jobs.subject(), "")({"type": "http"}, receive, send)
    )
    await until_async(_is_followed(jobs))
    live.end()
    await answering
    assert sent[-1] == {"type": "http.response.body", "body": b""}
    assert jobs.followers == 0


async def test_a_reader_who_leaves_ends_the_stream(live: Live, jobs: Jobs) -> None:
    sent: list[Mapping[str, object]] = []
    left = asyncio.Event()

    async def send(message: Mapping[str, object]) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    async def receive() -> dict[str, object]:
        await left.wait()
        return {"type": "http.disconnect"}

    stream = live.stream(jobs.subject(), "")
    answering = asyncio.create_task(stream({"type": "http"}, receive, send))
    await until_async(_is_followed(jobs))
    left.set()
    await answering
    assert jobs.followers == 0
    headers = dict(sent[0]["headers"])  # type: ignore[call-overload]  # pairs
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert b"content-length" not in headers


@pytest.mark.parametrize("text", ["a\nevent: trouble\n\ndata: b", "a\r\n\r\nb", "a\x0b\u2028b\x85"])
def test_no_text_can_become_an_event_of_its_own(text: str) -> None:
    lines = event(text).decode().split("\n")
    assert lines[-2:] == ["", ""]
    assert all(re.match(r"data: [^\r\n]*$", line) for line in lines[:-2])


def _is_followed(jobs: Jobs) -> Callable[[], Awaitable[bool]]:
    async def is_followed() -> bool:
        return jobs.followers == 1

    return is_followed
