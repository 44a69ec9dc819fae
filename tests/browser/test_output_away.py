"""The page of an attempt that runs: its end, and what is known while its server is away."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.shots import start, write_shots
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import DEADLINE_SECONDS
from tests.support.visitor import Visitor

MS = DEADLINE_SECONDS * 1000


def test_it_tells_the_end_of_the_attempt(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    visitor = _at_what_runs(visit, server, tmp_path)

    (tmp_path / "cache").touch()

    expect(visitor.page.locator(".job-head .state")).to_have_text("Succeeded", timeout=MS)


def test_it_says_since_when_nothing_is_known_and_that_the_job_is_gone(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    visitor = _at_what_runs(visit, server, tmp_path)

    server.end()

    visitor.sees("No news since", "the server does not answer")
    state = visitor.page.locator(".job-head .state")
    expect(state).to_have_css("filter", "grayscale(1)")
    (tmp_path / "again").mkdir()
    templates = str(write_shots(tmp_path / "again"))
    again = EmbeddedServer(tmp_path / "again", "--templates", templates, port=server.port)
    try:
        visitor.sees("No news since", "the server does not have it any more")
        expect(state).to_have_css("filter", "grayscale(1)")
    finally:
        again.end()
    visitor.errors.clear()  # the browser's own, of the time without a server


def _at_what_runs(visit: Visit, server: EmbeddedServer, folder: Path) -> Visitor:
    jobid = start(server, "wait", path=str(folder / "cache"))
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")
    visitor.sees("now at wait")
    visitor.go(f"/jobs/{jobid}/scripts/wait/attempts/1")
    visitor.sees("Running")
    return visitor
