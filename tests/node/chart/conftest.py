"""The chart on the node: every test has a release of its own, in a namespace of its own."""

from __future__ import annotations

import pytest
from dev.node.node import Node
from kubernetes.client import ApiClient

from tests.node.chart.release import Release, ReleaseDesk
from tests.node.jobs.conftest import client
from tests.support.chart import need_helm

__all__ = ["client"]


@pytest.fixture
def desk(node: Node, client: ApiClient, node_namespace: str) -> ReleaseDesk:
    """One namespace, whose Pods must pass Pod Security `restricted`."""
    need_helm()
    return ReleaseDesk(node, client, node_namespace)


@pytest.fixture
def release(desk: ReleaseDesk) -> Release:
    """A release that is not installed yet; it goes with its namespace."""
    return Release(desk)
