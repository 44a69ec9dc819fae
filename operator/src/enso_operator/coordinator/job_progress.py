"""The progress of one job: what its session said last, and when that is written. For the actor.

Where the actor writes anyway, it writes the latest progress, too. Progress alone waits until a
second has passed since the job's last write, and then for its turn in the budget of all jobs.
"""

from __future__ import annotations

from collections.abc import Callable

from enso_operator.coordinator.progress_budget import ProgressBudget
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.progress import Progress

JOB_SECONDS = 1.0
"""The least time from a write of the job's to one of its progress alone."""


class JobProgress:
    """What is told of one job, and what of that is written."""

    def __init__(self, key: str, budget: ProgressBudget | None, wake: Callable[[], None]) -> None:
        """Take the job's key in the budget; without one no progress is written."""
        self._key, self._budget, self._wake = key, budget, wake
        self._latest: Progress | None = None
        self._has_turn, self._written_at = False, 0.0

    def heard(self, progress: Progress | None) -> None:
        """Take what the session said last."""
        self._latest = progress or self._latest

    def take_turn(self, job: Job) -> bool:
        """Use the turn, if the job was given one and still has something to write."""
        has_turn, self._has_turn = self._has_turn, False
        return has_turn and self._is_news(job)

    def bring_up_to_date(self, job: Job, now: float) -> None:
        """Put the latest progress into the job, which is going to be written."""
        self._written_at = now
        if self._is_news(job):
            job.progress = self._latest
        if self._budget:
            self._budget.withdraw(self._key)

    def ask_in(self, job: Job, now: float) -> float | None:
        """Ask for a turn if there is something to write and it is time.

        Return the seconds until it is time; None where nothing is to be waited for.
        """
        if not self._budget or not self._is_news(job):
            return None
        if now < (at := self._written_at + JOB_SECONDS):
            return at - now
        self._budget.ask(self._key, self._on_turn)
        return None

    def stop(self) -> None:
        """Write no more."""
        if self._budget:
            self._budget.withdraw(self._key)

    def _on_turn(self) -> None:
        self._has_turn = True
        self._wake()

    def _is_news(self, job: Job) -> bool:
        """Whether the running attempt has said something that the job does not show."""
        latest = self._latest
        if latest is None or not job.is_running(latest.script, latest.attempt):
            return False
        shown = job.progress_of(latest.script)
        return shown is None or (shown.percent, shown.message) != (latest.percent, latest.message)
