"""The contract of the HTTP API's port, over a real API server with an operator."""

from __future__ import annotations

import pytest

from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.http_api.port import Jobs
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.contract.test_jobs import *  # noqa: F403  # the same tests, another backend
from tests.contract.test_jobs import LIBRARY
from tests.support.operators import Operators
from tests.support.resources import library_script


@pytest.fixture(name="jobs")
def over_the_api_server(ns: ClusterNamespace, operators: Operators) -> Jobs:
    for name, source in LIBRARY.items():
        ns.objects.beside("ensoscripts").create(library_script(name, source=source))
    operators.ready()
    return ClusterJobs(ns.objects, ns.streams)
