"""The contract of `Objects`, on a real API server."""

from __future__ import annotations

import pytest
from kubernetes.client import ApiClient

from enso_operator.kube.client import ApiObjects
from enso_operator.kube.ensojob import KIND
from enso_operator.kube.objects import Objects
from tests.contract.test_objects import *  # noqa: F403  # the same tests, another store


@pytest.fixture(name="objects")
def on_the_api_server(client: ApiClient, namespace: str) -> Objects:
    return ApiObjects(client, namespace, KIND)
