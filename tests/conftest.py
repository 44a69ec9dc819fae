"""How the workers of `pytest -n` share the tests, and get them."""

import sys
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_ON_THE_NODE = ("tests/node/", "tests/cluster/test_pages_of_two_users.py")
_BROWSERS = "tests/browser/"
_SHARED = '@pytest.fixture(scope="module")'


class _OneWorkerForTheNode(LoadScopeScheduling):  # type: ignore[misc]
    """Each test goes to the next worker that is free, those on a node all to one.

    A machine has one node, and some of these tests stop parts of it. Its Pods come with network
    interfaces, at each of which chromium gives up what it loads (ERR_NETWORK_CHANGED). So a browser
    in the machine's own network has its turn among them; those of tests/browser have networks of
    their own, and each file one chromium. Files whose tests share a fixture stay together, too.
    Groups start first, the largest before all.

    xdist's own groups have no effect since pytest 9.2: xdist 3.8 appends them to an attribute that
    is no longer read.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_ON_THE_NODE):
            return "the node"
        file = nodeid.partition("::")[0]
        together = file.startswith(_BROWSERS) or _shares(self.config.rootpath / file)
        return file if together else nodeid


@cache
def _shares(file: Path) -> bool:
    """Say whether its tests share what each worker would make for itself, a cluster even."""
    return _SHARED in file.read_text("utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> object:
    """Return our scheduler where `--dist` has its usual value."""
    return _OneWorkerForTheNode(config, log) if config.getoption("dist") == "load" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let pytest keep the bytecode of the tests, also where Python may write none.

    Each worker would compile all of them in each run: more than half of its collection's seconds.
    """
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        return (yield)
    finally:
        sys.dont_write_bytecode = before
