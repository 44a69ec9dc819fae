"""Makes the Pod and the plan's ConfigMap of a session; all that a job may set in a Pod is here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from enso_operator.api.document import Document
from enso_operator.api.session_fields import EnvironmentVariable
from enso_operator.api.v1alpha1 import ContainerSpec, EnsoJobSpec, SessionSpec
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.manifests.to_domain import PLATFORM, SecretKey
from enso_operator.sessions.pods import names
from enso_operator.sessions.pods.boot import (
    BOOT,
    CONTROL_FILE,
    HOME,
    PLAN_FILE,
    ROOT,
    RUN,
    RUNTIME,
)
from enso_operator.settings import OPERATOR_USER, PodSettings
from job_execution_framework.domain.events import ScriptStarted
from job_execution_framework.domain.script import Script, Session
from job_execution_framework.service_layer import controls
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.records import to_line

TERMINATION_LOG = "/dev/termination-log"
_LAST_RESORT_SECONDS = 300
"""Added to the job's deadline for the Pod's own: it ends a Pod that no operator ends."""
_CONFINED: Document = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True)
class SessionPod:
    """The documents of one session run."""

    ensojob: EnsoJobObject
    spec: EnsoJobSpec
    plan: Plan
    settings: PodSettings

    @property
    def name(self) -> str:
        """The Pod's name."""
        return names.pod_name(self.ensojob.name, self.plan.run, self.ensojob.uid)

    @property
    def container(self) -> ContainerSpec | None:
        """The container of a container script; None for a session of scripts."""
        first = self.plan.lease[0]
        return next(script for script in self.spec.scripts if script.name == first).container

    @property
    def _script(self) -> Script:
        """The first script of the plan: the only one of a container."""
        return next(script for script in self.plan.scripts if script.name == self.plan.lease[0])

    @cached_property
    def session(self) -> SessionSpec:
        """The session as the job's present definition has it."""
        return present(self.spec, self.plan.session)

    def config(self) -> Document:
        """Return the plan as an immutable ConfigMap. Raises InvalidJob."""
        plan = replace(self.plan, secret_environment=_secret_names(self.session.env))
        text = plan.to_json(texts=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": self._metadata(f"{self.name}-{digest}"),
            "immutable": True,
            "data": {PLAN_FILE.name: text},
        }

    def pod(self, plan: str) -> Document:
        """Return the Pod, gated; `plan` names the ConfigMap with its plan, if it has one."""
        metadata = self._metadata(self.name)
        metadata["labels"] = {**self._labels_of_job(), **metadata["labels"]}
        metadata["annotations"] = {
            names.RUN: self.plan.run,
            names.CONTROL: "",
            names.CONTROL_VERSION: str(controls.VERSION),
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        }
        if self.container:
            metadata["annotations"][names.ATTEMPT] = to_line(self._start()).decode()
            metadata["annotations"][names.TIMEOUT] = f"{self._script.timeout_seconds or 0:g}"
            spec = self._spec([self._own_container(self.container)], [])
        else:
            metadata["annotations"][names.PLAN] = plan
            spec = self._spec([self._session()], _volumes(plan) + _dumped(self.session.volumes))
            spec["initContainers"] = [self._records()]
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    def _metadata(self, name: str) -> Document:
        owner = self.ensojob.owner_reference | {
            "controller": True,
            # A foreground deletion of the job then waits for its scripts' clean-up.
            "blockOwnerDeletion": True,
        }
        labels = {
            names.MANAGED_BY: "enso-executer",
            names.JOB_LABEL: self.ensojob.name,
            names.JOB_UID_LABEL: self.ensojob.uid,
            names.SESSION_LABEL: names.label(self.plan.session.name),
        }
        return {
            "name": name,
            "namespace": self.ensojob.namespace,
            "labels": labels,
            "ownerReferences": [owner],
        }

    def _labels_of_job(self) -> dict[str, str]:
        return dict(self.ensojob.document["metadata"].get("labels") or {})

    def _spec(self, containers: list[Document], volumes: list[Document]) -> Document:
        session, settings = self.session, self.settings
        deadline = self.spec.active_deadline_seconds
        spec: Document = {
            "restartPolicy": "Never",
            "schedulingGates": [{"name": names.GATE}],
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "serviceAccountName": session.service_account_name,
            "terminationGracePeriodSeconds": (
                settings.grace_seconds if self.container else settings.termination_seconds
            ),
            "activeDeadlineSeconds": deadline and deadline + _LAST_RESORT_SECONDS,
            "securityContext": self._security(),
            "nodeSelector": dict(session.node_selector),
            "tolerations": _dumped(session.tolerations) + _patience(settings.unreachable_seconds),
            "priorityClassName": session.priority_class_name,
            "imagePullSecrets": _dumped(session.image_pull_secrets),
            "containers": containers,
            "volumes": [{"name": "enso-home", "emptyDir": {}}, *volumes],
        }
        return {key: value for key, value in spec.items() if value not in (None, [], {})}

    def _security(self) -> Document:
        session, settings = self.session, self.settings
        context: Document = {
            "runAsNonRoot": True,
            "runAsUser": _given(session.run_as_user, settings.run_as_user),
            "runAsGroup": _given(session.run_as_group, settings.run_as_group),
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        if session.fs_group is not None:
            context["fsGroup"] = session.fs_group
        if session.supplemental_groups:
            context["supplementalGroups"] = list(session.supplemental_groups)
        return context

    def _session(self) -> Document:
        session = self.session
        grace = str(self.settings.grace_seconds)
        files = [str(CONTROL_FILE), grace, TERMINATION_LOG]
        own_mounts = [_mount(place, str(ROOT / place)) for place in (RUN.name, HOME.name)]
        own_mounts += [
            _mount(place, str(ROOT / place), read_only=True)
            for place in (RUNTIME.name, PLAN_FILE.parent.name, CONTROL_FILE.parent.name)
        ]
        return {
            "name": names.SESSION,
            **self._image(session.image or self.settings.session_image),
            "command": ["python3", "-I", "-S", "-c", BOOT, str(PLAN_FILE), str(RUN), *files],
            "env": [_home(), *_dumped(session.env), *self._secrets()],
            "resources": session.resources.model_dump(exclude_defaults=True),
            "securityContext": _CONFINED,
            # Without a summary the last lines of the log say why the session did not begin.
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": own_mounts + _dumped(session.volume_mounts),
        }

    def _records(self) -> Document:
        return {
            "name": names.RECORDS,
            **self._image(self.settings.records_image),
            "restartPolicy": "Always",
            "command": [
                "python3",
                "-I",
                "-m",
                "enso_operator.sessions.pods.sidecar",
                str(RUNTIME),
                str(RUN),
            ],
            "resources": self._records_resources(),
            "securityContext": {
                **_CONFINED,
                "readOnlyRootFilesystem": True,
                "runAsUser": OPERATOR_USER,
                "runAsGroup": OPERATOR_USER,
            },
            "volumeMounts": [
                _mount(RUNTIME.name, str(RUNTIME)),
                _mount(RUN.name, str(RUN), read_only=True),
            ],
        }

    def _records_resources(self) -> Document:
        requests, limits = self.settings.records_requests, self.settings.records_limits
        given = {"requests": dict(requests), "limits": dict(limits)}
        return {kind: quantities for kind, quantities in given.items() if quantities}

    def _image(self, name: str) -> Document:
        """Return the image's fields; the operator's own image has its settings' pull policy."""
        policy = self.settings.records_pull_policy
        is_ours = name == self.settings.records_image
        return {"image": name} | ({"imagePullPolicy": policy} if policy and is_ours else {})

    def _own_container(self, container: ContainerSpec) -> Document:
        document: Document = {
            "name": names.SESSION,
            "image": container.image,
            "command": list(container.command),
            "args": list(container.args),
            "env": [_home(), *_dumped(container.env)],
            "resources": container.resources.model_dump(exclude_defaults=True),
            "securityContext": _CONFINED,
            # The last lines of its log cannot be searched for secrets, so they are not shown.
            "terminationMessagePolicy": (
                "File" if _secret_names(container.env) else "FallbackToLogsOnError"
            ),
            "volumeMounts": [_mount(HOME.name, str(HOME))],
        }
        return {key: value for key, value in document.items() if value != []}

    def _secrets(self) -> list[Document]:
        """Return the variables with the plan's secrets; the operator never reads their values."""
        return [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": key.name, "key": key.key}}}
            for name, _, _, secret in self.plan.secret_variables()
            if isinstance(key := secret.reveal(), SecretKey)
        ]

    def _start(self) -> ScriptStarted:
        """Return the container script's start, which its coordinator records when it sees it."""
        name = self.plan.lease[0]
        job = self.plan.job()
        attempt = job.rows[name].attempt + 1
        return replace(
            job.script_event(ScriptStarted, name, attempt, 0), origin=self.plan.run, seq=1
        )


def present(spec: EnsoJobSpec, session: Session) -> SessionSpec:
    """Return a session of the spec, with what resumes have changed of it."""
    matches = (entry for entry in spec.sessions if entry.name == session.name)
    unchanged = next(matches, SessionSpec(name=session.name)).model_dump(
        by_alias=True, exclude_unset=True, exclude=set(PLATFORM)
    )
    return SessionSpec.model_validate(unchanged | dict(session.platform or {}))


def _secret_names(environment: Sequence[EnvironmentVariable]) -> tuple[str, ...]:
    """Return the variables whose values come from Secrets."""
    sources = ((variable.name, variable.value_from) for variable in environment)
    return tuple(name for name, source in sources if source and source.secret_key_ref)


def _volumes(plan: str) -> list[Document]:
    annotation = {"fieldPath": f"metadata.annotations['{names.CONTROL}']"}
    control = {"path": CONTROL_FILE.name, "fieldRef": annotation}
    return [
        {"name": f"enso-{RUNTIME.name}", "emptyDir": {}},
        {"name": f"enso-{RUN.name}", "emptyDir": {}},
        {"name": f"enso-{PLAN_FILE.parent.name}", "configMap": {"name": plan}},
        {"name": f"enso-{CONTROL_FILE.parent.name}", "downwardAPI": {"items": [control]}},
    ]


def _mount(name: str, path: str, *, read_only: bool = False) -> Document:
    mount: Document = {"name": f"enso-{name}", "mountPath": path}
    return mount | ({"readOnly": True} if read_only else {})


def _given(value: int | None, default: int) -> int:
    return default if value is None else value


def _home() -> Document:
    """Return a writable HOME: the image may have none for the user id."""
    return {"name": "HOME", "value": str(HOME)}


def _patience(seconds: int) -> list[Document]:
    """Return tolerations that keep the Pod while its node is unreachable for a short time."""
    return [
        {
            "key": f"node.kubernetes.io/{taint}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": seconds,
        }
        for taint in ("not-ready", "unreachable")
    ]


def _dumped(models: Any) -> list[Document]:  # noqa: ANN401  # models of any kind
    return [model.model_dump(by_alias=True, exclude_none=True) for model in models]
