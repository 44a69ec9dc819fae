"""A page whose first request for its stream fails becomes live all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Request, Route, expect

from tests.browser.shots import start
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import DEADLINE_SECONDS, until
from tests.support.visitor import Visitor

DEADLINE = DEADLINE_SECONDS * 1000
HIDDEN = "Object.defineProperty(document, 'hidden', {value: true, configurable: true})"
FAILURES: dict[str, Callable[[Route], None]] = {
    "no server": lambda route: route.abort("connectionrefused"),
    "a proxy without one": lambda route: route.fulfill(
        status=502, content_type="text/html", body="<h1>Bad Gateway</h1>"
    ),
}


@pytest.mark.parametrize("how", FAILURES)
def test_a_page_whose_first_stream_is_refused_is_soon_live(
    visit: Visit, server: EmbeddedServer, how: str
) -> None:
    jobs = visit(server.address)
    asked = refuse(jobs, FAILURES[how], times=2)
    jobs.go("/")
    jobs.sees("No news since", "the server does not answer")

    expect(jobs.page.locator("#trouble")).to_be_empty(timeout=DEADLINE)
    jobid = start(server, substeps=4)

    jobs.sees(jobid, "Succeeded")
    assert len(asked) == 3
    assert jobs.page.locator("h1", has_text="Bad Gateway").count() == 0
    until(lambda: server.connections() == 1)
    jobs.errors.clear()  # the browser's own, of what was refused


def test_the_sentence_says_that_somebody_is_signed_out(
    visit: Visit, server: EmbeddedServer
) -> None:
    jobs = visit(server.address)
    refuse(jobs, lambda route: route.fulfill(status=401, body=""), times=1)
    jobs.go("/")
    jobs.sees("you are signed out")
    expect(jobs.page.locator("#trouble")).to_be_empty(timeout=DEADLINE)
    jobs.errors.clear()  # the browser's own, of what was refused


def test_a_page_that_is_hidden_by_then_asks_once_it_is_seen(
    visit: Visit, server: EmbeddedServer
) -> None:
    jobs = visit(server.address)
    asked = refuse(jobs, FAILURES["no server"], times=1)
    jobs.page.clock.install()
    jobs.page.add_init_script(HIDDEN)
    jobs.go("/")
    jobs.sees("No news since")
    jobs.page.clock.fast_forward(60_000)
    assert len(asked) == 1

    jobs.show()

    expect(jobs.page.locator("#trouble")).to_be_empty(timeout=DEADLINE)
    jobid = start(server, substeps=4)
    jobs.sees(jobid, "Succeeded")
    jobs.errors.clear()  # the browser's own, of what was refused


def refuse(visitor: Visitor, how: Callable[[Route], None], times: int) -> list[Request]:
    """Refuse the first requests for a stream; return all of them, as they come."""
    asked: list[Request] = []

    def count(request: Request) -> None:
        if "/live?" in request.url:
            asked.append(request)

    visitor.page.on("request", count)
    visitor.page.route("**/live?*", how, times=times)
    return asked
