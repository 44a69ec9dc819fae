"""What a page is told of an attempt that writes: HTML, as on the page of the attempt."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest

from enso_operator.http_api.port import Jobs, JobSnapshot
from enso_operator.http_api.web import output_stream
from enso_operator.http_api.web.output_stream import AttemptOutput
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.static_files import StaticFiles
from enso_operator.http_api.web.views.output import MOST_BYTES, Addresses
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.script import LibraryScript, Script
from tests.support.api import Api
from tests.support.job_story import Story

pytestmark = pytest.mark.anyio
EVIL = "</span><script>alert(1)</script>\x9b31m\u202e\u2028\x85"
ESCAPED = r"&lt;/span&gt;&lt;script&gt;alert(1)&lt;/script&gt;\x9b31m\u202e\u2028\x85"
CAUSE = Cause("Exception", "diverged at frame 1019", "ValueError")


@dataclass
class _Writes:
    """Jobs of which one attempt writes some pieces, and fails."""

    written: bytes = b""
    pieces: list[bytes] = field(default_factory=list[bytes])
    story: Story = field(
        default_factory=lambda: Story.of(Script("simulate", LibraryScript("simulate")))
    )

    fails: bool = True

    def __post_init__(self) -> None:
        self.story.opens("main-1", "simulate")
        self.story.starts("simulate")

    async def get(self, job_id: str) -> JobSnapshot:
        return JobSnapshot(job_id, "Running", None, self.story.job)

    async def output(
        self, job_id: str, script: str, attempt: int, *, is_following: bool = False
    ) -> AsyncGenerator[bytes]:
        del job_id, script, attempt
        yield self.written
        if is_following:
            for piece in self.pieces:
                self.written += piece
                yield piece
            if self.fails:
                self.story.breaks("simulate", CAUSE)


async def _documents(jobs: _Writes) -> list[dict[str, str | int]]:
    documents = _output(jobs).documents(Templates(StaticFiles()))
    return [json.loads(line) async for line in documents]


def _output(jobs: _Writes) -> AttemptOutput:
    backend: Jobs = jobs  # type: ignore[assignment]  # the part of them that is used
    return AttemptOutput(backend, "shot", "simulate", 1, Addresses("/whole", "/lines", "/job"))


async def test_what_is_written_is_added_and_at_the_end_marked() -> None:
    first, *added, last = await _documents(
        _Writes(b"one\ntw", [b"o\nth", b"ree diverged at f", b"rame 1019\n"])
    )
    assert "one\n" in str(first["panel"])
    assert '<span class="begun">tw\n</span>' in str(first["panel"])
    assert [(one["lines"], one["begun"]) for one in added] == [
        ("two\n", "th\n"),
        ("", "three diverged at f\n"),
        ("three diverged at frame 1019\n", ""),
    ]
    assert "<mark>three diverged at frame 1019</mark>" in str(last["panel"])


async def test_who_asks_now_and_then_is_sent_what_they_have_not_seen() -> None:
    jobs = _Writes(b"one\ntw")

    async def glance(seen: str) -> dict[str, Any]:
        (line,) = [line async for line in _output(jobs).glance(Templates(StaticFiles()), seen)]
        told: dict[str, Any] = json.loads(line)
        return told

    first = await glance("")
    assert first["goesOn"]
    assert "one\n" in first["panel"]
    assert await glance(first["seen"]) == {"goesOn": True, "seen": first["seen"]}
    jobs.written += b"o\n"
    second = await glance(first["seen"])
    assert "two\n" in second["panel"]
    jobs.story.breaks("simulate", CAUSE)
    last = await glance(second["seen"])
    assert not last["goesOn"]
    assert "two\n" in last["panel"]


async def test_a_page_holds_little_more_than_at_first_and_says_what_it_dropped() -> None:
    piece = b"frame 12 is written\n" * 3_000
    first, *added, last = await _documents(_Writes(b"x" * 999 + b"\n", [piece] * 30))
    assert 'class="left-out quiet" hidden' in str(first["panel"])
    held = 1 + len(added) - sum(int(one["dropped"]) for one in added)
    assert (held - 1) * len(piece) < MOST_BYTES <= held * len(piece)
    assert added[-1]["before"] == "1.4 MiB"
    assert len(str(last["panel"])) < 2 * MOST_BYTES


async def test_lines_of_progress_are_counted_while_they_are_shown() -> None:
    told = b"openjd_progress: 5\n"
    _, *added, last = await _documents(
        _Writes(told, [told * 2, b"x" * (MOST_BYTES - 38), b"y" * MOST_BYTES + b"\n"])
    )
    assert [one["told"] for one in added] == ["3", "2", ""]
    assert 'class="told">openjd_progress' not in str(last["panel"])


async def test_the_page_and_the_stream_show_the_same(api: Api) -> None:
    jobid = await api.add(["say", {"text": EVIL + "\nopenjd_status: \u202e"}])
    await api.execute(jobid)
    await api.ended(jobid)
    address = f"/jobs/{jobid}/scripts/say/attempts/1"
    answer = await api.get(f"{address}/lines")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    (document,) = map(json.loads, answer.text.splitlines())
    page = (await api.get(address)).text
    for html in (document["panel"], page):
        assert ESCAPED in html
        assert "Show progress lines (<b>1</b>)" in html
        assert r'<span class="told">openjd_status: \u202e' in html
        assert not re.search("[\x80-\x9f\u2028\u202e]", html)


async def test_a_page_leads_to_all_that_it_leaves_out(api: Api) -> None:
    text = "x" * 5000 + "\n" + "a line\n" * 50_000
    jobid = await api.add(["say", {"text": text}])
    await api.execute(jobid)
    await api.ended(jobid)
    address = f"/jobs/{jobid}/scripts/say/attempts/1"
    page = await api.get(address)
    assert len(page.content) < 2 * MOST_BYTES
    assert re.search(r"<b>\d+ KiB</b> before this are left out here", page.text)
    assert f'href="{address}/output" download="{jobid}-say-1.txt"' in page.text
    assert (await api.get(f"{address}/output")).text == text + "\n"


async def test_an_attempt_that_was_not_is_told_as_json_to_the_script(api: Api) -> None:
    jobid = await api.add(["say", {}])
    answer = await api.get(f"/jobs/{jobid}/scripts/say/attempts/1/lines", accept="application/json")
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("attempt 1 of 'say' has not begun")


async def test_an_attempt_that_seems_to_run_on_does_not_hold_its_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(output_stream, "LOOK_SECONDS", 0)
    jobs = _Writes(b"one\n")
    jobs.fails = False
    first, last = await _documents(jobs)
    assert first == last
