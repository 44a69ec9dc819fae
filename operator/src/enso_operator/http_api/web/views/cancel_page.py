"""What a cancel of a job would end, lose and keep, before anybody asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.rights import ALLOWED, Rights
from enso_operator.http_api.web.views.query import Query
from job_execution_framework.domain.actions import Cancel, Resume
from job_execution_framework.domain.final import applies
from job_execution_framework.domain.forecast import Fate, forecast
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import ENDED, JobState

AGAIN = "A resume runs it from its beginning: what it has done in memory is lost"


@dataclass(frozen=True)
class Consequence:
    """What a cancel means for some of the scripts."""

    word: str
    scripts: tuple[str, ...]
    """Their names; none where it is about the job."""
    sentence: str


@dataclass(frozen=True)
class CancelPage:
    """What the page shows."""

    name: str
    namespace: str
    why_not: str
    """Why it cannot be cancelled now, as a sentence; "" where it can."""
    consequences: tuple[Consequence, ...] = ()
    is_allowed: bool = True
    """Whether whoever asks may cancel it at all."""
    is_of_finally: bool = False
    """Only its finally scripts are cancelled: the end of the job is decided."""

    def address(self, path: str = "") -> str:
        """Return the address of the job, or of a page below it."""
        return Query(namespace=self.namespace).address(f"/jobs/{self.name}{path}")


def cancel_page(snapshot: JobSnapshot, namespace: str = "", rights: Rights = ALLOWED) -> CancelPage:
    """Return what a cancel would mean now, to somebody with these rights."""
    job, name = snapshot.job, snapshot.jobid
    if job is None:
        return CancelPage(name, namespace, f"{name} is no job that could be cancelled.")
    if rights.act:
        return CancelPage(name, namespace, rights.act, is_allowed=False)
    if why_not := Cancel().why_not(job):
        return CancelPage(name, namespace, f"{name} {why_not}.")
    has_ended = job.state in ENDED
    consequences = tuple(_of_finally(job) if has_ended else _of_job(job))
    return CancelPage(name, namespace, "", consequences, is_of_finally=has_ended)


def _of_finally(job: Job) -> Iterator[Consequence]:
    """Say what it means for a job whose end is decided: it ends its finally scripts."""
    yield from _stops(job, "It is asked to end, and killed where it does not")
    if later := _not_running(job, [script.name for script in job.finally_to_come()]):
        sentence = "Due now, and left out: it runs only if a resumed job ends once more"
        yield Consequence("Not run", later, sentence)
    yield Consequence("Stays", (), f"The job is {job.outcome}, as was decided before")


def _of_job(job: Job) -> Iterator[Consequence]:
    yield from _stops(job, f"It is asked to end, and killed where it does not. {AGAIN}")
    after = job.copy()
    after.obey(Cancel(without_finally=True), 0)
    why_not = Resume().why_not(after)
    plan = forecast(after, None if why_not else Resume())

    def those(*fates: Fate) -> tuple[str, ...]:
        named = [one.script.name for one in plan if one.fate in fates and not one.script.is_final]
        return _not_running(job, named)

    if kept := those(Fate.KEPT):
        yield Consequence("Kept", kept, "Done, and not run again")
    if again := those(Fate.RUNS_AGAIN):
        lost = "Done, but its work is in memory, which is lost: a resume runs it again"
        yield Consequence("Lost", again, lost)
    if later := those(Fate.RUNS):
        yield Consequence("Not run", later, "Runs only if somebody resumes the job")
    finals = tuple(script.name for script in job.finals if applies(script, JobState.CANCELLED))
    if finals:
        yield Consequence("Runs now", finals, "Cleans up, as at each end of the job")
    goes_on = f"It cannot be resumed: it {why_not}" if why_not else "The job can be resumed later"
    yield Consequence("After it", (), goes_on)


def _stops(job: Job, sentence: str) -> Iterator[Consequence]:
    running = [name for name, row in job.rows.items() if row.state is ScriptState.RUNNING]
    if running:
        yield Consequence("Stops", tuple(running), sentence)


def _not_running(job: Job, names: list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if job.rows[name].state is not ScriptState.RUNNING)
