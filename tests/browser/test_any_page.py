"""What is true of every page: readable for all, in both schemes, on a phone and on a wall."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.shots import failed
from tests.browser.visitor import Visitor
from tests.support.embedded_server import EmbeddedServer

Visit = Callable[..., Visitor]
PAGES = ["/", "/jobs/{jobid}", "/jobs/{jobid}/events", "/jobs/{jobid}/resume", "/?state=Failed"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_audit_finds_nothing(visit: Visit, server: EmbeddedServer, scheme: str) -> None:
    visitor = visit(server.address, color_scheme=scheme)
    visitor.sees("There are no jobs yet")
    assert visitor.violations() == []

    jobid = failed(server)
    for page in PAGES:
        visitor.go(page.format(jobid=jobid))
        visitor.sees(jobid)
        assert visitor.violations() == []


@pytest.mark.parametrize("width", [360, 2560])
def test_nothing_is_wider_than_the_window(visit: Visit, server: EmbeddedServer, width: int) -> None:
    jobid = failed(server)
    visitor = visit(server.address, viewport={"width": width, "height": 800})
    for page in PAGES:
        visitor.go(page.format(jobid=jobid))
        assert visitor.overflow() == 0


def test_all_can_be_read_without_scripts(visit: Visit, server: EmbeddedServer) -> None:
    jobid = failed(server)

    visitor = visit(server.address, java_script_enabled=False)
    visitor.sees("Jobs", jobid)
    for page in PAGES:
        visitor.go(page.format(jobid=jobid))
        visitor.sees(jobid)
