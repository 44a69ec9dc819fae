"""Checks a session's records, which its scripts could forge: a session may report only on itself.

`Job.apply` refuses other impossible records. Records stay in memory as long as their job lives, so
their number and size are bounded by what a correct session can need.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from job_execution_framework.domain import outputs
from job_execution_framework.domain.cause import printable
from job_execution_framework.domain.errors import IllegalTransition
from job_execution_framework.domain.events import (
    Event,
    ScriptEvent,
    ScriptFailed,
    ScriptSkipped,
    ScriptSucceeded,
    SessionOpened,
)
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.output_file import LONGEST_LOST
from job_execution_framework.domain.outputs import Output
from job_execution_framework.domain.script import Script
from job_execution_framework.service_layer.observations import Observations, Outcome

RECORDS_OF_AN_ATTEMPT = 4
"""Records of one attempt at most: started, ended, interpreter lost, to be started again."""
LONGEST_OUTPUT, LONGEST_PARAMETERS = 8192, 2048
"""Characters of JSON: twice the limit of what `main` returns, and of arguments unlike the job's."""


def believed(job: Job, seen: Observations) -> Observations:
    """Return the observations, reduced to what may be folded.

    Raises IllegalTransition where the open session reports on anything but itself, or writes more
    records than its plan can need.
    """
    if not job.open_run or seen.run not in ("", job.open_run.run):
        return seen
    most = most_records(job, job.open_run) if seen.records else 0
    for event in seen.records:
        _check_record(job, job.open_run, event, most)
    for outcome in seen.ended.outcomes if seen.ended else ():
        _check_last_words(job, job.open_run, outcome)
    lean = [_lean(job, event) for event in seen.records]
    return replace(seen, records=tuple(_with_fitting_outputs(job, job.open_run, lean)))


def most_records(job: Job, run: SessionOpened) -> int:
    """Return the largest number of records that the run's plan can need.

    The whole plan starts again after each failure that kills the interpreter; with the first
    failure beyond the allowed retries the run ends, or goes on past the script.
    """
    failures = 1 + _most_failures(map(job.script, run.scripts))
    return RECORDS_OF_AN_ATTEMPT * len(run.scripts) * (1 + failures)


def _most_failures(scripts: Iterable[Script]) -> int:
    """Return after how many failures of these scripts, at most, a run starts another attempt."""
    return sum(script.retries.most + script.continues for script in scripts)


def _check_record(job: Job, run: SessionOpened, event: Event, most: int) -> None:
    if event.origin != run.run:
        said = f"{type(event).__name__} in the name of {event.origin or 'nobody'}"
        raise IllegalTransition(f"{run.run} wrote {said}")
    if event.seq > most:
        raise IllegalTransition(f"{run.run} wrote more than the {most} records that it can need")
    if isinstance(event, ScriptSkipped) and event.seq > job.cursors.get(run.run, 0):
        row = job.rows.get(event.script)
        if row and not row.skip_requested:
            raise IllegalTransition(f"{run.run} skipped script {event.script}, unasked")
    output = event.output if isinstance(event, ScriptSucceeded) else None
    if output is not None and (size := outputs.size_of(output)) > LONGEST_OUTPUT:
        raise IllegalTransition(f"{run.run} wrote an output of {size} characters")


def _with_fitting_outputs(job: Job, run: SessionOpened, records: list[Event]) -> Iterator[Event]:
    """Yield the records without outputs that a job cannot keep: only older sessions return them."""
    kept = job.outputs
    for event in records:
        if not isinstance(event, ScriptSucceeded) or event.seq <= job.cursors.get(run.run, 0):
            yield event
        elif outputs.unfit(event.output) or outputs.too_much(kept, event.script, event.output):
            kept.pop(event.script, None)
            yield replace(event, output=None)
        else:
            kept[event.script] = Output(event.output, event.attempt)
            yield event


def _lean(job: Job, event: Event) -> Event:
    """Share the job's own arguments with the event, to hold them once; limit the size of others."""
    if not isinstance(event, ScriptEvent) or event.script not in job.rows:
        return event
    if isinstance(event, ScriptSkipped):  # who asked, and which action, is not for it to say
        event = replace(event, by="", why="", action_id="")
    if isinstance(event, (ScriptSucceeded, ScriptFailed)):
        event = replace(event, output_lost=printable(event.output_lost, LONGEST_LOST))
    own = job.shown(event.script, event.attempt)
    if not event.parameters or event.parameters == own:  # a long record leaves them out
        return replace(event, parameters=own)
    unlike = {key: value for key, value in event.parameters.items() if own.get(key) != value}
    if len(json.dumps(unlike)) > LONGEST_PARAMETERS:
        return replace(event, parameters={})
    return event


def _check_last_words(job: Job, run: SessionOpened, outcome: Outcome) -> None:
    """Each attempt after a run's first one needs a failure that some script of it is allowed."""
    name, attempt = outcome.script, outcome.attempt
    if name not in run.scripts:
        raise IllegalTransition(f"script {name} is not in the plan of {run.run}")
    if attempt > job.rows[name].attempt + 1 + _most_failures(job.scripts):
        raise IllegalTransition(f"script {name} had no attempt {attempt}")
