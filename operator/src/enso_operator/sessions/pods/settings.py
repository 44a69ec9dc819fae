"""What the operator's settings say of every session Pod: what no job chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MARGIN_SECONDS = 15
"""Beyond the scripts' grace: until the last record is written, and the process has ended."""


@dataclass(frozen=True)
class PodSettings:
    """Defaults and limits of session Pods. Times are in seconds."""

    records_image: str
    """Image of the container that prints the records: the operator's own."""
    records_pull_policy: str | None = None
    """When nodes pull that image, also where a session runs in it; None leaves it to its tag."""
    records_requests: Mapping[str, str] = field(default_factory=dict[str, str])
    """What a node must have free for that container."""
    records_limits: Mapping[str, str] = field(default_factory=dict[str, str])
    """What that container may use at most."""
    session_image: str = ""
    """Image of sessions that name none."""
    grace_seconds: int = 30
    """From SIGTERM to SIGKILL, for a script's own clean-up."""
    pull_patience_seconds: float = 300.0
    """How long an image that cannot be pulled, or a Secret that is not there, is waited for."""
    schedule_patience_seconds: float | None = None
    """How long a node is waited for; None for ever: a queue is no failure."""
    unreachable_seconds: int = 3600
    """How long a Pod stays bound to a node that cannot be reached."""
    run_as_user: int = 65532
    """User id of sessions that name none."""
    run_as_group: int = 65532
    """Group id of sessions that name none."""
    service_accounts: frozenset[str] = frozenset()
    """ServiceAccounts that a session may name."""
    allow_nfs: bool = False
    """Whether a session may mount NFS exports by itself."""

    @property
    def termination_seconds(self) -> int:
        """From the deletion of a Pod to the SIGKILL that ends it."""
        return self.grace_seconds + MARGIN_SECONDS
