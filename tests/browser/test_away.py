"""A page whose server is away says since when it knows nothing, and does not go on as if it did."""

from __future__ import annotations

import re
from pathlib import Path

import psutil
from playwright.sync_api import expect

from tests.browser.shots import failed, start, write_shots
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import DEADLINE_SECONDS
from tests.support.visitor import Visitor

HOUR = 3_600_000
DEADLINE = DEADLINE_SECONDS * 1000


def test_clocks_bars_and_buttons_stop_with_the_server(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    visitor = at_a_job_that_runs(visit, server, tmp_path)
    visitor.sees("Why are some grey?")
    visitor.page.clock.fast_forward(20_000)
    later = re.compile(r"^([2-9]\d s|\d+ min)")
    expect(visitor.page.locator("time.since").first).to_have_text(later)

    server.end()
    visitor.sees("No news since", "the server does not answer")
    before = moving(visitor)
    visitor.page.clock.fast_forward(HOUR)

    assert moving(visitor) == before
    assert actions(visitor) == []
    expect(visitor.page.get_by_text("Why are some grey?")).to_be_hidden()  # now all are
    cancel = visitor.page.get_by_role("link", name="Cancel…")
    assert cancel.get_attribute("aria-disabled") == "true"
    assert visitor.violations() == []
    (tmp_path / "again").mkdir()
    templates = str(write_shots(tmp_path / "again"))
    again = EmbeddedServer(tmp_path / "again", "--templates", templates, port=server.port)
    try:
        visitor.page.clock.fast_forward(HOUR)  # it tries more and more seldom
        visitor.sees("the server does not have it any more")
    finally:
        again.end()
    visitor.errors.clear()  # the browser's own, of the time without a server


def test_nothing_in_the_list_looks_as_if_it_were_known(
    visit: Visit, server: EmbeddedServer
) -> None:
    failed(server)
    visitor = visit(server.address)
    visitor.sees("RuntimeError")
    reason = visitor.page.locator(".reason.is-failed")
    expect(reason).to_have_css("filter", "none")

    server.end()

    visitor.sees("No news since")
    expect(reason).to_have_css("filter", "grayscale(1)")
    visitor.errors.clear()  # the browser's own, of the time without a server


def test_a_server_that_is_silent_is_away_until_it_is_heard_again(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    visitor = at_a_job_that_runs(visit, server, tmp_path)
    possible = actions(visitor)
    assert possible
    process = psutil.Process(server.process.pid)

    process.suspend()
    try:
        visitor.page.clock.fast_forward(60_000)
        visitor.sees("No news since", "the server does not answer")
        assert actions(visitor) == []
    finally:
        process.resume()

    expect(visitor.page.locator("#trouble")).to_be_empty(timeout=DEADLINE)
    assert actions(visitor) == possible
    (tmp_path / "cache").touch()
    visitor.sees("Succeeded", "2 of 2")
    visitor.errors.clear()  # the browser's own, of requests that were given up


def at_a_job_that_runs(visit: Visit, server: EmbeddedServer, folder: Path) -> Visitor:
    jobid = start(server, "wait", path=str(folder / "cache"))
    visitor = visit(server.address)
    visitor.page.clock.install()
    visitor.go(f"/jobs/{jobid}")
    visitor.sees("Running", "wait")
    expect(visitor.page.locator("time.since").first).to_be_visible(timeout=DEADLINE)
    return visitor


def moving(visitor: Visitor) -> list[str]:
    """Return what clocks and ages say, and how long the bars of running scripts are."""
    moving: list[str] = visitor.page.evaluate(
        """() => [
            ...[...document.querySelectorAll("time.since, time.ago")].map(
                (one) => one.textContent),
            ...[...document.querySelectorAll("[data-rate]")].map(
                (one) => one.getAttribute("width")),
        ]"""
    )
    return moving


def actions(visitor: Visitor) -> list[str]:
    """Return the buttons that can be pressed."""
    buttons = visitor.page.locator("main button:enabled:not([aria-disabled])")
    return buttons.all_inner_texts()
