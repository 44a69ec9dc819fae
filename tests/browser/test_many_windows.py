"""Many windows of one browser side by side: it opens no more than six connections to a host."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.shots import start
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import DEADLINE_SECONDS

WINDOWS = 8
MS = DEADLINE_SECONDS * 1000


def test_all_of_them_load_and_become_current(visit: Visit, server: EmbeddedServer) -> None:
    first = visit(server.address)
    windows = [first.page, *(first.context.new_page() for _ in range(WINDOWS - 1))]
    for window in windows[1:]:
        window.goto(server.address)
        expect(window.get_by_text("There are no jobs yet")).to_be_visible(timeout=MS)

    jobid = start(server, substeps=4)

    for window in windows:
        expect(window.locator("body")).to_contain_text(jobid, timeout=MS)
        expect(window.locator("body")).to_contain_text("3/3", timeout=MS)
        expect(window.locator("#trouble")).to_be_empty()
