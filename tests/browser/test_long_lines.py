"""Outputs that a browser must not take long for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

from playwright.sync_api import expect

from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import DEADLINE_SECONDS
from tests.support.visitor import Visitor

SCRIPT = r"""
def main():
    print("x" * 240 * 1024)
    print("10%\r50%\r100%\r\nthe end")
"""


def test_a_line_as_long_as_an_output_is_shown(
    visit: Callable[..., Visitor], server: EmbeddedServer, tmp_path: Path
) -> None:
    (tmp_path / "long.py").write_text(SCRIPT)
    jobid = _post(server, "/add-job", {"instructions": [["long", dict[str, object]()]]})
    _post(server, "/execute-job", {"jobid": jobid})
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")
    visitor.sees("Succeeded")

    visitor.page.locator("summary", has_text="long").first.click()

    shown = visitor.page.locator("[data-lines] pre").first
    expect(shown).to_contain_text(
        "x … 241,760 more characters\n100%\nthe end", timeout=DEADLINE_SECONDS * 1000
    )
    expect(shown).not_to_contain_text("50%")


def _post(server: EmbeddedServer, path: str, body: object) -> str:
    request = Request(  # noqa: S310  # of this machine
        server.address + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(request) as answer:  # noqa: S310  # of this machine
        return str(json.load(answer)["jobid"])
