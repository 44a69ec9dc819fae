"""The port to the sessions of one job: processes that append records to a log.

The actor runs a job's scripts through it. Two adapters speak the same records, and pass the same
contract tests: Pods and local processes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from enso_operator.coordinator.session_location import SessionLocation
from job_execution_framework.domain.control import SessionControl
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer.observations import Observations
from job_execution_framework.service_layer.plan import Plan


class Sessions(Protocol):
    """Opens, releases, follows and ends session runs. Every call may be repeated."""

    @property
    def location(self) -> SessionLocation:
        """Where the latest session run is."""
        ...

    def check(self, job: Job) -> None:
        """Raise InvalidJob where a script or a session needs what is not supported here."""
        ...

    async def open(self, plan: Plan) -> str:
        """Create the run, not started; return the uid that is committed before `release`."""
        ...

    async def release(self, run: str, uid: str) -> None:
        """Let the run of this uid start, once in its life; raise OSError where it cannot start."""
        ...

    def follow(self, run: str, uid: str, after: int = 0) -> AsyncGenerator[Observations]:
        """Yield the run's records after that number; the last observation says that it `ended`.

        Records up to it may be yielded as well. Whoever does not read to the end closes it.
        """
        ...

    async def tell(self, run: str, uid: str, control: SessionControl) -> None:
        """Send the control (pause, cancel, skip, retry now), which the run reads at each start."""
        ...

    async def reap(self, patience: float) -> None:
        """Wait up to `patience` seconds for the processes of runs that have ended."""
        ...
