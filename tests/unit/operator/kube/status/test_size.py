"""The largest jobs, with everything going wrong: their statuses stay below 64 KiB."""

from __future__ import annotations

import json
from dataclasses import replace

from enso_operator.api.status import LARGEST_STATUS, EnsoJobStatus
from enso_operator.kube.status.size import document_of
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Frame, Reason
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.history import ACTIONS_KEPT
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import LARGEST_OF_A_JOB, Output, size_of
from job_execution_framework.domain.retries import Budget, Retries, Spent
from job_execution_framework.domain.row import ATTEMPTS_KEPT
from job_execution_framework.domain.script import Container, Script, Session, Source
from tests.support.decisions import decisions
from tests.support.job_history import JobHistory
from tests.unit.operator.kube.status.test_simulation import NAMES, through_status

FRESH = EnsoJobStatus()
BIG = "n" * 60
HUGE = Cause(
    Reason.INTERPRETER_DID_NOT_START,
    '<"\U0001f3ac\\>' * 200,
    "E" * 300,
    Frame("\U0001f3ac" * 1000, 10**9, "\U0001f3ac" * 1000, "\U0001f3ac" * 300),
    -(2**31) + 1,
    "SIGSEGV",
    ("\U0001f3ac" * 300,) * 5,
    2**53,
    "\U0001f3ac" * 300,
)


PATIENT = Retries(100, on_reasons=tuple(Budget(f"R{i}{'r' * 62}", 100) for i in range(10)))


def test_the_largest_job_in_its_worst_hour_stays_below_64_kib() -> None:
    """One session with a hundred scripts, each of which failed too often and was replayed."""
    scripts = [
        Script(f"{i:03}{BIG}", Source("x"), {"a": "y" * 999}, retries=PATIENT) for i in range(100)
    ]
    history = JobHistory(Job("j" * 52, tuple(scripts)))
    resumed(history)
    history.opens("main", "u" * 128)
    for script in scripts:
        for _ in range(ATTEMPTS_KEPT):
            history.runs(script.name, HUGE)
        history.runs(script.name)
    for script in scripts[50:]:
        history.runs(script.name, HUGE)
    spent = tuple(Spent(budget.reason, 100) for budget in PATIENT.on_reasons)
    for name, row in history.job.rows.items():
        history.job.rows[name] = replace(row, failures=1099, spent=spent, budget=spent[-1].reason)
    check_size(history.job)
    history.fails(scripts[-1].name, HUGE)
    check_size(history.job)


def test_the_largest_outputs_of_the_largest_job_are_kept_whole() -> None:
    scripts = [Script(f"{i:03}{BIG}", Source("x"), retries=Retries(100)) for i in range(100)]
    history = JobHistory(Job("j" * 52, tuple(scripts)))
    resumed(history)
    history.opens("main", "u" * 128)
    texts = {script.name: "\x01" * 26 for script in scripts}  # JSON needs six bytes for each
    assert LARGEST_OF_A_JOB * 0.95 < sum(map(size_of, texts.values())) <= LARGEST_OF_A_JOB
    for script in scripts:
        for _ in range(ATTEMPTS_KEPT):
            history.runs(script.name, HUGE)
        history.runs(script.name)
        output = Output(texts[script.name], history.job.rows[script.name].attempt)
        history.job.rows[script.name] = replace(history.job.rows[script.name], output=output)
        history.runs(script.name, HUGE)
    history.fails(scripts[-1].name, HUGE)
    check_size(history.job)
    kept = through_status(history.job).outputs
    assert {name: output.value for name, output in kept.items()} == texts


def test_the_job_with_the_most_sessions_stays_below_64_kib() -> None:
    sessions = tuple(Session(f"s{i:02}{BIG}", retry_lost=3) for i in range(20))
    work = [Script(f"p{i:02}{BIG}", Source("x"), session=s.name) for i, s in enumerate(sessions)]
    boxes = [Script(f"c{i:02}{BIG}", Container("i")) for i in range(80)]
    history = JobHistory(Job("j" * 52, (*work, *boxes), sessions))
    resumed(history)
    for script in (*work, *boxes):
        for _ in range(ATTEMPTS_KEPT):
            history.opens(script.session, "u" * 128)
            history.record_in_session(events.ScriptStarted, script.name)
            history.record_for_script(events.ScriptInterrupted, script.name, cause=HUGE)
            history.ends(HUGE)
        history.record_for_script(events.ScriptSkipped, script.name)
    check_size(history.job)


def resumed(history: JobHistory) -> None:
    history.at += 0.123456
    for number in range(50):
        history.record(events.JobCancelled)
        history.job.redefine(Definition((*history.job.scripts,), (*history.job.sessions,)))
        history.record(events.JobResumed, action_id=f"{number:0128}")
    for number in range(ACTIONS_KEPT):
        history.record(events.JobUnpaused, action_id=f"{number:0128}")


def check_size(job: Job) -> None:
    document = document_of(status_of(job, 2**53, FRESH, definitions=NAMES))
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    assert LARGEST_STATUS / 2 < len(text.encode()) <= LARGEST_STATUS
    again = through_status(job)
    # A cause may be cut; all else is decided as before.
    assert [type(again.next(at)) for at in (job.events[-1].at, 1e12)] == [
        type(job.next(at)) for at in (job.events[-1].at, 1e12)
    ]
    assert (again.open_run and again.open_run.scripts, again.warm) == (
        job.open_run and job.open_run.scripts,
        job.warm,
    )
    assert (again.lost.keys(), again.runs) == (job.lost.keys(), job.runs)
    assert decisions(again, 1e12)[1:] == decisions(job, 1e12)[1:] or job.lost
