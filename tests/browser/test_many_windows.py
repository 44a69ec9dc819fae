"""Many windows of one browser side by side: it opens no more than six connections to a host."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.shots import start
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import DEADLINE_SECONDS, until

WINDOWS = 8
WAITS = """\
import pathlib, time
def main(path):
    print("begun", flush=True)
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
    print("and ended")
"""
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
    until(lambda: server.connections() == 1)


def test_all_of_them_follow_an_output_to_its_end(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    (tmp_path / "wait_for.py").write_text(WAITS)
    jobid = start(server, "wait", path=str(tmp_path / "go"))
    first = visit(server.address)
    first.go(f"/jobs/{jobid}")
    first.sees("now at wait")
    address = f"{server.address}/jobs/{jobid}/scripts/wait/attempts/1"
    windows = [first.page, *(first.context.new_page() for _ in range(WINDOWS - 1))]
    for window in windows:
        window.goto(address)
        expect(window.locator("pre")).to_contain_text("begun", timeout=MS)

    (tmp_path / "go").touch()

    for window in windows:
        expect(window.locator("pre")).to_contain_text("and ended", timeout=MS)
        expect(window.locator("#trouble")).to_be_empty()
