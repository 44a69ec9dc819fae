"""Times say their zones, and narrow pages say what their cells are."""

from __future__ import annotations

import re

from tests.browser.shots import failed
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer


def test_the_title_of_a_time_has_the_zones_of_both_that_it_tells(
    visit: Visit, server: EmbeddedServer
) -> None:
    jobid = failed(server)
    visitor = visit(server.address, timezone_id="Asia/Tokyo")
    visitor.go(f"/jobs/{jobid}")
    visitor.sees("ended")

    time = visitor.page.locator("time.moment").first
    day = r"\d{4}-\d\d-\d\d"
    title = time.get_attribute("title") or ""
    assert re.match(rf"{day} [\d:]{{8}} \S+ \({day} [\d:]{{8}} UTC\), ", title), title
    shown = time.text_content() or ""
    assert shown[-8:] == title.split()[1]
    assert "UTC" not in title.split("(")[0]


def test_a_narrow_page_says_what_stands_in_the_cells_of_an_attempt(
    visit: Visit, server: EmbeddedServer
) -> None:
    jobid = failed(server)
    visitor = visit(server.address, viewport={"width": 390, "height": 900})
    visitor.go(f"/jobs/{jobid}#script-simulate")
    visitor.sees("Show output")
    labels = visitor.page.locator("#script-simulate .attempts tbody td").evaluate_all(
        "cells => cells.map(cell => getComputedStyle(cell, '::before').content)"
    )
    for label in ("attempt", "started", "ran for", "session"):
        assert any(label in said for said in labels), labels

    visitor.go(f"/jobs/{jobid}/events")
    heading = visitor.page.locator(".events thead").bounding_box()
    assert heading is not None
    assert heading["x"] + heading["width"] < 0
