"""The containers of a session's Pod, and the volumes that they share. `manifest.py` uses it."""

from __future__ import annotations

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import SessionSpec
from enso_operator.sessions.pods import names
from enso_operator.sessions.pods.boot import BOOT, CONTROL_FILE, PLAN_FILE, ROOT, RUN, RUNTIME
from enso_operator.sessions.pods.pod import (
    CONFINED,
    image_of,
    main_container,
    own_mount,
    secret_variables,
)
from enso_operator.settings import OPERATOR_USER, PodSettings
from job_execution_framework.service_layer.plan import Plan

TERMINATION_LOG = "/dev/termination-log"


def session_container(session: SessionSpec, plan: Plan, settings: PodSettings) -> Document:
    """Return the container in which the supervisor runs the plan."""
    made = main_container(session, session.image or settings.session_image, settings)
    secrets = secret_variables((name, secret) for name, _, _, secret in plan.secret_variables())
    files = [str(CONTROL_FILE), str(settings.grace_seconds), TERMINATION_LOG]
    own_mounts = [own_mount(RUN.name, str(RUN))]
    own_mounts += [
        own_mount(place, str(ROOT / place), read_only=True)
        for place in (RUNTIME.name, PLAN_FILE.parent.name, CONTROL_FILE.parent.name)
    ]
    return {
        **made,
        "command": ["python3", "-I", "-S", "-c", BOOT, str(PLAN_FILE), str(RUN), *files],
        "env": made["env"] + secrets,
        "volumeMounts": own_mounts + made["volumeMounts"],
    }


def records_container(settings: PodSettings) -> Document:
    """Return the sidecar that brings the runtime, and prints the records."""
    given = {"requests": {**settings.records_requests}, "limits": {**settings.records_limits}}
    module = "enso_operator.sessions.pods.sidecar"
    return {
        "name": names.RECORDS,
        **image_of(settings.records_image, settings),
        "restartPolicy": "Always",
        "command": ["python3", "-I", "-m", module, str(RUNTIME), str(RUN)],
        "resources": {kind: quantities for kind, quantities in given.items() if quantities},
        "securityContext": {
            **CONFINED,
            "readOnlyRootFilesystem": True,
            "runAsUser": OPERATOR_USER,
            "runAsGroup": OPERATOR_USER,
        },
        "volumeMounts": [
            own_mount(RUNTIME.name, str(RUNTIME)),
            own_mount(RUN.name, str(RUN), read_only=True),
        ],
    }


def session_volumes(plan: str) -> list[Document]:
    """Return the volumes of both; `plan` names the ConfigMap with the plan."""
    annotation = {"fieldPath": f"metadata.annotations['{names.CONTROL}']"}
    control = {"path": CONTROL_FILE.name, "fieldRef": annotation}
    return [
        {"name": f"enso-{RUNTIME.name}", "emptyDir": {}},
        {"name": f"enso-{RUN.name}", "emptyDir": {}},
        {"name": f"enso-{PLAN_FILE.parent.name}", "configMap": {"name": plan}},
        {"name": f"enso-{CONTROL_FILE.parent.name}", "downwardAPI": {"items": [control]}},
    ]
