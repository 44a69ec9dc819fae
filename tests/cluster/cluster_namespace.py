"""One namespace of a real API server, used through the unit of work and through kubectl."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from copy import copy
from dataclasses import replace
from typing import Any

from dev.cluster.audit import Request
from dev.cluster.plane import Cluster
from kubernetes.client import ApiClient

from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.kube.client import ApiObjects, ask, path_of, request
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.streams import streams_of
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from job_execution_framework.domain.errors import EnsoError

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Where kubectl keeps what it applied."""
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
ONLY_CELLS = {"includeObject": "None"}


class ClusterNamespace:
    def __init__(self, cluster: Cluster, client: ApiClient, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace
        self.objects = ApiObjects(client, namespace, "ensojobs")
        self.streams = streams_of(client)
        self._reader = copy(client)
        """A client with kubectl's user agent; it is faster than to start kubectl."""
        self._reader.default_headers = {"User-Agent": "kubectl/of-a-test"}

    def uow(self) -> KubernetesJobUnitOfWork:
        return KubernetesJobUnitOfWork(self.objects)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.namespace, *arguments, stdin=stdin)

    def apply(self, document: dict[str, Any]) -> None:
        """Apply as kubectl does; it is started only for what exists, or is refused."""
        if document["kind"] == "List":
            for item in document["items"]:
                self.apply(item)
            return
        own: dict[str, Any] = {"annotations": {}}
        metadata = own | document["metadata"] | {"namespace": self.namespace}
        applied = _as_kubectl_keeps(document | {"metadata": metadata})
        annotations = metadata["annotations"] | {LAST_APPLIED: applied}
        new = document | {"metadata": metadata | {"annotations": annotations}}
        if not self._is_created(new, "kubectl-client-side-apply"):
            self.kubectl("apply", "-f", "-", stdin=json.dumps(document))

    def create(self, document: dict[str, Any]) -> None:
        """Create objects that are too large for `apply`, which adds a copy as an annotation."""
        if not self._is_created(document, "kubectl-create"):
            self.kubectl("create", "-f", "-", stdin=json.dumps(document))

    def _is_created(self, document: dict[str, Any], manager: str) -> bool:
        """Create an object of our kinds; return whether that is all there is to do."""
        if document["apiVersion"] != API_VERSION:
            return False
        path = path_of(self.namespace, f"{document['kind'].lower()}s", API_VERSION)
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        try:
            request(self._reader, "POST", path, document, query=query)
        except EnsoError:  # kubectl says why
            return False
        return True

    def get(self, name: str = "shot") -> dict[str, Any]:
        return replace(self.objects, client=self._reader).get(name)

    def requests(self, mark: int) -> list[Request]:
        """Return what was asked in the namespace since then, but by the controller manager.

        That gives a new namespace its account whenever it comes to it.
        """
        return [
            request
            for request in self.cluster.audit.since(mark)
            if request.namespace == self.namespace
            and not request.user_agent.startswith("kube-controller-manager")
        ]

    def writes(self, mark: int) -> list[str]:
        written = [request for request in self.requests(mark) if request.is_write]
        return [request.verb for request in written if request.resource.startswith("ensojobs")]

    def waits(self, condition: str, name: str = "shot") -> None:
        """Wait as a user's pipeline does."""
        self.kubectl("wait", f"--for=condition={condition}", f"ensojob/{name}", "--timeout=150s")

    def columns(self, name: str = "shot") -> list[str]:
        """Return what `kubectl get` shows, without the age."""
        return self._shown(name)[0][:-1]

    def state(self, name: str = "shot") -> str:
        """Return what `kubectl get` shows as its STATUS, "" before there is one."""
        return str(EnsoJobObject(self.get(name)).condition("Succeeded").get("reason", ""))

    def states(self) -> Counter[str]:
        """Count the jobs by the STATUS that `kubectl get` shows."""
        return Counter(row[1] for row in self._shown())

    def listed(self, plural: str) -> list[dict[str, Any]]:
        """Return all objects of a kind in the core API group."""
        path = f"/api/v1/namespaces/{self.namespace}/{plural}"
        items: list[dict[str, Any]] = request(self._reader, "GET", path)["items"]
        return items

    def names(self) -> list[str]:
        return [row[0] for row in self._shown()]

    def _shown(self, name: str = "") -> list[list[str]]:
        """Return the words of each row that `kubectl get` shows.

        The API server makes the table. To wait for its change, no kubectl is started each time.
        """
        path = "/".join([path_of(self.namespace, "ensojobs", API_VERSION), *name.split()])
        table = json.loads(ask(self._reader, "GET", path, query=ONLY_CELLS, accept=TABLE))
        columns = table["columnDefinitions"]
        shown = [place for place, column in enumerate(columns) if column["priority"] == 0]
        rows = [[row["cells"][place] for place in shown] for row in table["rows"]]
        return [" ".join(str(cell) for cell in row if cell is not None).split() for row in rows]

    def patch(self, name: str = "shot", **spec: object) -> None:
        self.kubectl("patch", f"ensojob/{name}", "--type=merge", "-p", json.dumps({"spec": spec}))

    def job_events(self, name: str = "shot") -> list[tuple[str, str]]:
        """Return reason and message of a job's Events, in the order of `kubectl describe`."""
        return self.events_by_job()[name]

    def outcomes(self, name: str = "shot") -> list[tuple[str, str]]:
        """Return the same without starts, which are told only of scripts that run for a while."""
        return [event for event in self.job_events(name) if event[0] != "ScriptStarted"]

    def starts_told(self) -> int:
        """Return how many Events of starts there are in the namespace."""
        told = self.events_by_job().values()
        return sum(reason == "ScriptStarted" for events in told for reason, _ in events)

    def events_by_job(self) -> dict[str, list[tuple[str, str]]]:
        """Return the same for all jobs, by name."""
        events = [
            event for event in self.listed("events") if event["involvedObject"]["kind"] == "EnsoJob"
        ]
        events.sort(key=lambda event: (event["lastTimestamp"], event["metadata"]["name"]))
        by_job: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for event in events:
            by_job[event["involvedObject"]["name"]].append((event["reason"], event["message"]))
        return by_job


def _as_kubectl_keeps(document: dict[str, Any]) -> str:
    """Return it as Go writes JSON, so that a second apply finds nothing to change."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text + "\n"
