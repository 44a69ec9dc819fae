"""What a job may say of a Pod: the fields that sessions and containers have in common.

This is an allow-list, not a Pod template; `session_fields.py` has the parts. `SessionSpec` and
`ContainerSpec` add what only one of them has, and `sessions/pods/pod.py` makes the Pod.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from enso_operator.api.fields import (
    LONGEST_SECONDS,
    AnnotationValue,
    LabelValue,
    ObjectName,
    QualifiedName,
    UnixId,
    UserId,
    WireModel,
)
from enso_operator.api.session_fields import (
    Environment,
    EnvironmentVariable,
    ObjectReference,
    Resources,
    Toleration,
    Volume,
    VolumeMount,
)


class OnInterrupted(WireModel):
    """What happens when a process or container is lost, as when its node fails or is drained."""

    policy: Literal["Fail", "Retry"] = "Fail"
    """Fail ends the job. Retry starts anew and runs again the scripts that were lost."""
    limit: Annotated[int, Field(ge=1, le=100)] | None = None
    """How many losses Retry makes up for; 1 by default."""
    backoff_seconds: Annotated[int, Field(ge=0, le=LONGEST_SECONDS)] = 10
    """How long, in seconds, Retry waits after a loss."""


class PodFields(WireModel):
    """The fields of a Pod, and of the container in it that runs what the job says."""

    on_interrupted: OnInterrupted = OnInterrupted()
    """What happens when its process is lost."""
    resources: Resources = Resources()
    """Resource requests and limits of the container."""
    env: Environment = Field(default_factory=list[EnvironmentVariable])
    """Environment variables of the container."""
    volumes: Annotated[list[Volume], Field(max_length=50)] = Field(default_factory=list[Volume])
    """Volumes of the Pod."""
    volume_mounts: Annotated[list[VolumeMount], Field(max_length=50)] = Field(
        default_factory=list[VolumeMount]
    )
    """Where the container sees the volumes."""
    node_selector: Annotated[dict[QualifiedName, LabelValue], Field(max_length=50)] = Field(
        default_factory=dict[str, str]
    )
    """Labels that a node must have to run the Pod."""
    tolerations: Annotated[list[Toleration], Field(max_length=50)] = Field(
        default_factory=list[Toleration]
    )
    """Tolerations of the Pod."""
    priority_class_name: ObjectName | None = None
    """PriorityClass of the Pod."""
    image_pull_secrets: Annotated[list[ObjectReference], Field(max_length=10)] = Field(
        default_factory=list[ObjectReference]
    )
    """Secrets with the credentials of the image's registry."""
    run_as_user: UserId | None = None
    """Numeric user id that it runs under, never root's; without it a default."""
    run_as_group: UnixId | None = None
    """Numeric group id that it runs under."""
    fs_group: UnixId | None = None
    """Numeric group id that the volumes belong to."""
    supplemental_groups: Annotated[list[UnixId], Field(max_length=64)] = Field(
        default_factory=list[int]
    )
    """Further numeric group ids, such as those of a file server."""
    service_account_name: ObjectName | None = None
    """ServiceAccount of the Pod. Only one that the operator's settings allow."""
    pod_annotations: Annotated[dict[QualifiedName, AnnotationValue], Field(max_length=32)] = Field(
        default_factory=dict[str, str]
    )
    """Annotations of the Pod, as for a mesh or a cost tool. Only of prefixes that the operator's
    settings allow, and none of Kubernetes or enso."""
