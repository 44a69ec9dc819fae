"""The contract of the HTTP API's port, over a real API server with an operator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from dev.cluster.plane import Cluster
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.http_api.port import Jobs, NotAllowed
from enso_operator.kube.client import ApiObjects
from enso_operator.kube.streams import ApiStreams, streams_of
from job_execution_framework.domain.errors import JobNotFound
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_stranger
from tests.cluster.users import name_of, until_granted
from tests.contract.test_jobs import *  # noqa: F403  # the same tests, another backend
from tests.contract.test_jobs import LIBRARY, TEMPLATE
from tests.support.operators import Operators
from tests.support.resources import library_script

PARAMETERS = {
    "say": [{"name": "text", "type": "string"}],
    "simulate": [{"name": "substeps", "type": "integer", "required": True}],
}


@pytest.fixture(name="jobs")
async def over_the_api_server(ns: ClusterNamespace, operators: Operators) -> AsyncIterator[Jobs]:
    for name, source in LIBRARY.items():
        declared = {"parameters": PARAMETERS[name]} if name in PARAMETERS else {}
        ns.objects.beside("ensoscripts").create(library_script(name, source=source, **declared))
    ns.objects.beside("ensojobtemplates").create(TEMPLATE)
    operators.ready()
    jobs = ClusterJobs(ns.objects, ns.streams)
    yield jobs
    await jobs.aclose()


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., ClusterJobs]]:
    """Return what opens the jobs of a namespace; at the end no watch of theirs is left."""
    made: list[ClusterJobs] = []

    def open_jobs(objects: ApiObjects, streams: ApiStreams) -> ClusterJobs:
        made.append(ClusterJobs(objects, streams))
        return made[-1]

    yield open_jobs
    for jobs in made:
        await jobs.aclose()


async def test_only_the_namespaces_are_named_whose_jobs_the_caller_may_list(
    ns: ClusterNamespace, crds: Cluster, tmp_path: Path, opened: Callable[..., ClusterJobs]
) -> None:
    everything = opened(ns.objects, ns.streams)
    assert {ns.namespace, "default", "kube-system"} <= {*await everything.namespaces()}

    stranger = of_stranger(crds, ns.namespace, tmp_path)
    with new_client_from_config(str(stranger)) as client:  # type: ignore[no-untyped-call]
        jobs = opened(ApiObjects(client, ns.namespace, "ensojobs"), streams_of(client))
        assert await jobs.namespaces() == [ns.namespace]
        role = f"lists-{ns.namespace}"
        account = f"--serviceaccount={ns.namespace}:default"
        ns.kubectl("create", "clusterrole", role, "--verb=list", "--resource=namespaces")
        ns.kubectl("create", "clusterrolebinding", role, f"--clusterrole={role}", account)
        ns.kubectl("create", "role", role, "--verb=list", "--resource=ensojobs.enso.dev")
        ns.kubectl("create", "rolebinding", role, f"--role={role}", account)
        try:
            rights = ("namespaces=list", "ensojobs.enso.dev=list")
            until_granted(ns.cluster, ns.namespace, name_of(ns.namespace), *rights)
            assert await jobs.namespaces() == [ns.namespace]
            assert (await jobs.rows()).rows == ()
            with pytest.raises(NotAllowed, match="ensojobs"):
                await jobs.within("default").rows()
        finally:
            ns.kubectl("delete", f"clusterrole/{role}", f"clusterrolebinding/{role}")


async def test_jobs_of_another_namespace_are_others(
    ns: ClusterNamespace, opened: Callable[..., ClusterJobs]
) -> None:
    jobs = opened(ns.objects, ns.streams)
    job_id = await jobs.add([("say", {})])
    assert job_id not in {row.name for row in (await jobs.within("default").rows()).rows}
    assert {row.namespace for row in (await jobs.rows()).rows} == {ns.namespace}
    for name in ("../kube-system", "", "A", "a" * 64):
        with pytest.raises(JobNotFound, match="is no namespace's name"):
            jobs.within(name)
    assert jobs.within(ns.namespace) is jobs
