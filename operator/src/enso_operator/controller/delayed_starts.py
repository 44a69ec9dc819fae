"""Starts of scripts, which are told only where the script still runs a moment later.

The Event of its outcome says all that the one of its start does, and how long it took, so that a
job of quick scripts has half as many Events. `EventPublisher` asks what is to be told now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from enso_operator.api.document import Document
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.status.fields import seconds_of
from job_execution_framework.domain.events import COORDINATOR, Event, ScriptEvent, ScriptStarted
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import RULES

DELAY_SECONDS = 0.5
"""How long after it was seen a start is told."""
Told = tuple[Event, Document]
"""An event, and the Kubernetes Event that tells it."""


@dataclass(frozen=True)
class _Held:
    told: Told
    due: float


class DelayedStarts:
    """The starts of a job's scripts that are not told yet."""

    def __init__(self) -> None:
        self._held: list[_Held] = []

    @property
    def due(self) -> float | None:
        """When the next start is to be told; None where none waits."""
        return min((held.due for held in self._held), default=None)

    def sorted(self, news: Iterable[Told], now: float) -> list[Told]:
        """Return what is to be told now, of what is new and of the starts that wait, in order.

        A start is told before whatever follows it, but not where the outcome of its script does.
        The starts are returned again until `forget` is called: telling them may fail.
        """
        news, told = [*news], dict[str, Told]()
        dues = {_name(held.told): held.due for held in self._held}
        self.forget(news)  # what is told again, as its commit failed, stands where it stood
        for event, document in news:
            if isinstance(event, ScriptEvent) and _is_outcome(event):
                self._held = [held for held in self._held if not _is_start_of(held, event)]
            told |= {_name(held.told): held.told for held in self._held}
            if isinstance(event, ScriptStarted) and event.origin not in (COORDINATOR, ""):
                due = dues.get(_name((event, document)), now + DELAY_SECONDS)
                self._held.append(_Held((event, document), due))
            else:
                told[_name((event, document))] = event, document
        told |= {_name(held.told): held.told for held in self._held if held.due <= now}
        return [*told.values()]

    def all(self) -> list[Told]:
        """Return every start that waits, as something is to be told that follows them."""
        return [held.told for held in self._held]

    def forget(self, told: Sequence[Told]) -> None:
        """Let these starts wait no more."""
        names = {*map(_name, told)}
        self._held = [held for held in self._held if _name(held.told) not in names]


def committed_start(ensojob: EnsoJobObject, job: Job) -> list[Event]:
    """Return the start of the script that runs, as a status has it that was just read.

    The operator that wrote the status may have ended before it told of the start. The last record
    of the run is this start, as the session of a running script writes no other.
    """
    ledger = ensojob.status.ledger
    if not (ledger and ledger.run) or ledger.closing:
        return []  # `closing`: the run is from before a resume, and JobResumed came after its start
    origin = ledger.run.name
    return [
        replace(
            job.script_event(ScriptStarted, row.name, row.attempt, seconds_of(row.start_time) or 0),
            origin=origin,
            seq=(ledger.cursors or {}).get(origin, 0),
        )
        for row in ensojob.status.scripts or ()
        if row.state == "Running" and row.name in job.rows
    ]


def _is_outcome(event: ScriptEvent) -> bool:
    return RULES[type(event)].script_then not in (None, ScriptState.RUNNING)


def _is_start_of(held: _Held, outcome: ScriptEvent) -> bool:
    start = held.told[0]
    return isinstance(start, ScriptEvent) and start.script == outcome.script


def _name(told: Told) -> str:
    return str(told[1]["metadata"]["name"])
