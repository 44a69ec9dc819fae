"""The fields of a Pod that a session or container may set: an allow-list, not a Pod template."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from enso_operator.api.fields import (
    LONGEST_SECONDS,
    Key,
    LabelValue,
    LongText,
    Name,
    ObjectName,
    Path,
    QualifiedName,
    Quantity,
    RelativePath,
    Variable,
    WireModel,
)


class KeyReference(WireModel):
    """One key of a Secret or a ConfigMap in the job's namespace."""

    name: ObjectName
    """Name of the Secret or ConfigMap."""
    key: Key
    """The key in it."""


class ValueFrom(WireModel):
    """Source of an environment variable's value: exactly one of the two fields."""

    secret_key_ref: KeyReference | None = None
    """A key of a Secret."""
    config_map_key_ref: KeyReference | None = None
    """A key of a ConfigMap."""


class EnvironmentVariable(WireModel):
    """One environment variable: exactly one of value and valueFrom."""

    name: Variable
    """Name of the variable."""
    value: LongText | None = None
    """Its value."""
    value_from: ValueFrom | None = None
    """Where its value comes from."""


Environment = Annotated[list[EnvironmentVariable], Field(max_length=100)]
Quantities = Annotated[dict[QualifiedName, Quantity], Field(max_length=16)]


class Resources(WireModel):
    """Resource requests and limits of a container."""

    requests: Quantities = Field(default_factory=dict[str, str])
    """What a node must have free for the Pod, as quantities such as cpu: "4" and memory: 16Gi."""
    limits: Quantities = Field(default_factory=dict[str, str])
    """What the container may use at most. Beyond its memory it is killed: OutOfMemory."""


class Claim(WireModel):
    """A PersistentVolumeClaim of the job's namespace."""

    claim_name: ObjectName
    """Name of the claim."""
    read_only: bool = False
    """Whether nothing can be written to it."""


class ConfigMapVolume(WireModel):
    """The keys of a ConfigMap as files."""

    name: ObjectName
    """Name of the ConfigMap."""


class SecretVolume(WireModel):
    """The keys of a Secret as files."""

    secret_name: ObjectName
    """Name of the Secret."""


class EmptyDir(WireModel):
    """An empty folder that is gone with the Pod."""

    medium: Literal["", "Memory"] = ""
    """Memory keeps the folder in memory, which counts towards the limit; else it is on disk."""
    size_limit: Quantity | None = None
    """How much may be written to it, such as 10Gi. Beyond that the Pod is evicted."""


class NfsVolume(WireModel):
    """A folder that an NFS server exports. Only where the operator's settings allow it."""

    server: Annotated[str, Field(min_length=1, max_length=253)]
    """Host name or address of the server."""
    path: Path
    """The exported folder."""
    read_only: bool = False
    """Whether nothing can be written to it."""


class Volume(WireModel):
    """One volume of the Pod: exactly one kind."""

    name: Name
    """Name by which volumeMounts refers to it."""
    persistent_volume_claim: Claim | None = None
    """A PersistentVolumeClaim."""
    config_map: ConfigMapVolume | None = None
    """A ConfigMap."""
    secret: SecretVolume | None = None
    """A Secret."""
    empty_dir: EmptyDir | None = None
    """An empty folder."""
    nfs: NfsVolume | None = None
    """An NFS export."""


class VolumeMount(WireModel):
    """Where the session sees a volume."""

    name: Name
    """Name of the volume."""
    mount_path: Path
    """The folder in which the volume appears."""
    sub_path: RelativePath | None = None
    """The folder of the volume that is mounted; without it the whole volume."""
    read_only: bool = False
    """Whether nothing can be written to it."""


class Toleration(WireModel):
    """A taint of nodes that the Pod tolerates."""

    key: QualifiedName | None = None
    """Key of the taint; without it every taint, which needs operator Exists."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """Whether the taint's value must be equal, or the key is enough."""
    value: LabelValue = ""
    """Value of the taint, for operator Equal."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; without it every effect."""
    toleration_seconds: Annotated[int, Field(ge=0, le=LONGEST_SECONDS)] | None = None
    """How long, in seconds, a NoExecute taint is tolerated; without it for ever."""


class ObjectReference(WireModel):
    """An object of the job's namespace, by its name."""

    name: ObjectName
    """Name of the object."""
