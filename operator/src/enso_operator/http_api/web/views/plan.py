"""What a resume will run and keep, script by script, and in short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from job_execution_framework.domain.forecast import STARTS, Fate, Forecast

_OVER = {Fate.KEPT, Fate.SKIPPED, Fate.AT_THE_END}
"""What becomes of scripts of which none is started before the end is decided."""


@dataclass(frozen=True)
class Step:
    """What becomes of one script."""

    name: str
    session: str
    fate: str
    why: str
    runs: bool


@dataclass(frozen=True)
class Plan:
    """What becomes of all."""

    steps: tuple[Step, ...]
    summary: str
    """How many run, and how many do not."""
    has_sessions: bool
    """Whether there are several, which are told apart."""
    succeeds_at_once: bool
    """Whether nothing is left to run, as all that was not done is skipped."""


def plan_of(to_come: Sequence[Forecast]) -> Plan:
    """Return the plan of a resume."""
    fates = {told.fate for told in to_come}
    sessions = {told.script.session for told in to_come}
    return Plan(
        tuple(
            Step(
                told.script.name,
                told.script.session,
                told.fate.value,
                told.why,
                told.fate in STARTS,
            )
            for told in to_come
        ),
        _summary(_counted(to_come)),
        len(sessions) > 1,
        succeeds_at_once={Fate.SKIPPED} <= fates <= _OVER,
    )


def _summary(counted: Sequence[tuple[Fate, int]]) -> str:
    """Return ``2 scripts run, 1 runs again, 1 kept``."""
    noun = {True: " script", False: " scripts"}
    return ", ".join(
        f"{count}{'' if place else noun[count == 1]} {_fate(fate, count)}"
        for place, (fate, count) in enumerate(counted)
    )


def _counted(to_come: Sequence[Forecast]) -> list[tuple[Fate, int]]:
    """Return the counts, what starts first."""
    counts = Counter(told.fate for told in to_come)
    return sorted(counts.items(), key=lambda item: (*STARTS, *Fate).index(item[0]))


def _fate(fate: Fate, count: int) -> str:
    """Return the fate of so many."""
    return fate.value.replace("runs", "run") if count > 1 else fate.value
