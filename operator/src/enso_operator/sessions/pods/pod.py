"""What the Pods of sessions and of container scripts have in common: all that a job may set.

`manifest.py` makes whole documents with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from enso_operator.api.document import Document
from enso_operator.api.pod_fields import PodFields
from enso_operator.api.session_fields import EnvironmentVariable
from enso_operator.manifests.to_domain import SecretKey
from enso_operator.sessions.pods import names
from enso_operator.sessions.pods.boot import HOME
from enso_operator.settings import PodSettings
from job_execution_framework.domain.secret import Secret

_LAST_RESORT_SECONDS = 300
"""Added to the job's deadline for the Pod's own: it ends a Pod that no operator ends."""
CONFINED: Document = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


def pod_spec(
    fields: PodFields, settings: PodSettings, grace_seconds: int, deadline: int | None
) -> Document:
    """Return the spec of a Pod, gated, which has no containers yet, and of volumes the job's."""
    spec: Document = {
        "restartPolicy": "Never",
        "schedulingGates": [{"name": names.GATE}],
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "serviceAccountName": fields.service_account_name,
        "terminationGracePeriodSeconds": grace_seconds,
        "activeDeadlineSeconds": deadline and deadline + _LAST_RESORT_SECONDS,
        "securityContext": _security(fields, settings),
        "nodeSelector": dict(fields.node_selector),
        "tolerations": dumped(fields.tolerations) + _patience(settings.unreachable_seconds),
        "priorityClassName": fields.priority_class_name,
        "imagePullSecrets": dumped(fields.image_pull_secrets),
        "volumes": [{"name": "enso-home", "emptyDir": {}}, *dumped(fields.volumes)],
    }
    return {key: value for key, value in spec.items() if value not in (None, [], {})}


def main_container(fields: PodFields, image: str, settings: PodSettings) -> Document:
    """Return the container that runs what the job says, without its command."""
    return {
        "name": names.SESSION,
        **image_of(image, settings),
        # A writable HOME: the image may have none for the user id.
        "env": [{"name": "HOME", "value": str(HOME)}, *dumped(fields.env)],
        "resources": fields.resources.model_dump(exclude_defaults=True),
        "securityContext": CONFINED,
        # Where there is no message, the last lines of the log are one.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [own_mount(HOME.name, str(HOME)), *dumped(fields.volume_mounts)],
    }


def image_of(name: str, settings: PodSettings) -> Document:
    """Return the image's fields; the operator's own image has its settings' pull policy."""
    policy = settings.records_pull_policy
    is_ours = name == settings.records_image
    return {"image": name} | ({"imagePullPolicy": policy} if policy and is_ours else {})


def own_mount(name: str, path: str, *, read_only: bool = False) -> Document:
    """Return the mount of a volume of ours."""
    mount: Document = {"name": f"enso-{name}", "mountPath": path}
    return mount | ({"readOnly": True} if read_only else {})


def secret_variables(secrets: Iterable[tuple[str, Secret]]) -> list[Document]:
    """Return variables with the values of secrets; the operator never reads them."""
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": key.name, "key": key.key}}}
        for name, secret in secrets
        if isinstance(key := secret.reveal(), SecretKey)
    ]


def secret_names(environment: Sequence[EnvironmentVariable]) -> tuple[str, ...]:
    """Return the variables whose values come from Secrets."""
    sources = ((variable.name, variable.value_from) for variable in environment)
    return tuple(name for name, source in sources if source and source.secret_key_ref)


def dumped(models: Any) -> list[Document]:  # noqa: ANN401  # models of any kind
    """Return models as Kubernetes reads them."""
    return [model.model_dump(by_alias=True, exclude_none=True) for model in models]


def _security(fields: PodFields, settings: PodSettings) -> Document:
    context: Document = {
        "runAsNonRoot": True,
        "runAsUser": _given(fields.run_as_user, settings.run_as_user),
        "runAsGroup": _given(fields.run_as_group, settings.run_as_group),
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if fields.fs_group is not None:
        context["fsGroup"] = fields.fs_group
    if fields.supplemental_groups:
        context["supplementalGroups"] = list(fields.supplemental_groups)
    return context


def _given(value: int | None, default: int) -> int:
    return default if value is None else value


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
