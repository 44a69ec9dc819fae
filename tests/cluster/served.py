"""The HTTP API over a cluster, in this process."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.kube.client import ApiObjects
from enso_operator.kube.streams import streams_of
from job_execution_framework.service_layer.library import ScriptLibrary
from tests.support.api import Api, Served

SAY: tuple[str, dict[str, object]] = ("say", {"text": "grüße"})


@asynccontextmanager
async def served(objects: ApiObjects) -> AsyncGenerator[Api]:
    jobs = ClusterJobs(objects, streams_of(objects.client))
    async with AsyncExitStack() as stack:
        yield await Served(stack, ScriptLibrary([])).over(jobs)
