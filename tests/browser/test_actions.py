"""The buttons of a job's page: each does what it says, and the page shows what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.shots import start
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import until
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
    visitor.sees("the machine is needed", "Pausing", "wait is still running")
    cache.touch()
    visitor.sees(
        "1 of 2 scripts done", "(the machine is needed) after wait. A resume goes on with open"
    )

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

    visitor.sees("Succeeded", "Skipped", "1 of 2 scripts done, 1 skipped")
    visitor.go("/")
    visitor.sees("1/2, 1 skipped")


def test_a_pause_is_taken_back_before_it_begins(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    visitor = looks_at(visit, server, "wait", cache)
    visitor.sees("Running")

    visitor.presses("Pause")
    visitor.sees("Pausing", "will pause after this script")
    address = visitor.page.url
    visitor.go("/")
    visitor.sees("Suspended, pausing")
    visitor.page.goto(address)
    visitor.presses("Do not pause")
    visitor.sees("Running", "do not pause")
    cache.touch()

    visitor.sees("Succeeded", "2 of 2 scripts done")


@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_job_is_cancelled_once_that_is_confirmed(
    visit: Visit, server: EmbeddedServer, tmp_path: Path, has_scripts: bool
) -> None:
    jobid = start(server, "wait", path=str(tmp_path / "never"))
    visitor = visit(server.address, java_script_enabled=has_scripts)

    def row() -> str:
        visitor.go(f"/jobs/{jobid}")
        return visitor.page.locator("#script-wait").inner_text()

    until(lambda: "Running" in row())

    visitor.presses("Cancel…")
    visitor.sees("Not run", "open", "The job can be resumed later")
    visitor.presses("Back, and change nothing")
    visitor.sees("Running")

    visitor.presses("Cancel…")
    visitor.fills("Why (optional)", "the wrong shot")
    visitor.presses("Cancel the job")

    visitor.sees("0 of 2 scripts done", "the wrong shot")

    until(lambda: "Running" not in row())
    assert "Cancelled" in row()  # it did not fail
    assert "Failed" not in row()
    visitor.sees("Cancelled")


def test_a_script_that_waits_is_tried_again_now(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    licence = tmp_path / "licence"
    visitor = looks_at(visit, server, "licence", licence)
    visitor.sees("no licence is free", "Waiting for retry, attempt 2 in 5")  # 59 minutes, at first

    licence.touch()
    visitor.presses("Retry now")

    visitor.sees("Succeeded", "1 of 1 script done")
