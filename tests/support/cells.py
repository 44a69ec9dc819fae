"""Cells of tables that say what runs of a job, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.coordinator import Coordinator
from tests.support.jobs import job_of
from tests.support.sessions import DIES, FAILS, TIMES_OUT, Fate

FATES: dict[str, Fate] = {"fails": FAILS, "times-out": TIMES_OUT, "dies": DIES}


@dataclass
class Cell:
    """One cell: a job, how its attempts go, what is done to it afterwards, and what ran."""

    job: str
    fates: str
    ran: str
    """Each start as script:attempt; `|` opens a session run, `~` is an interpreter that is lost."""
    after: tuple[str, ...] = ()
    ends: str = "Succeeded"
    retry_lost: int = 0

    def check(self) -> None:
        """Assert that this is what runs, and that the job ends so."""
        coordinator = driven(self.job, self.fates, retry_lost=self.retry_lost)
        for act in self.after:
            coordinator.act(act)
        assert " ".join(coordinator.starts) == self.ran
        assert str(coordinator.job.state) == self.ends


def driven(job: str, fates: str = "", *, retry_lost: int = 0, backoff: float = 0) -> Coordinator:
    """Return the coordinator of such a job, once it has nothing more to do."""
    made = job_of(job, retry_lost=retry_lost, backoff=backoff)
    coordinator = Coordinator(made, fates_of(fates))
    coordinator.drive()
    return coordinator


def fates_of(text: str) -> dict[str, Fate]:
    """Return how attempts end, of ``do:1 fails, save:2 dies``."""
    pairs = [part.split() for part in text.split(",") if part]
    return {start: FATES[fate] for start, fate in pairs}
