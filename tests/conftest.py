"""How the workers of `pytest -n` share the tests."""

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_ONE_WORKER = ("tests/browser/", "tests/cluster/test_pages_of_two_users.py", "tests/node/")


class _OneWorkerForNodeAndBrowser(LoadScopeScheduling):  # type: ignore[misc]
    """Each test goes to the next worker that is free, those on a node and in a browser all to one.

    A machine has one node, and some of these tests stop parts of it. Its Pods come with network
    interfaces, at each of which chromium gives up what it loads (ERR_NETWORK_CHANGED). xdist's own
    groups have no effect since pytest 9.2: xdist 3.8 appends them to an attribute that is no longer
    read.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "one worker" if nodeid.startswith(_ONE_WORKER) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> object:
    """Return our scheduler where `--dist` has its usual value."""
    return _OneWorkerForNodeAndBrowser(config, log) if config.getoption("dist") == "load" else None
