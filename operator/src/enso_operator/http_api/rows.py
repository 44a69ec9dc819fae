"""The jobs as a list shows them: the columns of each, for those lists that hold thousands of them.

The backends make them, without reading a whole job for a line of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MOST_ROWS = 10_000
"""Rows of one list; where there are more jobs, `Rows.is_complete` says so."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """What a list shows of one job; texts are empty where there is nothing to say."""

    name: str
    namespace: str
    """Empty for a job in memory."""
    created: float
    """Seconds since the epoch; those of a cluster are whole seconds."""
    state: str
    finer: str = ""
    """A word that is finer than the state, such as ``Pausing``."""
    done: str = ""
    """How many scripts are done, such as ``2/4``; empty before an operator has seen the job."""
    script: str = ""
    """The script that runs, that waits for its next attempt, or at which the job failed or was
    cancelled."""
    progress: str = ""
    """What the running script has told, such as ``42.5%``."""
    reason: str = ""
    """For which reason it failed, or waits."""
    error: str = ""
    """The type of the exception with which it failed, where it did with one."""
    template: str = ""
    """The template that it is a run of."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    skipped: int = 0
    """How many of those that are done were skipped, where that is known: of jobs in memory."""


@dataclass(frozen=True)
class Rows:
    """A list of jobs at one moment."""

    rows: tuple[JobRow, ...]
    """The newest first; of one second by name."""
    is_complete: bool = True
    """Whether these are all jobs; if not, it is unspecified which are missing."""

    @classmethod
    def of(cls, rows: Iterable[JobRow], *, is_complete: bool = True) -> Rows:
        """Return the rows in their order."""
        return cls(tuple(sorted(rows, key=newest_first)), is_complete)


def newest_first(row: JobRow) -> tuple[float, str, str]:
    """Return the key of the order in which rows are shown."""
    return -row.created, row.namespace, row.name
