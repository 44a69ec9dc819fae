"""Pages change by themselves, ask for nothing while nobody looks, and outlive a restart."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import Route

from tests.browser.shots import start, write_shots
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import until

HIDDEN = "Object.defineProperty(document, 'hidden', {value: true, configurable: true})"


def test_a_job_is_seen_to_run_and_to_succeed(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    jobid = start(server, "wait", path=str(cache))
    jobs, job = visit(server.address), visit(server.address)
    job.go(f"/jobs/{jobid}")
    jobs.sees(jobid, "Running")
    job.sees("Running")

    cache.touch()

    jobs.sees("Succeeded")
    job.sees("Succeeded", "2 of 2")


def test_a_job_that_is_new_is_seen(visit: Visit, server: EmbeddedServer) -> None:
    jobs = visit(server.address)
    jobs.sees("There are no jobs yet")

    jobid = start(server, substeps=4)

    jobs.sees(jobid, "Succeeded")


def test_a_page_is_live_however_late_its_scripts_come(visit: Visit, server: EmbeddedServer) -> None:
    jobs = visit(server.address)
    jobs.page.route("**/hx-sse*", come_late)
    jobs.go("/")

    jobid = start(server, substeps=4)

    jobs.sees(jobid, "Succeeded")


def come_late(route: Route) -> None:
    time.sleep(0.5)
    route.continue_()


def test_a_page_that_is_hidden_listens_to_nothing(visit: Visit, server: EmbeddedServer) -> None:
    jobs = visit(server.address)
    until(lambda: server.connections() == 1)

    jobs.hide()
    until(lambda: server.connections() == 0)
    jobid = start(server, substeps=4)

    jobs.show()
    jobs.sees(jobid, "Succeeded")
    until(lambda: server.connections() == 1)


def test_a_page_that_is_opened_behind_another_one_listens_to_nothing(
    visit: Visit, server: EmbeddedServer
) -> None:
    jobs = visit(server.address)
    jobs.page.add_init_script(HIDDEN)
    jobs.go("/")
    until(lambda: server.connections() == 0)

    jobid = start(server, substeps=4)
    jobs.show()
    jobs.sees(jobid, "Succeeded")


def test_a_page_outlives_a_restart_of_the_server(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    jobs = visit(server.address)
    until(lambda: server.connections() == 1)

    server.end()
    jobs.sees("No news since", "the server does not answer")
    (tmp_path / "again").mkdir()
    templates = str(write_shots(tmp_path / "again"))
    again = EmbeddedServer(tmp_path / "again", "--templates", templates, port=server.port)
    try:
        jobid = start(again, substeps=4)
        jobs.sees(jobid, "Succeeded")
        assert "No news since" not in jobs.page.locator("body").inner_text()
    finally:
        again.end()
    jobs.errors.clear()  # the browser's own, of the time without a server
