"""Tests in a real browser (tests/support/browser.py), of a server with jobs in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.shots import write_shots
from tests.support.browser import browser, visit
from tests.support.embedded_server import EmbeddedServer

_HERE = Path(__file__).parent
__all__ = ["browser", "visit"]  # pytest finds them here


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, so that `-m "not browser"` leaves it out."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """Serve jobs in memory, with the scripts and the template of shots.py."""
    server = EmbeddedServer(tmp_path, "--templates", str(write_shots(tmp_path)))
    yield server
    server.end()
