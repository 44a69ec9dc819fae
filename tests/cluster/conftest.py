"""A real API server for the tests of this folder: one cluster per run, one namespace per test.

Where its programs are not on this machine yet, the tests are skipped with a sentence; in CI that
is a failure. `make test` gets them beforehand.
"""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dev.cluster import binaries
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from dev.cluster.programs import CLUSTER
from dev.cluster.sharing import shared
from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.kube.client import request
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.failed_jobs import FailedJobs, run_until_it_failed
from tests.support.fault_proxy import FaultProxy
from tests.support.operators import Operators, operators_of
from tests.support.resources import Document

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, so that `-m "not cluster"` leaves it out."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    """One cluster for the whole run, shared by its workers: leave its processes alone."""
    require_programs()
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(16)
    with shared(run[:8]) as shared_cluster:
        yield shared_cluster


@pytest.fixture(scope="session")
def crds(cluster: Cluster) -> Cluster:
    """The run's cluster, with our resources in it."""
    install_crds(cluster.kubectl)
    return cluster


@pytest.fixture(scope="session")
def api_client(cluster: Cluster) -> Generator[ApiClient]:
    """The official client, of the run's cluster."""
    with new_client_from_config(str(cluster.kubeconfig)) as api_client:  # type: ignore[no-untyped-call]
        yield api_client


@pytest.fixture(scope="session")
def client(crds: Cluster, api_client: ApiClient) -> ApiClient:
    """The official client, of the run's cluster with our resources in it."""
    del crds
    return api_client


@pytest.fixture
def own_cluster() -> Generator[Cluster]:
    """A cluster for one test that kills parts of it; it takes three seconds to start."""
    require_programs()
    with shared(secrets.token_hex(4)) as own_cluster:
        yield own_cluster


@pytest.fixture
def namespace(api_client: ApiClient) -> Generator[str]:
    """A new namespace for one test."""
    with _new_namespace(api_client) as name:
        yield name


@pytest.fixture
def ns(crds: Cluster, client: ApiClient, namespace: str) -> ClusterNamespace:
    """The test's namespace, seen by the unit of work and by kubectl."""
    return ClusterNamespace(crds, client, namespace)


@pytest.fixture
def operators(ns: ClusterNamespace, tmp_path: Path) -> Generator[Operators]:
    """A starter of operators that look after the namespace; none of them outlives the test."""
    with operators_of(ns.cluster.kubeconfig, ns.namespace, tmp_path) as started:
        yield started


@pytest.fixture
def proxy(ns: ClusterNamespace) -> Generator[FaultProxy]:
    """What stands between a test and its API server, and fails as it is told."""
    with FaultProxy(ns.cluster.kubeconfig) as proxy:
        yield proxy


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of tests that are coroutines: the one that our programs have."""
    return "asyncio"


@pytest.fixture(scope="session")
def failed_status(
    crds: Cluster, api_client: ApiClient, tmp_path_factory: pytest.TempPathFactory
) -> Document:
    """The status of a job that an operator ran until it failed: once for all tests of a worker."""
    folder = tmp_path_factory.mktemp("failed")
    with (
        _new_namespace(api_client) as namespace,
        operators_of(crds.kubeconfig, namespace, folder) as operators,
    ):
        ns = ClusterNamespace(crds, api_client, namespace)
        return run_until_it_failed(ns, operators, folder)


@pytest.fixture
def failed_jobs(ns: ClusterNamespace, tmp_path: Path, failed_status: Document) -> FailedJobs:
    return FailedJobs(ns, tmp_path, failed_status)


@contextmanager
def _new_namespace(api_client: ApiClient) -> Generator[str]:
    """Yield the name of a new namespace; what is in it goes with it, without being waited for.

    No kubectl is started for it: most tests have one.
    """
    name = f"test-{secrets.token_hex(4)}"
    request(api_client, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    request(api_client, "DELETE", f"/api/v1/namespaces/{name}")


def require_programs() -> None:
    """Skip, or fail in CI, where a program is missing: nothing is built inside a test."""
    missing = set(CLUSTER) - binaries.local().keys()
    if not missing:
        return
    sentence = f"{', '.join(sorted(missing))} not on this machine: `make cluster-up` gets them"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)
