"""One stream of events for each browser: who has it, and how often others ask."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from playwright.sync_api import expect

from tests.browser.shots import start
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import until
from tests.support.visitor import Visitor

SILENT_SECONDS = 8.0
"""Longer than any pause between two requests of a window that asks now and then."""
SHORTEST_PAUSE_SECONDS = 3.4
"""Of such a window; the pauses differ, so that not all windows ask at once."""
COUNTS = """
window.liveRequests = [];
const { fetch } = window;
window.fetch = (address, options) => {
    if (address.includes("/live"))
        liveRequests.push({ at: Date.now() / 1000, seen: options.headers["Last-Event-ID"] ?? "" });
    return fetch(address, options);
};
window.countedSwaps = 0;
document.addEventListener("htmx:after:swap", () => countedSwaps++);
"""
WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', {value: undefined});"


@dataclass
class Window:
    """One of several that are seen side by side."""

    visitor: Visitor

    @property
    def asked(self) -> list[dict[str, Any]]:
        """When it asked for what changed, and what it had seen by then."""
        asked: list[dict[str, Any]] = self.visitor.page.evaluate("liveRequests")
        return asked

    def swaps(self) -> int:
        swaps: int = self.visitor.page.evaluate("countedSwaps")
        return swaps

    def has_stream(self) -> bool:
        """Whether it has the stream, as it knows itself, and has not asked for so long."""
        has_place: bool = self.visitor.page.evaluate("hasPlace()")
        return has_place and self.is_silent()

    def is_silent(self) -> bool:
        """Whether it has not asked for longer than windows do that ask now and then."""
        silence: float = self.visitor.page.evaluate("Date.now() / 1000 - liveRequests.at(-1).at")
        return silence > SILENT_SECONDS

    def asks_again(self, times: int = 2) -> None:
        """Wait until it has asked so often."""
        before = len(self.asked)
        until(lambda: len(self.asked) >= before + times)


def _windows(
    visit: Visit, server: EmbeddedServer, count: int, script: str = COUNTS
) -> list[Window]:
    """Open windows of one browser; the last one has the focus."""
    first = visit(server.address)
    first.context.add_init_script(script)
    first.go("/")
    visitors = [first]
    for _ in range(count - 1):
        visitors.append(Visitor(first.context, first.context.new_page(), first.address))
        visitors[-1].go("/")
    return [Window(visitor) for visitor in visitors]


def test_the_window_that_is_looked_at_has_it_and_the_other_asks_now_and_then(
    visit: Visit, server: EmbeddedServer
) -> None:
    one, other = _windows(visit, server, 2)

    for _ in range(10):
        one.visitor.focus()
        other.visitor.focus()
    one.visitor.focus()

    until(one.has_stream)
    begun, before = other.asked[-1], len(one.asked)
    assert before <= 2 + 2 * 11  # no more than it was looked at, and turned away from
    other.asks_again()
    assert len(one.asked) == before
    asked = [each["at"] for each in other.asked if each["at"] >= begun["at"]]
    assert min(later - earlier for earlier, later in pairwise(asked)) > SHORTEST_PAUSE_SECONDS
    until(lambda: server.connections() == 1)

    jobid = start(server, substeps=4)
    for window in (one, other):
        window.visitor.sees(jobid, "Succeeded")
        expect(window.visitor.page.locator("#trouble")).to_be_empty()


def test_who_asks_is_sent_only_what_changed_since(visit: Visit, server: EmbeddedServer) -> None:
    asks, _ = _windows(visit, server, 2)
    jobid = start(server, substeps=4)
    asks.visitor.sees(jobid, "3/3")
    asks.asks_again()
    swaps, seen = asks.swaps(), asks.asked[-1]["seen"]
    assert swaps
    assert seen

    asks.asks_again(3)

    assert asks.swaps() == swaps
    assert {each["seen"] for each in asks.asked[-3:]} == {seen}


def test_another_window_takes_it_over_from_one_that_is_closed_or_hidden(
    visit: Visit, server: EmbeddedServer
) -> None:
    stays, hides, closes = _windows(visit, server, 3)
    hides.visitor.hide()

    closes.visitor.page.close()

    until(stays.has_stream)
    until(hides.is_silent)
    hides.visitor.show()
    hides.visitor.sees("There are no jobs yet")
    until(hides.has_stream)
    stays.asks_again()
    hides.visitor.hide()
    until(stays.has_stream)
    until(lambda: server.connections() == 1)


def test_without_locks_a_window_has_it_while_it_has_the_focus(
    visit: Visit, server: EmbeddedServer
) -> None:
    (window,) = _windows(visit, server, 1, WITHOUT_LOCKS + COUNTS)
    until(window.has_stream)

    window.visitor.page.evaluate("window.dispatchEvent(new Event('blur'))")
    window.asks_again()
    jobid = start(server, substeps=4)
    window.visitor.sees(jobid, "Succeeded")

    window.visitor.focus()
    until(window.has_stream)
    until(lambda: server.connections() == 1)
