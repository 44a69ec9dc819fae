"""Forms whose server is away, and the way back from one that was refused."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.shots import failed, state_of, write_shots
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import DEADLINE_SECONDS, until
from tests.support.visitor import Visitor

MS = DEADLINE_SECONDS * 1000
REFUSED = "This must be an integer from 1 to 64."


def test_what_was_entered_stays_where_the_server_is_away(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    visitor = visit(server.address)
    visitor.go("/templates/publish-banner")
    visitor.fills("shot", "020")
    server.end()

    visitor.presses("Start")

    visitor.sees("No news since", "the server does not answer, and nothing was sent")
    expect(visitor.page.get_by_label("shot")).to_have_value("020")
    expect(visitor.page.get_by_role("button", name="Start")).to_be_disabled()
    assert visitor.violations() == []
    (tmp_path / "again").mkdir()
    templates = str(write_shots(tmp_path / "again"))
    again = EmbeddedServer(tmp_path / "again", "--templates", templates, port=server.port)
    try:
        expect(visitor.page.get_by_role("button", name="Start")).to_be_enabled(timeout=MS)
        expect(visitor.page.locator("#trouble")).to_be_empty()
        visitor.presses("Start")
        visitor.page.wait_for_url("**/jobs/*")
    finally:
        again.end()
    visitor.errors.clear()  # the browser's own, of the time without a server


def test_a_plan_is_not_asked_for_where_the_server_is_away(
    visit: Visit, server: EmbeddedServer
) -> None:
    jobid = failed(server)
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}/resume")
    visitor.fills("substeps", "4")
    server.end()

    visitor.presses("Show what will run")

    visitor.sees("No news since", "the server does not answer, and nothing was sent")
    expect(visitor.page.get_by_label("substeps", exact=True)).to_have_value("4")
    visitor.errors.clear()  # the browser's own, of the time without a server


def test_the_way_back_from_a_resume_that_was_refused_first(
    visit: Visit, server: EmbeddedServer
) -> None:
    jobid = failed(server)
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}/resume")
    visitor.fills("substeps", "many")
    visitor.presses("Resume")
    visitor.sees(REFUSED)
    visitor.fills("substeps", "4")
    visitor.presses("Resume")
    until(lambda: state_of(server, jobid) == "Succeeded")
    visitor.sees("Succeeded")

    visitor.page.go_back()

    visitor.sees(f"Run again {jobid}", "What runs")
    visitor.errors.clear()  # the browser's own, of the answer that refused


def test_the_way_back_from_a_start_that_was_refused_first(
    visit: Visit, server: EmbeddedServer
) -> None:
    visitor = visit(server.address)
    visitor.go("/templates/publish-banner")
    visitor.skips_the_browsers_own_checks()
    visitor.fills("shot", "")
    visitor.presses("Start")
    visitor.sees("to be mended first")
    visitor.fills("shot", "020")
    visitor.presses("Start")
    visitor.page.wait_for_url("**/jobs/*")

    visitor.page.go_back()

    expect(visitor.page.get_by_role("button", name="Start")).to_be_visible(timeout=MS)
    visitor.errors.clear()  # the browser's own, of the answer that refused


def test_the_way_back_from_an_action_that_was_refused(visit: Visit, server: EmbeddedServer) -> None:
    jobid = failed(server)
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")
    _asks(visitor, f"/jobs/{jobid}/skip")
    visitor.sees("Not possible now")
    visitor.follows("All jobs")
    visitor.sees(jobid)

    visitor.page.go_back()

    visitor.sees("simulate failed")
    visitor.errors.clear()  # the browser's own, of the answer that refused


def _asks(visitor: Visitor, path: str) -> None:
    """Press a button that was possible when the page was shown, and is no more."""
    visitor.page.evaluate(
        """path => {
            const button = document.createElement("button");
            button.setAttribute("form", "act");
            button.formAction = path;
            document.querySelector("main").append(button);
            button.click();
        }""",
        path,
    )
