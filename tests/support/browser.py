"""A real browser: the chromium of this machine, driven by Playwright. Fixtures for tests of pages.

Where there is none the tests are skipped with a sentence; in CI that is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from dev.host import requirements
from playwright.sync_api import Browser, sync_playwright

from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]
"""Opens a window at an address; options are those of Playwright."""


@pytest.fixture(scope="module")  # not longer: other tests run loops of their own in this process
def browser() -> Iterator[Browser]:
    """Start the browser."""
    program = requirements.find(requirements.BROWSER)
    if program is None:
        sentence = f"there is no {requirements.BROWSER} on this machine: apt-get install it"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        # Everything that it shows is ours, and root's processes have no sandbox.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Return a function that opens a window of its own; at the end each one had no error."""
    visitors: list[Visitor] = []

    def open_window(address: str, **options: object) -> Visitor:
        visitors.append(Visitor.of(browser, address, options))
        return visitors[-1]

    yield open_window
    errors = [error for visitor in visitors for error in visitor.errors]
    for visitor in visitors:
        visitor.leave()
    assert errors == []
