"""What the operator can be told, in the environment (ENSO_…) or by flags.

Each setting is declared here once: `sessions/pods/` is given the `PodSettings` among them, and the
values of the chart (`dev/chart/values.py`) take their defaults and bounds from here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from enso_operator.api.session_fields import Quantities

RECORDS_REQUESTS = {"cpu": "10m", "memory": "32Mi"}
RECORDS_LIMITS = {"memory": "96Mi"}
OPERATOR_USER = 65532
"""The user and the group of the operator's image."""
MARGIN_SECONDS = 15
"""Beyond the scripts' grace: until the last record is written, and the process has ended."""

GraceSeconds = Annotated[int, Field(ge=1, le=86400)]
AnnotationPrefix = Annotated[
    str, Field(max_length=317, pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?/[-_.A-Za-z0-9]*$")
]
"""How keys of annotations begin: a domain with its '/', so that none of a longer domain fits."""
UserId = Annotated[int, Field(ge=1)]


def _names(given: object) -> object:
    """Read ``a,b``, as people write lists in an environment."""
    return [name for name in given.split(",") if name] if isinstance(given, str) else given


def _quantities(given: object) -> object:
    """Read ``cpu=100m,memory=64Mi``, as kubectl writes requests and limits, or JSON."""
    if not isinstance(given, str):
        return given
    if given.startswith("{"):
        return json.loads(given)
    pairs = (part.partition("=") for part in given.split(",") if part)
    return {name: quantity for name, _, quantity in pairs}


SetQuantities = Annotated[Quantities, NoDecode, BeforeValidator(_quantities)]


def sentences(error: ValidationError | SettingsError) -> str:
    """Return what is wrong with settings: each by its flag, and its name in the environment."""
    if isinstance(error, SettingsError):
        return str(error)
    return "; ".join(
        f"--{'-'.join(map(str, problem['loc'])).replace('_', '-')} (or "
        f"ENSO_{'_'.join(map(str, problem['loc'])).upper()}): {problem['msg']}"
        for problem in error.errors()
    )


class _Scope(BaseModel):
    """Whose scripts run, and where. A class of its own, as flags are listed base classes first."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    sessions: Literal["pods", "local"] | None = None
    """Where scripts run. "pods": in Pods; "local": as processes of this machine, as this user."""
    namespaces: Annotated[list[str], NoDecode, BeforeValidator(_names)] = Field(
        default_factory=list[str]
    )
    """Namespaces whose EnsoJobs are looked after; without any, all."""
    state_dir: Path | None = None
    """Folder in which local sessions keep their journals and output."""


class PodSettings(BaseModel):
    """Defaults and limits of session Pods: what no job chooses. Times are in seconds."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    records_image: str = ""
    """Image of the container that brings records out of a session's Pod: the operator's own."""
    records_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When nodes pull that image: Always, IfNotPresent or Never."""
    records_requests: SetQuantities = Field(default_factory=RECORDS_REQUESTS.copy)
    """What a node must have free for that container."""
    records_limits: SetQuantities = Field(default_factory=RECORDS_LIMITS.copy)
    """What that container may use at most; a quota may want a cpu, too: cpu=100m,memory=96Mi."""
    session_image: str = ""
    """Image of sessions that name none: any with python3 of version 3.10 or later."""
    grace_seconds: GraceSeconds = 30
    """How long a script that is ended in a Pod may clean up."""
    pull_patience_seconds: Annotated[float, Field(ge=0)] = 300.0
    """How long an image that cannot be pulled, or a Secret that is not there, is waited for."""
    schedule_patience_seconds: Annotated[float, Field(ge=0)] | None = None
    """How long a node is waited for; without it for ever: a queue is no failure."""
    unreachable_seconds: Annotated[int, Field(ge=0)] = 3600
    """How long a session's Pod stays bound to a node that cannot be reached."""
    service_accounts: Annotated[list[str], NoDecode, BeforeValidator(_names)] = Field(
        default_factory=list[str]
    )
    """ServiceAccounts that a session may name; without any, none."""
    allowed_pod_annotation_prefixes: Annotated[
        list[AnnotationPrefix], NoDecode, BeforeValidator(_names)
    ] = Field(default_factory=list[str])
    """Prefixes of annotations that a job may give its Pods; without any, none."""
    allow_nfs: bool = False
    """Whether a session may mount NFS exports by itself."""
    run_as_user: UserId = OPERATOR_USER
    """User id of sessions that name none."""
    run_as_group: Annotated[int, Field(ge=0)] = OPERATOR_USER
    """Group id of sessions that name none."""

    @property
    def termination_seconds(self) -> int:
        """From the deletion of a Pod to the SIGKILL that ends it."""
        return self.grace_seconds + MARGIN_SECONDS


class OperatorSettings(  # pyright: ignore[reportIncompatibleVariableOverride]  # TypedDicts
    PodSettings, _Scope, BaseSettings
):
    """Watch EnsoJobs, run their scripts, and write back what happened."""

    model_config = SettingsConfigDict(
        env_prefix="ENSO_",
        use_attribute_docstrings=True,
        cli_prog_name="enso operator",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_avoid_json=True,
        cli_hide_none_type=True,
        case_sensitive=False,
    )

    health_host: str = "127.0.0.1"
    """Address of /healthz, /readyz and /metrics."""
    health_port: Annotated[int, Field(ge=0, le=65535)] = 8081
    """Port of /healthz, /readyz and /metrics; 0 takes any that is free."""
    resync_seconds: Annotated[float, Field(gt=0)] = 60.0
    """How often what the watch has shown is compared with what there is."""
    log_format: Literal["text", "json"] = "text"
    """Logs as lines for people, or as JSON."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least of what is logged."""
    allow_code_changes: bool = False
    """Whether resumes may change source, image, interpreter and env; then a policy says whose."""
    leader_elect: bool = False
    """Work only while a Lease is held: of several operators one works, the others stand by."""
    lease_name: str = "enso-operator"
    """Name of that Lease. Operators that look after the same namespaces share one."""
    lease_namespace: str | None = None
    """Namespace of that Lease; by default the Pod's own, outside of Pods "default"."""
