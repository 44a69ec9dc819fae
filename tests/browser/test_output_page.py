"""The page of an attempt: where it opens, what it folds, and what is left out of it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request, urlopen

from playwright.sync_api import expect

from tests.browser.shots import state_of
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import DEADLINE_SECONDS, until

SCRIPT = r"""
import enso
def main(**given):
    for frame in range(300):
        enso.progress(frame / 3, f"at frame {frame}")
        print("frame", frame, "\u202egnp \x9b31m")
    print("no licence is free")
    for frame in range(300):
        print("cleaned", frame)
    raise RuntimeError("no licence is free")
"""
WAITS = r"""
import pathlib, time
import enso
def main(path):
    print("\u202egnp \x9b31m \u2028")
    print("begun", end="", flush=True)
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
    print(" and ended")
    enso.progress(50)
    raise RuntimeError("no licence is free")
"""
LONG = "ANameThatIsLongAndHasNoPlaceAtWhichItMayBeBroken" * 2
SHOWN = r"frame 299 \u202egnp \x9b31m"
MS = DEADLINE_SECONDS * 1000


def _failed(server: EmbeddedServer, folder: Path, **arguments: object) -> str:
    jobid = _started(server, folder, "render", SCRIPT, **arguments)
    until(lambda: state_of(server, jobid) == "Failed")
    return jobid


def _started(
    server: EmbeddedServer, folder: Path, script: str, source: str, **arguments: object
) -> str:
    (folder / f"{script}.py").write_text(source)
    jobid = _post(server, "/add-job", {"instructions": [[script, arguments]]})["jobid"]
    _post(server, "/execute-job", {"jobid": jobid})
    return jobid


def _post(server: EmbeddedServer, path: str, body: object) -> dict[str, str]:
    request = Request(  # noqa: S310  # of this machine
        server.address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request) as answer:  # noqa: S310  # of this machine
        answered: dict[str, str] = json.load(answer)
    return answered


def test_it_opens_at_the_line_that_tells_why_also_without_javascript(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    jobid = _failed(server, tmp_path)
    visitor = visit(server.address, java_script_enabled=False)
    visitor.go(f"/jobs/{jobid}")

    visitor.follows("all of them")

    mark = visitor.page.locator("mark", has_text="no licence is free").first
    expect(mark).to_be_in_viewport(timeout=MS)
    expect(visitor.page.get_by_role("heading", name="render")).not_to_be_in_viewport()


def test_lines_of_progress_are_folded_until_somebody_asks(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    jobid = _failed(server, tmp_path)
    for path in (f"/jobs/{jobid}/scripts/render/attempts/1", f"/jobs/{jobid}"):
        visitor = visit(server.address)
        visitor.go(path)
        if path.endswith(jobid):
            visitor.page.locator(".script > details > summary").click()
        visitor.sees(SHOWN, "Show progress lines (600)")
        told = visitor.page.get_by_text("openjd_status: at frame 299")
        expect(told).to_be_hidden()

        visitor.page.get_by_label("Show progress lines").check()

        expect(told).to_be_visible()
        assert visitor.violations() == []


def test_the_panel_of_a_job_shows_the_line_that_tells_why(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    jobid = _failed(server, tmp_path)
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")

    visitor.page.locator(".script > details > summary").click()

    panel = visitor.page.locator(".panel")
    expect(panel.locator("mark").first).to_have_text("no licence is free", timeout=MS)
    panel.scroll_into_view_if_needed()
    expect(panel.locator("mark").first).to_be_in_viewport()


def test_long_names_and_many_arguments_fit_a_narrow_window(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    arguments = {LONG: "x" * 5000} | {f"argument_{number}": number for number in range(40)}
    jobid = _failed(server, tmp_path, **arguments)
    for width in (360, 400, 1280):
        visitor = visit(server.address, viewport={"width": width, "height": 800})
        visitor.go(f"/jobs/{jobid}")
        visitor.sees("and 28 more")
        visitor.page.locator(".script > details > summary").click()
        visitor.sees("9 more", "all arguments")
        assert visitor.overflow() == 0
        value = visitor.page.locator(".failure .values dd").first.bounding_box()
        assert value is not None
        assert value["width"] > width * 0.4 if width < 500 else value["width"] > 200

    visitor.follows("all 5,000 characters")

    visitor.sees("x" * 5000)


def test_what_runs_is_shown_by_the_same_rule_and_marked_once_it_has_failed(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    jobid = _started(server, tmp_path, "waits", WAITS, path=str(tmp_path / "go"))
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")
    visitor.page.locator(".script > details > summary").click()
    visitor.sees("Running", r"\u202egnp \x9b31m \u2028", "begun")

    (tmp_path / "go").touch()

    mark = visitor.page.locator(".panel mark", has_text="no licence is free").first
    expect(mark).to_be_visible(timeout=MS)
    visitor.sees("begun and ended", "Show progress lines (1)")


def test_an_output_is_not_followed_while_its_page_is_hidden(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    jobid = _started(server, tmp_path, "waits", WAITS, path=str(tmp_path / "go"))
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")
    visitor.sees("now at waits")
    visitor.go(f"/jobs/{jobid}/scripts/waits/attempts/1")
    expect(visitor.page.locator("pre")).to_contain_text("begun", timeout=MS)
    until(lambda: server.connections() == 2)

    visitor.hide()
    until(lambda: server.connections() == 0)
    (tmp_path / "go").touch()

    visitor.show()
    visitor.sees("begun and ended")
