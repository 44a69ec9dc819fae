"""The buttons of a job's page: each does what it says, and the page shows what came of it."""

from __future__ import annotations

from pathlib import Path

from tests.browser.shots import start
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.visitor import Visitor


def looks_at(visit: Visit, server: EmbeddedServer, template: str, file: Path) -> Visitor:
    """Start a run that needs the file, and open its page."""
    jobid = start(server, template, path=str(file))
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")
    return visitor


def test_a_job_is_paused_and_goes_on(visit: Visit, server: EmbeddedServer, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    visitor = looks_at(visit, server, "wait", cache)
    visitor.sees("Running")

    visitor.fills("Why", "the machine is needed")
    visitor.presses("Pause")
    visitor.sees("the machine is needed")
    cache.touch()
    visitor.sees("1 of 2 scripts done", "Suspended")

    visitor.presses("Resume…")
    visitor.presses("Resume")
    visitor.sees("Succeeded", "2 of 2 scripts done")


def test_a_script_is_skipped(visit: Visit, server: EmbeddedServer, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    visitor = looks_at(visit, server, "wait", cache)
    visitor.sees("Running")

    visitor.page.get_by_label("Script to skip").select_option("open")
    visitor.presses("Skip")
    visitor.sees("will be skipped", "skip open")
    cache.touch()

    visitor.sees("Succeeded", "Skipped")


def test_a_job_is_cancelled(visit: Visit, server: EmbeddedServer, tmp_path: Path) -> None:
    visitor = looks_at(visit, server, "wait", tmp_path / "never")
    visitor.sees("Running")

    visitor.presses("Cancel")

    visitor.sees("Cancelled", "0 of 2 scripts done")


def test_a_script_that_waits_is_tried_again_now(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    licence = tmp_path / "licence"
    visitor = looks_at(visit, server, "licence", licence)
    visitor.sees("no licence is free")

    licence.touch()
    visitor.presses("Retry now")

    visitor.sees("Succeeded", "1 of 1 scripts done")
