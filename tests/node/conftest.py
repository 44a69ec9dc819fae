"""A real node for the tests of this folder: one per run, one namespace per test.

Where the machine cannot have a node, or its programs or images are not there yet, the tests are
skipped with a sentence; in CI that is a failure. `make test` gets all of it beforehand.
"""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dev.node.commands import shared
from dev.node.node import Node

from tests.support.nodes import new_namespace, why_no_node

_HERE = Path(__file__).parent
_SECONDS = 400
"""Against hangs: another test run may have the node first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder; those that want the machine to themselves come first."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.node)
            item.add_marker(pytest.mark.timeout(_SECONDS))
    items.sort(key=lambda item: "no_node" not in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def node() -> Generator[Node]:
    """One cluster with a node for the whole run, shared by its workers."""
    require_machine()
    run = os.environ.get("ENSO_TEST_NODE") or os.environ.get("PYTEST_XDIST_TESTRUNUID")
    run = run or secrets.token_hex(16)
    with shared(run[:8]) as shared_node:
        yield shared_node


@pytest.fixture
def no_node() -> None:
    """For tests that start and end nodes themselves; they run before `node` is there."""
    require_machine()


@pytest.fixture
def node_namespace(node: Node) -> Generator[str]:
    """A new namespace for one test, whose Pods must be `restricted`; it goes with them."""
    with restricted_namespace(node) as name:
        yield name


@contextmanager
def restricted_namespace(node: Node) -> Generator[str]:
    """Yield a namespace whose Pods must be `restricted`; remove it, and them, afterwards."""
    with new_namespace(node, "test") as name:
        node.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
        yield name


def require_machine() -> None:
    """Skip, or fail in CI, where there cannot be a node: nothing slow is made inside a test."""
    sentence = why_no_node()
    if sentence and os.environ.get("CI"):
        pytest.fail(sentence)
    if sentence:
        pytest.skip(sentence)
