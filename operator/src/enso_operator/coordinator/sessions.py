"""The port to the sessions of one job: processes that append records to a log.

The actor runs a job's scripts through it. Two adapters speak the same records, and pass the same
contract tests: Pods and local processes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from enso_operator.coordinator.session_location import SessionLocation
from job_execution_framework.domain.control import SessionControl
from job_execution_framework.domain.script import Script
from job_execution_framework.service_layer.observations import Observations
from job_execution_framework.service_layer.plan import Plan


class Sessions(Protocol):
    """Opens, releases, follows and ends session runs. Every call may be repeated."""

    @property
    def location(self) -> SessionLocation:
        """Where the latest run is."""
        ...

    def check(self, scripts: Sequence[Script]) -> None:
        """Raise InvalidJob where a script asks for what no session of this kind can do."""
        ...

    async def open(self, plan: Plan) -> str:
        """Prepare the run, inert, and return the uid that is committed before its release."""
        ...

    async def release(self, run: str, uid: str) -> None:
        """Let the run of this uid start, once in its life; raise OSError where it cannot start."""
        ...

    def follow(self, run: str, uid: str, after: int = 0) -> AsyncIterator[Observations]:
        """Yield the run's records after that number; the last observation says that it `ended`.

        Records up to it may be yielded as well.
        """
        ...

    async def tell(self, run: str, uid: str, control: SessionControl) -> None:
        """Tell the run what is wanted of it now; it heeds that in its own time."""
        ...

    async def reap(self, patience: float) -> None:
        """Wait so many seconds for what is left of runs that have ended."""
        ...
