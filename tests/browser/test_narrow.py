"""What somebody sees on a phone: the plan of a resume is a touch away, and JSON has no holes."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.shots import failed, start_scripts
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer

PHONE = {"width": 390, "height": 844}
LINES = """(() => {
    const shown = document.querySelector(".values .json");
    const texts = document.createTreeWalker(shown, NodeFilter.SHOW_TEXT), lines = {};
    for (let text; (text = texts.nextNode());)
        for (let at = 0; at < text.length; at++) {
            const range = document.createRange();
            range.setStart(text, at);
            range.setEnd(text, at + 1);
            const top = Math.round(range.getBoundingClientRect().top / 4);
            lines[top] = (lines[top] || "") + text.data[at];
        }
    return Object.values(lines);
})()"""
"""Returns the lines of an argument as they are broken."""


def test_the_plan_of_a_resume_is_a_touch_away(visit: Visit, server: EmbeddedServer) -> None:
    jobid = failed(server)
    visitor = visit(server.address, viewport=PHONE)
    visitor.go(f"/jobs/{jobid}/resume")
    page = visitor.page
    link = page.get_by_role("link", name="Plan: 2 scripts run, 1 runs again")
    expect(link).to_be_in_viewport(ratio=1)
    link.click()
    expect(page.get_by_role("heading", name="What will run, and what is kept")).to_be_in_viewport()
    expect(page.get_by_role("row", name="open")).to_be_in_viewport(ratio=1)
    assert visitor.overflow() == 0


def test_a_long_text_in_json_begins_where_its_line_does(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    (tmp_path / "take.py").write_text("def main(**kwargs):\n    pass\n")
    jobid = start_scripts(server, ("take", {"points": ["x" * 150]}))
    visitor = visit(server.address, viewport=PHONE)
    visitor.go(f"/jobs/{jobid}")
    visitor.page.locator("summary", has_text="take").first.click()
    expect(visitor.page.locator(".values .json").first).to_contain_text("xxx")
    lines = visitor.page.evaluate(LINES)
    assert len(lines) > len(["[", "x", "]"])
    assert [line for line in lines if not line.strip()] == []
