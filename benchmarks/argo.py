"""Argo Workflows, as a workflow engine beside us: its controller, and what its Pods would do.

The same ten steps in its two ways: `steps`, of which each is a Pod, and a `containerSet`, whose
containers are of one Pod. On simulated nodes no container runs, so that a thread does here what the
executor in each Pod does, and the kubelet: it creates a finished WorkflowTaskResult (the executor
makes two or three requests of it), and says that the Pod has succeeded.
"""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal, cast, get_args

from kubernetes import watch
from kubernetes.client import ApiClient, CoreV1Api

from benchmarks.engine import SCRIPTS, Program, program_of
from benchmarks.simulated import SESSION
from enso_operator.kube.client import ApiObjects, NoSuchObject, Taken, request
from tests.support.eventually import until
from tests.support.resources import Document

Way = Literal["steps", "containerSet"]
WAYS: tuple[Way, ...] = get_args(Way)
API = "argoproj.io/v1alpha1"
KINDS = {
    "workflows": "Workflow",
    "workflowtemplates": "WorkflowTemplate",
    "workflowtasksets": "WorkflowTaskSet",
    "workflowtaskresults": "WorkflowTaskResult",
    "workflowartifactgctasks": "WorkflowArtifactGCTask",
    "cronworkflows": "CronWorkflow",
    "clusterworkflowtemplates": "ClusterWorkflowTemplate",
}
OF_WORKFLOW = "workflows.argoproj.io/workflow"
PHASE, COMPLETED = "workflows.argoproj.io/phase", "workflows.argoproj.io/completed"
REPORTED = "workflows.argoproj.io/report-outputs-completed"
NODE_ID = "workflows.argoproj.io/node-id"
UNTHROTTLED = ("--qps=10000", "--burst=10000")
"""By default it makes 20 requests a second at most: it would wait for that."""
READY = "Starting CronWorkflow controller"
"""It logs this once it has listed everything."""
EXECUTORS = 8
WATCH_SECONDS = 5
_IMAGE = {"image": "simulated", "command": ["true"]}


@dataclass(frozen=True)
class Workflows:
    """A workflow-controller whose workflows are written in one of the two ways."""

    program: Path
    way: Way
    kinds: str = "workflows,workflowtaskresults,pods"

    @property
    def name(self) -> str:
        """The way, as Argo names it."""
        return f"argo {self.way}"

    @contextmanager
    def running(
        self, client: ApiClient, kubeconfig: Path, namespace: str, log: Path
    ) -> Generator[Program]:
        """Wait until it watches."""
        _install(client, namespace)
        command = [
            str(self.program),
            f"--kubeconfig={kubeconfig}",
            f"--namespace={namespace}",
            "--namespaced",
            "--executor-image=simulated",
            *UNTHROTTLED,
        ]
        alone = {"LEADER_ELECTION_DISABLE": "true"}
        stopped = Event()
        pods = Thread(target=_run_pods, args=(client, namespace, stopped))
        with program_of(command, log, log.parent, alone) as program:
            pods.start()
            try:
                until(lambda: READY in log.read_text("utf-8"))
                yield program
            finally:
                stopped.set()
                pods.join()

    def create(self, client: ApiClient, namespace: str, number: int) -> None:
        """Create a Workflow."""
        workflows = ApiObjects(client, namespace, "workflows", API)
        workflows.create(_document_of(self.way, f"shot-{number:05}"))

    def count_succeeded(self, client: ApiClient, namespace: str) -> int:
        """Select by the labels, which say the phase, once all have ended."""
        workflows = ApiObjects(client, namespace, "workflows", API)
        if next(workflows.each(labels=f"{COMPLETED}!=true"), None):  # all would be much to read
            return 0
        ended = list(workflows.each(labels=COMPLETED))
        succeeded = [each for each in ended if each["metadata"]["labels"][PHASE] == "Succeeded"]
        if len(succeeded) < len(ended):
            raise AssertionError(f"{len(ended) - len(succeeded)} workflows did not succeed")
        return len(succeeded)

    def ends(self, client: ApiClient, namespace: str) -> list[str]:
        """Return when they finished."""
        workflows = ApiObjects(client, namespace, "workflows", API).each()
        return [str(workflow["status"]["finishedAt"]) for workflow in workflows]


def _document_of(way: Way, name: str) -> Document:
    numbers = range(1, SCRIPTS + 1)
    if way == "steps":
        steps = [[{"name": f"script-{number}", "template": "script"}] for number in numbers]
        templates: list[Document] = [
            {"name": "main", "steps": steps},
            {"name": "script", "container": _IMAGE},
        ]
    else:
        containers = [
            _IMAGE
            | {"name": f"script-{number}"}
            | ({"dependencies": [f"script-{number - 1}"]} if number > 1 else {})
            for number in numbers
        ]
        templates = [{"name": "main", "containerSet": {"containers": containers}}]
    placed = {key: SESSION[key] for key in ("nodeSelector", "tolerations")}
    return {
        "apiVersion": API,
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"entrypoint": "main", "templates": templates} | placed,
    }


def _install(client: ApiClient, namespace: str) -> None:
    """Install its kinds, whose schemas are open as those of its minimal ones, and its settings."""
    crds = ApiObjects(client, "", "customresourcedefinitions", "apiextensions.k8s.io/v1")
    there = {metadata["name"] for metadata in crds.metadata()}
    for plural, kind in KINDS.items():
        if f"{plural}.argoproj.io" not in there:
            crds.create(_crd_of(plural, kind))
    until(lambda: all(_is_served(client, namespace, plural) for plural in KINDS))
    settings = {"metadata": {"name": "workflow-controller-configmap"}}
    configuration = {"apiVersion": "v1", "kind": "ConfigMap"} | settings
    ApiObjects(client, namespace, "configmaps", "v1").create(configuration)


def _crd_of(plural: str, kind: str) -> Document:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.argoproj.io"},
        "spec": {
            "group": "argoproj.io",
            "names": {"plural": plural, "kind": kind},
            "scope": "Cluster" if kind.startswith("Cluster") else "Namespaced",
            "versions": [version],
        },
    }


def _is_served(client: ApiClient, namespace: str, plural: str) -> bool:
    place = "" if KINDS[plural].startswith("Cluster") else namespace
    try:
        ApiObjects(client, place, plural, API).check()
    except NoSuchObject:
        return False
    return True


def _run_pods(client: ApiClient, namespace: str, stopped: Event) -> None:
    """End each Pod of a workflow as soon as it runs."""
    api, watcher = CoreV1Api(client), cast("Any", watch).Watch()  # untyped in the client
    trying = set[str]()
    with ThreadPoolExecutor(EXECUTORS) as executors:
        while not stopped.is_set():  # what has failed, or was overtaken by kwok, is listed again
            lines = watcher.stream(
                api.list_namespaced_pod,
                namespace,
                label_selector=OF_WORKFLOW,
                field_selector="status.phase=Running",
                timeout_seconds=WATCH_SECONDS,
            )
            for line in lines:
                pod: Document = line["raw_object"]
                uid = pod["metadata"]["uid"]
                if line["type"] != "DELETED" and uid not in trying:
                    trying.add(uid)
                    ended = executors.submit(_end, client, namespace, pod)
                    ended.add_done_callback(partial(_done, trying, uid))


def _done(trying: set[str], uid: str, ended: Future[None]) -> None:
    trying.discard(uid)
    if error := ended.exception():
        print(f"a simulated step is to be ended again: {error}")


def _end(client: ApiClient, namespace: str, pod: Document) -> None:
    """Say what the executor says of a step that has succeeded, and then what the kubelet says."""
    metadata = pod["metadata"]
    labels = {OF_WORKFLOW: metadata["labels"][OF_WORKFLOW], REPORTED: "true"}
    result = {
        "apiVersion": API,
        "kind": "WorkflowTaskResult",
        "metadata": {
            "name": metadata["annotations"][NODE_ID],
            "labels": labels,
            "ownerReferences": metadata["ownerReferences"],
        },
    }
    with suppress(Taken):
        ApiObjects(client, namespace, "workflowtaskresults", API).create(result)
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    terminated = {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}
    containers = [
        container | {"ready": False, "started": False, "state": {"terminated": terminated}}
        for container in pod["status"]["containerStatuses"]
    ]
    status = {"phase": "Succeeded", "containerStatuses": containers}
    path = f"/api/v1/namespaces/{namespace}/pods/{metadata['name']}/status"
    request(client, "PATCH", path, {"status": status})
