"""Makes jobs from one line of text, and other helpers for jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from job_execution_framework.domain import events
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import FINALLY, Script, Session, Source, When
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan

EventT = TypeVar("EventT", bound=Event)
RETRY = "retry"


@dataclass
class FakeClock:
    """A clock that moves only by `sleep` and when a test changes it."""

    time: float = 1000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def job_of(
    text: str,
    *,
    retry_lost: int = 0,
    lost_backoff: float = 0,
    backoff: float = 0,
    deadline: float | None = None,
) -> Job:
    """Make a job of ``open.setup do.checkpoint.retry2 ; render``: `;` begins the next session.

    Behind the word ``finally`` stand its finally scripts: ``clean tell.failed``.
    """
    scripts: list[Script] = []
    sessions: list[Session] = []
    text, _, final = text.partition(" finally ")
    for number, part in enumerate(text.split(";"), start=1):
        session = Session(f"s{number}", retry_lost=retry_lost, lost_backoff_seconds=lost_backoff)
        sessions.append(session)
        scripts += [_script(script_text, session.name, backoff) for script_text in part.split()]
    scripts += [_final(script_text, backoff) for script_text in final.split()]
    return Job("job", tuple(scripts), tuple(sessions), deadline)


def _final(text: str, backoff: float) -> Script:
    when = next((when for when in When if when.value.lower() in text.split(".")), When.ALWAYS)
    return replace(_script(text, FINALLY, backoff), when=when)


def _script(text: str, session: str, backoff: float) -> Script:
    name, *traits = text.split(".")
    limits = [int(trait.removeprefix(RETRY)) for trait in traits if trait.startswith(RETRY)]
    return Script(
        name,
        Source("def main(): pass"),
        session=session,
        setup="setup" in traits,
        checkpoint="checkpoint" in traits,
        retries=Retries(sum(limits), backoff),
        continues="continue" in traits,
    )


def make(kind: type[EventT], **details: object) -> EventT:
    """Make an event of a kind that is chosen at run time, with that kind's fields."""
    return cast("Callable[..., EventT]", kind)(**details)


def plan_of(*scripts: Script) -> Plan:
    """Return the plan of the first session of a job of these scripts."""
    job = Job("job", scripts)
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    step = job.next(0)
    assert isinstance(step, Open)
    return Plan.of(job, step, ScriptLibrary([]))
