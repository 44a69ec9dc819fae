"""Documents of session Pods, as created or with a given status."""

from __future__ import annotations

from typing import Any

from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.manifests.render import parse_ensojob
from enso_operator.sessions.pods.manifest import SessionPod
from enso_operator.settings import PodSettings
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan

Document = dict[str, Any]
SCHEDULED = {"type": "PodScheduled", "status": "True"}


def pod(
    *,
    session: Document | None = None,
    records: Document | None = None,
    version: int = 1,
    gated: bool = False,
    scheduled: bool = True,
    deleted: bool = False,
    annotations: dict[str, str] | None = None,
    inits: dict[str, Document] | None = None,
    **status: object,
) -> Document:
    """Return a Pod whose containers are in these states (``{"running": {…}}``).

    `inits` are init containers of others; one with a `restartPolicy` runs beside the session.
    """
    metadata: Document = {
        "name": "shot-main-1-abcde",
        "namespace": "shows",
        "uid": "pod-uid",
        "resourceVersion": str(version),
        "annotations": annotations or {},
    }
    if deleted:
        metadata["deletionTimestamp"] = "2026-11-26T12:00:00Z"
    init_containers = inits or {}
    spec: Document = {
        "containers": [
            {
                "name": "session",
                "image": "studio/houdini:20.5",
                "resources": {"limits": {"memory": "64Mi"}},
            }
        ],
        "initContainers": [
            *(
                {"name": name, "image": f"{name}:1"} | policy_of(init)
                for name, init in init_containers.items()
            ),
            {"name": "records", "image": "enso", "restartPolicy": "Always"},
        ],
    }
    if gated:
        spec["schedulingGates"] = [{"name": "enso.dev/release"}]
    elif scheduled:
        spec["nodeName"] = "render-12"
    pod_status: Document = {"phase": "Pending", "conditions": [SCHEDULED] if scheduled else []}
    if session is not None:
        pod_status["containerStatuses"] = [container("session", session)]
    init_states = init_containers | ({"records": records} if records is not None else {})
    pod_status["initContainerStatuses"] = [
        container(name, state) for name, state in init_states.items()
    ]
    return {"metadata": metadata, "spec": spec, "status": pod_status | status}


def policy_of(init: Document) -> Document:
    return {key: init[key] for key in ("restartPolicy",) if key in init}


def container(name: str, state: Document) -> Document:
    """Return the status of a container; `state` may hold other fields of it, too."""
    states = {key: value for key, value in state.items() if key in RUNNING | WAITING | ENDED}
    other_fields = {key: value for key, value in state.items() if key not in states}
    return {
        "name": name,
        "state": states,
        "lastState": {},
        "restartCount": 0,
        "imageID": "studio/houdini@sha256:9f2c41ab00000000",
        **other_fields,
    }


RUNNING: Document = {"running": {"startedAt": "2026-11-26T12:00:00Z"}}
WAITING: Document = {"waiting": {"reason": "PodInitializing"}}
ENDED: Document = {"terminated": {}}


def waiting(reason: str, message: str = "") -> Document:
    return {"waiting": {"reason": reason, "message": message}}


def ended(code: int = 0, reason: str = "Completed", message: str = "") -> Document:
    return {
        "terminated": {
            "exitCode": code,
            "reason": reason,
            "message": message,
            "startedAt": "2026-11-26T12:00:00Z",
            "finishedAt": "2026-11-26T12:00:41Z",
        }
    }


def disrupted(reason: str, message: str = "said") -> list[Document]:
    return [
        SCHEDULED,
        {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message},
    ]


def session_pod(job: Document) -> Document:
    """Return the Pod that an operator makes for an EnsoJob whose only script is `open`."""
    ensojob = EnsoJobObject(job)
    plan = Plan.of(
        Job(ensojob.name, (Script("open", Source("def main(): pass")),)),
        Open("main-1", "main", ("open",)),
        ScriptLibrary([]),
    )
    settings = PodSettings(records_image="enso", session_image="enso")
    return SessionPod(ensojob, parse_ensojob(ensojob.document).spec, plan, settings).pod("plan")
