"""Jobs whose sessions are Pods of a real node, run by operators that a test can kill.

The operators are processes of this machine: the one that the chart installs has tests of its own.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import count
from pathlib import Path

import pytest
from dev.cluster.commands import install_crds
from dev.node.images import PYTHON
from dev.node.node import Node
from dev.node.operator_image import NAME as OPERATOR
from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

pytest.register_assert_rewrite("tests.node.jobs.one_job")

from tests.node.conftest import restricted_namespace  # noqa: E402
from tests.node.jobs.lanes import Lane, lanes_of  # noqa: E402
from tests.node.jobs.one_job import House, OneJob  # noqa: E402
from tests.node.jobs.pod_namespace import PodNamespace  # noqa: E402
from tests.support.operators import Operator, Operators, operators_of  # noqa: E402

PODS = ("--sessions=pods", f"--records-image={OPERATOR}", f"--session-image={PYTHON}")


@pytest.fixture(scope="session")
def client(node: Node) -> Generator[ApiClient]:
    """The official client, of the node's cluster with our resources in it."""
    install_crds(node.kubectl)
    with new_client_from_config(str(node.kubeconfig)) as api_client:  # type: ignore[no-untyped-call]
        yield api_client


@pytest.fixture
def ns(node: Node, client: ApiClient, node_namespace: str) -> PodNamespace:
    """One namespace, whose Pods must pass Pod Security `restricted`."""
    return PodNamespace(node, client, node_namespace)


@pytest.fixture
def operators(ns: PodNamespace, tmp_path: Path) -> Generator[Operators]:
    """A starter of operators whose sessions are Pods."""
    with operators_of(ns.node.kubeconfig, ns.namespace, tmp_path, PODS) as started:
        yield started


@pytest.fixture
def operator(operators: Operators) -> Operator:
    """One operator that is ready."""
    return operators.ready()


@pytest.fixture(scope="module")
def flags() -> Sequence[str]:
    """More flags for the operator of `house`; test files may override this."""
    return ("--grace-seconds=2",)


@pytest.fixture(scope="module")
def house(
    node: Node,
    client: ApiClient,
    flags: Sequence[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[House]:
    """A namespace for a file of tests, with one operator."""
    root = tmp_path_factory.mktemp("house")
    with (
        restricted_namespace(node) as namespace,
        operators_of(node.kubeconfig, namespace, root, PODS) as operators,
    ):
        yield House(PodNamespace(node, client, namespace), operators, operators.ready(*flags))


_numbers = count(1)


@pytest.fixture
def job(house: House) -> OneJob:
    """One job of the file's namespace, not created yet."""
    return OneJob(house, f"shot-{next(_numbers)}")


@pytest.fixture
def lanes(node: Node, client: ApiClient, tmp_path: Path) -> Generator[list[Lane]]:
    """Namespaces for stories that run in parallel."""
    with lanes_of(node, client, tmp_path, PODS) as found:
        yield found
