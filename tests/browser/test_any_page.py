"""What is true of every page: readable for all, in both schemes, on a phone and on a wall."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.shots import failed, start_scripts
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.visitor import Visitor

PAGES = {
    "/": "{jobid}",
    "/?state=Failed": "{jobid}",
    "/jobs/{jobid}": "simulate failed",
    "/jobs/{jobid}/events": "{jobid}",
    "/jobs/{jobid}/manifest": "simulate_banner",
    "/jobs/{jobid}/resume": "What will run",
    "/jobs/{jobid}/scripts/simulate/attempts/1": "simulating",
    "/templates": "publish-banner",
    "/templates/publish-banner": "Number of the shot",
    "/library": "simulate_banner",
}
"""Each with a text by which it is known."""


def pages(visitor: Visitor, jobid: str) -> Iterator[str]:
    """Open one page after the other; yield the address of each."""
    for page, text in PAGES.items():
        visitor.go(page.format(jobid=jobid))
        visitor.sees(text.format(jobid=jobid))
        yield page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_audit_finds_nothing(visit: Visit, server: EmbeddedServer, scheme: str) -> None:
    visitor = visit(server.address, color_scheme=scheme)
    visitor.sees("There are no jobs yet")
    assert visitor.violations() == []

    jobid = failed(server)
    found = {page: visitor.violations() for page in pages(visitor, jobid)}
    assert {page: violations for page, violations in found.items() if violations} == {}


@pytest.mark.parametrize("width", [360, 2560])
def test_nothing_is_wider_than_the_window(visit: Visit, server: EmbeddedServer, width: int) -> None:
    jobid = failed(server)
    visitor = visit(server.address, viewport={"width": width, "height": 800})

    found = {page: visitor.overflow() for page in pages(visitor, jobid)}
    assert {page: pixels for page, pixels in found.items() if pixels} == {}


def test_the_pages_of_a_job_that_lives_are_readable_and_fit(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    name = "a_script_of_a_name_that_is_as_long_as_any_may_be_" + "x" * 10
    shutil.copy(tmp_path / "wait_for.py", tmp_path / f"{name}.py")
    jobid = start_scripts(server, *[(name, {"path": str(tmp_path / "never")})] * 2)
    visitor = visit(server.address, viewport={"width": 360, "height": 800})
    for page, text in ((f"/jobs/{jobid}", "Running"), (f"/jobs/{jobid}/cancel", "Stops")):
        visitor.go(page)
        visitor.sees(text)
        assert visitor.violations() == []
        assert visitor.overflow() == 0


def test_all_can_be_read_without_scripts(visit: Visit, server: EmbeddedServer) -> None:
    jobid = failed(server)

    visitor = visit(server.address, java_script_enabled=False)
    assert len(list(pages(visitor, jobid))) == len(PAGES)
