"""Tests in a real browser (tests/support/browser.py), of a server with jobs in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.shots import write_shots
from tests.support.browser import browser, visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.own_network import own_network

_HERE = Path(__file__).parent
__all__ = ["browser", "visit"]  # pytest finds them here


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, so that `-m "not browser"` leaves it out."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.browser)


# Not "package": a folder without __init__.py is none to pytest, and the tests that follow in the
# same process would have this network, too.
@pytest.fixture(scope="module", autouse=True)
def network() -> Iterator[None]:
    """Keep browser and server apart from the interfaces of Pods that come and go meanwhile."""
    with own_network():
        yield


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """Serve jobs in memory, with the scripts and the template of shots.py."""
    server = EmbeddedServer(tmp_path, "--templates", str(write_shots(tmp_path)))
    yield server
    server.end()
