"""The output of an attempt as a page shows it, and what is added to it while the attempt runs.

The answer has one JSON document a line. The first has the end of what was written by then, as HTML
of `_output.html`; others what is added, and how much of the beginning is dropped for it. When the
attempt is over it is shown once more, as only then it is known which lines tell why it failed.
Who asks now and then instead gets one document, of what there is by then. `enso.js` puts each in
its place.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from enso_operator.http_api.output import last_of
from enso_operator.http_api.port import Jobs
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.views.output import MOST_BYTES, Addresses, OutputPage, output_page
from enso_operator.http_api.web.views.output_lines import Lines
from enso_operator.http_api.web.views.parts import Part
from enso_operator.http_api.web.views.words import size

MOST_LOOKS, LOOK_SECONDS = 10, 1.0
"""How often, and with which pauses, it is looked whether an attempt is over whose output is."""


@dataclass(frozen=True)
class AttemptOutput:
    """The output of one attempt, for one reader."""

    jobs: Jobs
    name: str
    script: str
    number: int
    addresses: Addresses

    async def look(self) -> tuple[OutputPage, Lines, int]:
        """Return what is shown of it now, what makes lines of more, and how long it is by now."""
        snapshot = await self.jobs.get(self.name)
        last = await last_of(self.jobs.output(self.name, self.script, self.number), MOST_BYTES)
        page, lines = await asyncio.to_thread(
            output_page, snapshot, self.script, self.number, last, self.addresses
        )
        return page, lines, last[1] + len(last[0])

    async def glance(self, templates: Templates, seen: str) -> AsyncGenerator[bytes]:
        """Yield what a page shows, unless that is what was seen, and nothing behind it."""
        page, _, position = await self.look()
        told: dict[str, object] = {"goesOn": page.is_running, "seen": str(position)}
        if not page.is_running or seen != told["seen"]:
            told["panel"] = await asyncio.to_thread(_html_of, templates, page)
        yield _line(told)

    async def documents(self, templates: Templates) -> AsyncGenerator[bytes]:
        """Yield what a page shows, and then what is added to it."""
        page, lines, position = await self.look()
        yield await asyncio.to_thread(_panel, templates, page)
        if not page.is_running:
            return
        added = _Added(page, lines, templates)
        more = self.jobs.output(self.name, self.script, self.number, is_following=True)
        async with aclosing(more) as pieces:
            async for piece in pieces:
                new = piece[position:]
                position -= len(piece) - len(new)
                if new:
                    yield await asyncio.to_thread(added.document, new)
        for _ in range(MOST_LOOKS):
            page, _, _ = await self.look()
            if not page.is_running:
                break
            await asyncio.sleep(LOOK_SECONDS)
        yield await asyncio.to_thread(_panel, templates, page)


class _Added:
    """What comes behind the first document."""

    def __init__(self, page: OutputPage, lines: Lines, templates: Templates) -> None:
        self._lines, self._templates, self._address = lines, templates, page.addresses.whole
        self._before, self._told = page.before, page.told
        self._shown = deque([(page.size, page.told)])
        """Of each document that is still shown its bytes, and its lines that tell progress."""
        self._size = page.size

    def document(self, piece: bytes) -> bytes:
        """Return a document with what is added, and what is dropped for it."""
        lines = self._lines.add(piece)
        told, dropped = sum(line.is_told for line in lines), 0
        self._shown.append((len(piece), told))
        self._size, self._told = self._size + len(piece), self._told + told
        while self._size - self._shown[0][0] >= MOST_BYTES:
            left_out, told = self._shown.popleft()
            self._size, self._told = self._size - left_out, self._told - told
            self._before, dropped = self._before + left_out, dropped + 1
        return _line(
            {
                "lines": self._html("lines", lines),
                "begun": self._html("begun", self._lines.begun),
                "dropped": dropped,
                "before": size(self._before) if self._before else "",
                "told": str(self._told or ""),
            }
        )

    def _html(self, macro: str, shown: object) -> str:
        return self._templates.part(Part("_output.html", macro, (shown, self._address), None))


def _panel(templates: Templates, page: OutputPage) -> bytes:
    return _line({"panel": _html_of(templates, page)})


def _html_of(templates: Templates, page: OutputPage) -> str:
    return templates.part(Part("_output.html", "panel", (page,), None))


def _line(document: object) -> bytes:
    return json.dumps(document).encode() + b"\n"
