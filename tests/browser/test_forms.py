"""What people do on pages: a failed job is mended, and a template is started."""

from __future__ import annotations

import pytest

from tests.browser.shots import FAILURE, failed, start, state_of
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import until


@pytest.mark.parametrize("scripts", [True, False])
def test_somebody_who_has_never_seen_it_mends_a_failed_job_by_what_is_written_there(
    visit: Visit, server: EmbeddedServer, *, scripts: bool
) -> None:
    jobid = failed(server)
    visitor = visit(server.address, java_script_enabled=scripts)
    page = visitor.page
    page.get_by_role("link", name=jobid).click()
    visitor.sees("simulate failed", FAILURE, "substeps")
    page.get_by_role("link", name="Resume").click()
    page.get_by_label("substeps", exact=True).fill("many")
    page.get_by_role("button", name="Show what will run").click()
    visitor.sees("This must be an integer from 1 to 64.")
    page.get_by_label("substeps", exact=True).fill("4")
    page.get_by_label("Why", exact=True).fill("the banner was too stiff")
    page.get_by_role("button", name="Show what will run").click()
    visitor.sees("Changes: substeps of simulate", "What will run, and what is kept")
    page.get_by_role("button", name="Resume").click()
    until(lambda: state_of(server, jobid) == "Succeeded")
    if not scripts:
        page.wait_for_url(f"**/jobs/{jobid}")
        page.reload()
    visitor.sees("Succeeded", "the banner was too stiff")


def test_a_template_is_started_from_its_form(visit: Visit, server: EmbeddedServer) -> None:
    visitor = visit(server.address)
    page = visitor.page
    page.get_by_role("link", name="Templates").click()
    page.get_by_role("link", name="publish-banner").click()
    assert visitor.violations() == []
    page.get_by_label("shot").fill("020")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/jobs/*")
    jobid = page.url.rpartition("/")[2]
    until(lambda: state_of(server, jobid) == "Failed")
    visitor.sees("simulate failed", "Resume")
    assert visitor.violations() == []


def test_a_job_that_has_succeeded_runs_again_from_a_script_that_is_named(
    visit: Visit, server: EmbeddedServer
) -> None:
    jobid = start(server, substeps=4)
    until(lambda: state_of(server, jobid) == "Succeeded")
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")

    visitor.presses("Run again…")
    visitor.sees("open, and all after it", "runs again")
    visitor.page.get_by_label("From").select_option("simulate, and all after it")
    visitor.presses("Run again")

    visitor.sees("resumed", "Succeeded", "3 of 3 scripts done")
