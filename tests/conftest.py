"""How the workers of `pytest -n` share the tests."""

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_NODE = "tests/node/"


class _OneWorkerForTheNode(LoadScopeScheduling):  # type: ignore[misc]
    """Each test goes to the next worker that is free, and those on a node all to one.

    A machine has one node, and some of these tests stop parts of it. xdist's own groups have no
    effect since pytest 9.2: xdist 3.8 appends them to an attribute that is no longer read.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _NODE if nodeid.startswith(_NODE) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> object:
    """Return our scheduler where `--dist` has its usual value."""
    return _OneWorkerForTheNode(config, log) if config.getoption("dist") == "load" else None
