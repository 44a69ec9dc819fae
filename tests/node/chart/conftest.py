"""The chart on the node: every test has a release, and jobs, in namespaces of their own."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from dev.node.node import Node
from kubernetes.client import ApiClient

from tests.node.chart.release import Release, ReleaseNamespace
from tests.node.conftest import restricted_namespace
from tests.node.jobs.conftest import client
from tests.support.chart import need_helm

__all__ = ["client"]


@pytest.fixture
def ns(node: Node, client: ApiClient, node_namespace: str) -> ReleaseNamespace:
    """One namespace, whose Pods must pass Pod Security `restricted`."""
    need_helm()
    return ReleaseNamespace(node, client, node_namespace)


@pytest.fixture
def release(node: Node, ns: ReleaseNamespace) -> Generator[Release]:
    """A release that is not installed yet; it goes with its namespace."""
    with restricted_namespace(node) as name:
        yield Release(ns, name)
