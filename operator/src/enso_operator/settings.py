"""What the operator can be told, in the environment (ENSO_…) or by flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from enso_operator.journals import state_directory


def _names(given: object) -> object:
    """Read ``a,b``, as people write lists in an environment."""
    return [name for name in given.split(",") if name] if isinstance(given, str) else given


def sentences(error: ValidationError | SettingsError) -> str:
    """Return what is wrong with settings: each by its flag, and its name in the environment."""
    if isinstance(error, SettingsError):
        return str(error)
    return "; ".join(
        f"--{'-'.join(map(str, one['loc'])).replace('_', '-')} (or "
        f"ENSO_{'_'.join(map(str, one['loc'])).upper()}): {one['msg']}"
        for one in error.errors()
    )


class OperatorSettings(BaseSettings):
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

    sessions: Literal["local"] | None = None
    """Where scripts run. "local": as processes of this machine, under this user."""
    namespaces: Annotated[list[str], NoDecode, BeforeValidator(_names)] = Field(
        default_factory=list[str]
    )
    """Namespaces whose EnsoJobs are looked after; without any, all."""
    state_dir: Path = Field(default_factory=lambda: state_directory() / "operator")
    """Folder in which local sessions keep their journals and output."""
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
    leader_elect: bool = False
    """Work only while a Lease is held: of several operators one works, the others stand by."""
    lease_name: str = "enso-operator"
    """Name of that Lease. Operators that look after the same namespaces share one."""
    lease_namespace: str | None = None
    """Namespace of that Lease; by default the Pod's own, outside of Pods "default"."""
