"""The axis of time of a job: its labels have room, and it says when the job began and ended."""

from __future__ import annotations

import pytest

from enso_operator.http_api.web.views.labels import CHARACTER
from enso_operator.http_api.web.views.words import age, elapsed
from tests.browser.shots import failed
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer

SHOWN = """() => [...document.querySelectorAll(".axis text")].map((text) => {
    const {left, right, top} = text.getBoundingClientRect();
    return {text: text.textContent, left, right, top: Math.round(top)};
}).filter(({left, right}) => right > left)"""
"""The labels that are seen, and where."""
LONGEST = """(text) => {
    const label = document.querySelector(".axis text");
    label.textContent = text;
    return label.getComputedTextLength();
}"""


@pytest.mark.parametrize("width", [360, 800, 1280, 2560])
def test_labels_stand_apart_within_the_page(
    visit: Visit, server: EmbeddedServer, width: int
) -> None:
    jobid = failed(server)
    visitor = visit(server.address, viewport={"width": width, "height": 900})
    visitor.go(f"/jobs/{jobid}")
    visitor.sees("ran for", "ended")

    labels = visitor.page.evaluate(SHOWN)

    assert len(labels) == 3, labels  # the session, the beginning and the end
    for one in labels:
        assert 0 <= one["left"] < one["right"] <= width, labels
        for other in labels:
            is_before = one["left"] < other["left"] and one["top"] == other["top"]
            assert not is_before or one["right"] < other["left"], labels


@pytest.mark.parametrize("text", ["11-29 22:41:07", "22:41:07, 16 h 40 min later", "houdini-10"])
def test_labels_are_no_wider_than_the_server_thinks(
    visit: Visit, server: EmbeddedServer, text: str
) -> None:
    jobid = failed(server)
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")

    assert visitor.page.evaluate(LONGEST, text) <= len(text) * CHARACTER


def test_the_browser_tells_durations_as_the_server_does(
    visit: Visit, server: EmbeddedServer
) -> None:
    page = visit(server.address).page

    for seconds in (0, 1.9, 59, 60, 407, 3_599, 3_600, 14_380, 86_399, 86_400, 190_000, 9e6):
        assert page.evaluate("told", seconds) == elapsed(seconds)
        assert page.evaluate("age", seconds) == age(seconds)
