"""Pages that change while somebody looks at them: streams of server-sent events.

However many people look at the same, it is read and rendered once (`Topic`); for each caller, as
they may see different things. An event has the parts of the page that changed, as htmx takes them.
Its id is what somebody has seen who got it (`views/seen.py`). A browser sends the latest one when
it connects anew, and gets what changed since, as does a reader who is too slow for each change.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, aclosing, suppress
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from enso_operator.http_api.port import Busy, NotAllowed
from enso_operator.http_api.web.readers import Places, until_left
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.renewal import renewed
from enso_operator.http_api.web.views.parts import Parts, changed
from enso_operator.http_api.web.views.seen import Shown
from job_execution_framework.domain.errors import EnsoError, Unavailable

MOST_STREAMS = 700
"""Streams that are open at once; each is a browser page that somebody looks at."""
MOST_OF_ONE = 40
"""How many of them are one caller's, where callers are known."""
BEAT_SECONDS = 15.0
"""How often a stream says that it is alive: proxies close those that are silent, and pages take
their server for away."""
BLIND_SECONDS = 5.0
"""How long after a look that saw nothing, as the cluster was away, the next one is."""
SENTENCES = (EnsoError, Busy, NotAllowed)
"""Errors that say to people what is wrong."""
_END: Message = {"type": "http.response.body", "body": b""}
BEAT = b"event: beat\ndata:\n\n"
"""What a page takes as a sign of life, where nothing has changed (`static/live.js`)."""
_log = logging.getLogger(__name__)

Look = Callable[[], Awaitable[Parts]]
"""Reads what a page shows now."""
Changes = Callable[[], AsyncGenerator[None]]
"""Yields once, and then each time when that may have changed."""


@dataclass(frozen=True)
class Subject:
    """What a stream tells of."""

    key: tuple[str, ...]
    """Who looks, and then at what."""
    look: Look
    changes: Changes


class Topic:
    """One subject that at least one person looks at."""

    def __init__(self, subject: Subject, templates: Templates) -> None:
        self._subject, self._templates = subject, templates
        self._shown = Shown({})
        self._version = 0
        """Grows with each change; 0 before the first look."""
        self._news = b""
        """The event that leads from the version before to this one."""
        self._since: tuple[Shown, list[str], bytes] = self._shown, [], b""
        """The latest event for somebody who had seen another version: to what, and its parts."""
        self._error: Exception | None = None
        self._away = b""
        """The event that says why the latest look saw nothing, so that what is shown may be old."""
        self._changed = asyncio.Condition()
        self.readers = 0
        """How many look, the slow ones among them who have not been told of an error."""
        self._task = asyncio.create_task(self._follow())

    @property
    def has_failed(self) -> bool:
        """Whether all who look are told of an error, and nothing else."""
        return self._error is not None

    async def end(self) -> None:
        """Stop to look."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def events(self, seen: str) -> AsyncGenerator[bytes]:
        """Yield the events for somebody who has seen this, the first one at once."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._version or self._error)
        version = 0
        while True:
            if self._error:
                raise self._error
            away, news = self._away, BEAT
            if away:
                news = away
            elif version < self._version:
                is_next = version and version == self._version - 1
                version, shown = self._version, self._shown
                news = self._news if is_next else await self._from(seen, shown)
                seen = shown.seen
            yield news
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS), self._changed:
                    await self._changed.wait_for(partial(self._has_news, version, away))

    def _has_news(self, version: int, away: bytes) -> bool:
        """Whether there is something that somebody does not know who was told this."""
        is_newer = not away and self._version > version
        return bool(self._error) or self._away != away or is_newer

    async def _follow(self) -> None:
        try:
            async with aclosing(self._subject.changes()) as changes:
                async for _ in renewed(changes, self._fresh_for):
                    await self._look()
        except SENTENCES as error:
            self._error = error
        except Exception as error:  # noqa: BLE001  # it is raised to whoever looks
            _log.exception("what %s looks at cannot be shown", self._subject.key[1:])
            self._error = error
        await self._tell()

    def _fresh_for(self) -> float | None:
        """Return for how many seconds what is shown stays right where nothing changes."""
        if self._away:
            return BLIND_SECONDS
        parts = self._shown.parts.values()
        ends = [part.until for part in parts if part.until is not None]
        return max(min(ends) - time.time(), 1.0) if ends else None

    async def _look(self) -> None:
        try:
            parts = await self._subject.look()
        except Unavailable as error:
            if not self._version:
                raise
            await self._tell(event(str(error), "away"))  # a later look may see more
            return
        ids = changed(self._shown.parts, parts)
        if ids or not self._version:
            shown = Shown(parts)
            self._news = await asyncio.to_thread(event_of, self._templates, shown, ids)
            self._shown, self._version = shown, self._version + 1
        await self._tell()

    async def _tell(self, away: bytes = b"") -> None:
        async with self._changed:
            self._away = away
            self._changed.notify_all()

    async def _from(self, seen: str, shown: Shown) -> bytes:
        """Return the event that leads there from what was seen."""
        ids = await asyncio.to_thread(shown.since, seen)
        if not ids:
            return BEAT
        latest, parts, news = self._since
        if latest is not shown or parts != ids:
            news = await asyncio.to_thread(event_of, self._templates, shown, ids)
            self._since = shown, ids, news
        return news


def event_of(templates: Templates, shown: Shown, ids: Iterable[str]) -> bytes:
    """Return the event that brings these parts to a page."""
    parts = "\n".join(
        f'<hx-partial id="{name}" hx-swap="innerMorph">{templates.part(shown.parts[name])}'
        "</hx-partial>"
        for name in ids
    )
    return f"id: {shown.seen}\n".encode() + event(parts)


def event(text: str, name: str = "") -> bytes:
    """Return a server-sent event; no line of `text` can become a field of another one."""
    lines = [f"event: {name}"] if name else []
    lines += [f"data: {line}" for line in text.splitlines() or [""]]
    return "\n".join([*lines, "", ""]).encode("utf-8", "backslashreplace")


def seen_by(request: Request) -> str:
    """Return what the browser has seen that asks for a stream: at first that is in the address."""
    return request.headers.get("Last-Event-ID") or request.query_params.get("seen", "")


class Live:
    """All streams."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._topics: dict[tuple[str, ...], Topic] = {}
        self._places = Places(MOST_STREAMS, MOST_OF_ONE, "pages are shown live")
        self._ends = asyncio.Event()

    def end(self) -> None:
        """End all streams, as the server stops."""
        self._ends.set()

    def stream(self, subject: Subject, seen: str) -> Response:
        """Answer with a stream."""
        place = self._places.taken(subject.key[0])
        return EventStream(self._events(subject, seen), self._ends, place)

    async def _events(self, subject: Subject, seen: str) -> AsyncGenerator[bytes]:
        topic = self._topics.get(subject.key)
        if topic is None or topic.has_failed:  # a slow reader may still hold the one that failed
            topic = self._topics[subject.key] = Topic(subject, self._templates)
        topic.readers += 1
        try:
            async with aclosing(topic.events(seen)) as events:
                async for message in events:
                    yield message
        except Unavailable as error:  # the browser tries again
            yield event(str(error), "away")
        except SENTENCES as error:
            yield event(str(error), "trouble")
        finally:
            topic.readers -= 1
            if not topic.readers:
                if self._topics.get(subject.key) is topic:
                    del self._topics[subject.key]
                await topic.end()


class EventStream(Response):
    """An answer of server-sent events, for as long as its reader is there."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[bytes],
        ends: asyncio.Event,
        place: AbstractContextManager[None],
    ) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self.events, self._ends, self._place = events, ends, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events; end with whoever reads them. Raises Busy where there are too many."""
        del scope
        with self._place:
            await self._answer(receive, send)

    async def _answer(self, receive: Receive, send: Send) -> None:
        headers = self.raw_headers
        start: Message = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": headers,
        }
        await send(start)
        if await until_left(receive, self._send(send), self._ends):
            await send(_END)

    async def _send(self, send: Send) -> None:
        async with aclosing(self.events) as events:
            async for content in events:
                await send({"type": "http.response.body", "body": content, "more_body": True})
        await send(_END)
