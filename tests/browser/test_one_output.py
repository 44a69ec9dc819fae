"""One output is followed in each browser: in the window that is looked at. Others ask for more."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.shots import start
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import DEADLINE_SECONDS, until
from tests.support.visitor import Visitor

SAYS = """\
import pathlib, time
def main(path):
    for number in range(3):
        print("step", number, flush=True)
        while not pathlib.Path(f"{path}-{number}").exists():
            time.sleep(0.01)
    print("and ended")
"""
COUNTS = """
window.readings = [];
const { fetch } = window;
window.fetch = (address, options) => {
    if (String(address).includes("/lines"))
        readings.push(new URL(address, location).searchParams.get("seen"));
    return fetch(address, options);
};
"""
MS = DEADLINE_SECONDS * 1000


def _readings(page: Page) -> list[str | None]:
    """Return what was seen each time when the output was asked for; None where it is followed."""
    readings: list[str | None] = page.evaluate("readings")
    return readings


def test_the_window_that_is_looked_at_follows_it_and_the_other_one_asks(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    (tmp_path / "wait_for.py").write_text(SAYS)
    jobid = start(server, "wait", path=str(tmp_path / "go"))
    first = visit(server.address)
    first.context.add_init_script(COUNTS)
    first.go(f"/jobs/{jobid}")
    first.sees("now at wait")
    address = f"/jobs/{jobid}/scripts/wait/attempts/1"
    first.go(address)
    second = Visitor(first.context, first.context.new_page(), first.address)
    second.go(address)
    one, other = first.page, second.page
    for page in (one, other):
        expect(page.locator("pre")).to_contain_text("step 0", timeout=MS)
    until(lambda: len(_readings(one)) >= 3)
    assert _readings(one)[-1]
    assert _readings(other) == [None]
    (tmp_path / "go-0").touch()
    for page in (one, other):
        expect(page.locator("pre")).to_contain_text("step 1", timeout=MS)

    first.focus()
    until(lambda: _readings(one)[-1] is None)
    before = len(_readings(one))
    (tmp_path / "go-1").touch()
    for page in (one, other):
        expect(page.locator("pre")).to_contain_text("step 2", timeout=MS)
    until(lambda: len(_readings(other)) >= 3)
    assert None not in _readings(other)[1:]
    assert len(_readings(one)) == before

    (tmp_path / "go-2").touch()
    for visitor in (first, second):
        visitor.sees("and ended", "Succeeded")
