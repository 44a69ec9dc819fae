"""What a browser sends of a form that somebody touched in one place alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.request import urlopen

import pytest

from tests.browser.shots import start, state_of
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import until
from tests.support.visitor import Visitor


@pytest.mark.parametrize("title", ["a\u202eb\x1b[0m\rc", "\n one\r\ntwo\n", '"quoted"'])
def test_an_argument_that_nobody_touched_stays_as_it_was(
    visit: Callable[..., Visitor], server: EmbeddedServer, title: str
) -> None:
    jobid = start(server, title=title)
    until(lambda: state_of(server, jobid) == "Failed")
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}/resume")

    visitor.page.get_by_label("substeps", exact=True).fill("4")
    visitor.presses("Show what will run")
    visitor.sees("Changes: substeps of simulate")
    visitor.presses("Resume")

    until(lambda: state_of(server, jobid) == "Succeeded")
    with urlopen(f"{server.address}/get-job/{jobid}") as answer:  # noqa: S310  # of this machine
        scripts = json.load(answer)["scripts"]
    assert scripts[1]["parameters"] == {"substeps": 4, "title": title}
