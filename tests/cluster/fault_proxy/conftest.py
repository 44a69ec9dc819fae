from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

import pytest
from dev.cluster.plane import Cluster

from tests.cluster.caller import Caller
from tests.support.fault_proxy import (
    FaultProxy,
)


@pytest.fixture
def proxy(crds: Cluster) -> Generator[FaultProxy]:
    with FaultProxy(crds.kubeconfig) as fault_proxy:
        yield fault_proxy


@pytest.fixture
def caller(proxy: FaultProxy, namespace: str) -> Generator[Caller]:
    with closing(Caller(proxy, namespace)) as new_caller:
        yield new_caller
