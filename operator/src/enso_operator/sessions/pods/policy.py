"""Checks Pods against the operator's settings: valid fields that an operator may forbid."""

from __future__ import annotations

from pathlib import PurePosixPath
from posixpath import normpath

from enso_operator.api.pod_fields import PodFields
from enso_operator.sessions.pods.boot import ROOT
from enso_operator.settings import PodSettings
from job_execution_framework.domain.errors import InvalidJob


def check_pod(fields: PodFields, path: str, settings: PodSettings) -> None:
    """Raise InvalidJob with a sentence where the settings do not allow what stands at `path`."""
    account = fields.service_account_name
    if account and account not in settings.service_accounts:
        allowed = ", ".join(sorted(settings.service_accounts)) or "none"
        raise InvalidJob(
            f"{path}.serviceAccountName is {account!r}, but the operator allows {allowed}: remove "
            "it, or have it added to --service-accounts"
        )
    for key in fields.pod_annotations:
        if not key.startswith(tuple(settings.allowed_pod_annotation_prefixes)):
            allowed = ", ".join(sorted(settings.allowed_pod_annotation_prefixes)) or "none"
            raise InvalidJob(
                f"{path}.podAnnotations has {key}, but the operator allows {allowed}: remove it, "
                "or have its prefix added to --allowed-pod-annotation-prefixes"
            )
    for volume in fields.volumes:
        if volume.nfs and not settings.allow_nfs:
            raise InvalidJob(
                f"{path}.volumes[{volume.name}] is an NFS export, which the operator does not "
                "allow: use a PersistentVolumeClaim, or have it started with --allow-nfs"
            )
        if volume.name.startswith("enso-"):
            raise InvalidJob(f"{path}.volumes[{volume.name}]: names with enso- are enso's own")
    for mount in fields.volume_mounts:
        where = PurePosixPath(normpath("/" + mount.mount_path.lstrip("/")))
        if ROOT in (where, *where.parents):
            raise InvalidJob(f"{path}.volumeMounts: {mount.mount_path} is enso's own: use another")
