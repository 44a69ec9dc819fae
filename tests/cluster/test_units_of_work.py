"""The contract of units of work, on a real API server."""

from __future__ import annotations

import pytest
from kubernetes.client import ApiClient

from enso_operator.kube.client import ApiObjects
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from job_execution_framework.service_layer.unit_of_work import JobUnitOfWork
from tests.contract.test_units_of_work import *  # noqa: F403  # the same tests, another store
from tests.contract.test_units_of_work import Store


class Kubernetes:
    holds_one, keeps_events = False, False

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self.objects = ApiObjects(client, namespace, "ensojobs")

    def unit_of_work(self) -> JobUnitOfWork:
        return KubernetesJobUnitOfWork(self.objects)


@pytest.fixture(name="store")
def on_the_api_server(client: ApiClient, namespace: str) -> Store:
    return Kubernetes(client, namespace)
