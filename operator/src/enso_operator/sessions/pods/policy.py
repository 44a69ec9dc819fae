"""Checks Pods against the operator's settings: valid fields that an operator may forbid."""

from __future__ import annotations

from pathlib import PurePosixPath
from posixpath import normpath

from enso_operator.api.pod_fields import PodFields
from enso_operator.api.v1alpha1 import SessionSpec
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
        where = _normal(mount.mount_path)
        if ROOT in (where, *where.parents):
            raise InvalidJob(f"{path}.volumeMounts: {mount.mount_path} is enso's own: use another")


def check_output_directory(session: SessionSpec, path: str) -> None:
    """Raise InvalidJob where what scripts write would not outlive the session's Pod."""
    if session.output_directory is None:
        return
    where, said = _normal(session.output_directory), f"{path}.outputDirectory"
    mounts = {_normal(mount.mount_path): mount for mount in session.volume_mounts}
    mount = next((mounts[place] for place in (where, *where.parents) if place in mounts), None)
    if mount is None:
        raise InvalidJob(
            f"{said} is {session.output_directory}, which is within none of the session's "
            "volumeMounts: mount a volume there, as it would be gone with the Pod"
        )
    volume = next(volume for volume in session.volumes if volume.name == mount.name)
    if volume.empty_dir:
        raise InvalidJob(
            f"{said} is in the emptyDir {mount.name}, which is gone with the Pod: use a volume "
            "that stays, such as a PersistentVolumeClaim"
        )
    kind = volume.persistent_volume_claim or volume.nfs
    if mount.read_only or kind is None or kind.read_only:
        raise InvalidJob(
            f"{said} is in the volume {mount.name}, to which nothing can be written there: mount "
            "one without readOnly"
        )


def _normal(path: str) -> PurePosixPath:
    return PurePosixPath(normpath("/" + path.lstrip("/")))
