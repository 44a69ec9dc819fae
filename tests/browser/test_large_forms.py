"""The form of a job with a hundred scripts, on a phone: what counts is in sight."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.shots import start_scripts, state_of
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import until

OPEN = ("open_shot", {"path": "/shots/010/banner.scene"})
PHONE = {"width": 360, "height": 640}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_failed_and_what_sends_the_form_are_in_sight(
    visit: Visit, server: EmbeddedServer, scheme: str
) -> None:
    jobid = start_scripts(
        server, *[OPEN] * 60, ("simulate_banner", {"title": "旗" * 200}), *[OPEN] * 39
    )
    until(lambda: state_of(server, jobid) == "Failed")
    visitor = visit(server.address, viewport=PHONE, color_scheme=scheme, java_script_enabled=False)
    page = visitor.page
    visitor.go(f"/jobs/{jobid}/resume")

    field = page.get_by_label("substeps", exact=True)
    resume = page.get_by_role("button", name="Resume", exact=True)
    expect(field).to_be_in_viewport()
    expect(resume).to_be_in_viewport(ratio=1)
    visitor.sees("99 other scripts run: their arguments")
    expect(page.get_by_label("path", exact=True).first).to_be_hidden()
    title = page.get_by_label("title", exact=True)
    assert title.evaluate("field => field.clientHeight >= field.scrollHeight")

    page.get_by_text("none of 40 scripts").click()
    page.get_by_label("open-shot-99", exact=True).check()
    field.fill("many")
    page.get_by_role("button", name="Show what will run").click()
    visitor.sees("This must be an integer from 1 to 64.")
    assert "This must be" in page.evaluate(
        "document.getElementById('arg:simulate-banner:substeps').getAttribute('aria-describedby')"
        ".split(' ').map(id => document.getElementById(id).innerText).join(' ')"
    )
    expect(page.get_by_label("open-shot-99", exact=True)).to_be_checked()
    page.get_by_role("link", name="substeps of simulate-banner").click()
    expect(field).to_be_in_viewport(ratio=1)
    expect(resume).to_be_in_viewport(ratio=1)

    page.get_by_role("link", name="Plan:").click()
    expect(page.get_by_role("heading", name="What will run")).to_be_in_viewport()
    assert visitor.overflow() == 0
    field.fill("4")
    resume.click()
    until(lambda: state_of(server, jobid) == "Succeeded")


def test_an_audit_finds_nothing_where_much_is_refused(visit: Visit, server: EmbeddedServer) -> None:
    jobid = start_scripts(server, ("simulate_banner", {}), OPEN, OPEN)
    until(lambda: state_of(server, jobid) == "Failed")
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}/resume")
    visitor.page.get_by_label("substeps", exact=True).fill("many")
    visitor.page.get_by_label("From").select_option("open-shot-2, and all after it")
    visitor.page.get_by_label("open-shot", exact=True).check()
    visitor.presses("Show what will run")
    visitor.sees("These have to be mended first", "It cannot go on at 'open-shot-2'")
    assert visitor.violations() == []
