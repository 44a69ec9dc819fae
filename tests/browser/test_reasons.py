"""The menu of reasons, while somebody looks at the list."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.shots import failed
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import DEADLINE_SECONDS


def test_a_reason_can_be_chosen_as_soon_as_a_job_has_failed_for_it(
    visit: Visit, server: EmbeddedServer
) -> None:
    visitor = visit(server.address)
    visitor.sees("There are no jobs yet.")
    menu = visitor.page.get_by_label("Reason", exact=True)
    expect(menu).to_have_count(0)

    broken = failed(server)

    option = menu.locator("option", has_text="RuntimeError (1)")
    expect(option).to_have_count(1, timeout=DEADLINE_SECONDS * 1000)
    menu.select_option("RuntimeError")
    visitor.page.get_by_label("Without reason RuntimeError").wait_for()
    visitor.sees(broken)
    assert visitor.violations() == []
