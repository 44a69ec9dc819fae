"""One namespace, seen by the unit of work and by kubectl."""

from __future__ import annotations

import json
from typing import Any

from dev.cluster.plane import Cluster
from kubernetes.client import ApiClient

from enso_operator.adapters.kube import Objects
from enso_operator.adapters.unit_of_work import KubernetesJobUnitOfWork


class Desk:
    def __init__(self, cluster: Cluster, client: ApiClient, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace
        self.objects = Objects(client, namespace, "ensojobs")

    def uow(self) -> KubernetesJobUnitOfWork:
        return KubernetesJobUnitOfWork(self.objects)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.namespace, *arguments, stdin=stdin)

    def apply(self, document: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=json.dumps(document))

    def get(self, name: str = "shot") -> dict[str, Any]:
        got: dict[str, Any] = json.loads(self.kubectl("get", "ensojob", name, "-o", "json"))
        return got

    def writes(self, mark: int) -> list[str]:
        requests = self.cluster.audit.since(mark)
        written = [each for each in requests if each.is_write and each.namespace == self.namespace]
        return [each.verb for each in written if each.resource.startswith("ensojobs")]
