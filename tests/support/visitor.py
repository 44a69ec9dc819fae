"""Somebody in front of a browser: a window, what is wrong with it, and what an audit says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Self

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.support.eventually import DEADLINE_SECONDS

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")

MS = DEADLINE_SECONDS * 1000
expect.set_options(timeout=MS)  # as all that waits: a busy machine is slow to show things
MOST_TABS = 50
FOCUSED = """(() => {
    const element = document.activeElement;
    return [...(element.labels || []), element].map(named => named.innerText).join(" ");
})()"""
"""The name of what has the focus: its text, or those of its labels."""


@dataclass
class Visitor:
    """One window, with cookies of its own."""

    context: BrowserContext
    page: Page
    address: str
    errors: list[str] = field(default_factory=list[str])
    """What the console complained about, failed requests and answers with an error among it."""

    @classmethod
    def of(cls, browser: Browser, address: str, options: Mapping[str, Any]) -> Self:
        """Open a window at the first page of a server; options are those of Playwright."""
        context = browser.new_context(**options)
        context.set_default_timeout(MS)
        visitor = cls(context, context.new_page(), address)
        visitor.page.on("console", visitor._hear)
        visitor.page.on("pageerror", lambda error: visitor.errors.append(str(error)))
        visitor.go("/")
        return visitor

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.errors.append(f"{said.text} ({said.location['url']})")

    def go(self, path: str) -> None:
        """Open a page of the server."""
        self.page.goto(self.address + path)

    def sees(self, *texts: str) -> None:
        """Wait until all the texts are visible, without the page being loaded anew."""
        for text in texts:
            expect(self.page.locator("body")).to_contain_text(text, use_inner_text=True)

    def follows(self, text: str) -> None:
        """Follow a link by its text."""
        self.page.get_by_role("link", name=text).first.click()

    def presses(self, text: str) -> None:
        """Press a button, or what looks like one, by its text."""
        button = self.page.get_by_role("button", name=text, exact=True)
        button.or_(self.page.get_by_role("link", name=text, exact=True)).first.click()

    def fills(self, label: str, text: str) -> None:
        """Write into a field, found by its label."""
        self.page.get_by_label(label).first.fill(text)

    def goes_by_tab_to(self, name: str) -> None:
        """Press Tab until something of that name has the focus; what stands in it is selected."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if name in self.page.evaluate(FOCUSED):
                return
        raise AssertionError(f"Tab never comes to {name}")

    def skips_the_browsers_own_checks(self) -> None:
        """Send forms as they are, as a browser without checks of its own does."""
        self.page.evaluate("for (const form of document.forms) form.noValidate = true")

    def hide(self) -> None:
        """Look at something else: the page is hidden, as behind another tab."""
        self._be_visible("hidden")

    def show(self) -> None:
        """Look at the page again."""
        self._be_visible("visible")

    def focus(self) -> None:
        """Turn to this window, which was visible beside another one."""
        # Each window of a headless browser has the focus: it is told what others tell theirs.
        self.page.evaluate("window.dispatchEvent(new Event('focus'))")

    def _be_visible(self, state: str) -> None:
        # Headless browsers show every page: the page is told what a browser with tabs tells it.
        self.page.evaluate(
            """state => {
                const shown = {visibilityState: state, hidden: state === "hidden"};
                for (const [name, value] of Object.entries(shown))
                    Object.defineProperty(document, name, {value, configurable: true});
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            state,
        )

    def violations(self) -> list[str]:
        """Return what an accessibility audit (axe) has against the page, each with its element."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("axe.run()")["violations"]
        return [
            f"{rule['id']}: {node['html']}: {node['failureSummary']}"
            for rule in found
            for node in rule["nodes"]
        ]

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        wide: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wide

    def leave(self) -> None:
        """Close the window."""
        self.context.close()
