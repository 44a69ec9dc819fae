"""Names of Kubernetes Events, derived from the identity of an event, so that none is doubled.

They sort as things happened. `kubectl describe` sorts by whole seconds, and leaves Events of one
second in the order of their names only where all of them are in that order already.
"""

from __future__ import annotations

import hashlib
import re

from enso_operator.api.document import Document
from enso_operator.kube.ensojob import EnsoJobObject
from job_execution_framework.domain import events
from job_execution_framework.domain.events import COORDINATOR, Event
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import ENDED, JobState

_LAST = 999_999
_RUN_NUMBER = re.compile(r"-([0-9]+)\Z")
_Place = tuple[int, int, int]
"""A session by its number, a run of it, and a number in that run."""
_BEFORE_SESSIONS: _Place = (0, 0, _LAST)
_AT_THE_END: _Place = (255, 0, 0)
_FINALLY_RUNS = 4096
"""Room for the runs of one session of finally scripts, which stand behind the end."""
_FINALLY_CANCELLED: _Place = (255, 0xFFFE, 0)
_FAILED_FINALLY: _Place = (255, 0xFFFF, 0)
_BEFORE_THE_END, _AFTER_THE_END = "w.", "y."
_SUSPENSIONS = (
    events.JobSuspended,
    events.JobUnsuspended,
    events.JobPaused,
    events.JobUnpaused,
)


def name_of(ensojob: EnsoJobObject, job: Job, event: Event, resumes: int) -> str:
    """Return the name of what tells an event; `resumes` counts those of the job up to it."""
    identity = [ensojob.uid, type(event).__name__, *_identity(event, resumes)]
    place, moment = _place(job, event), ""
    if place is None:
        place = _stands_at(ensojob, job)
        moment = f"x{event.seq if isinstance(event, _SUSPENSIONS) else 0xFFFF:04x}."
    return _name(ensojob, resumes, place, moment, identity)


def name_of_note(ensojob: EnsoJobObject, job: Job | None, reason: str, words: str) -> str:
    """Return the name of what the operator itself has to say; the same words are told once."""
    resumes = int(ensojob.raw_ledger.get("resumes") or 0)
    has_ended = ensojob.condition("Succeeded").get("reason") in ENDED
    moment = _AFTER_THE_END if has_ended else _BEFORE_THE_END
    return _name(ensojob, resumes, _stands_at(ensojob, job), moment, [ensojob.uid, reason, words])


def _name(
    ensojob: EnsoJobObject, resumes: int, place: _Place, moment: str, identity: list[str]
) -> str:
    digest = hashlib.sha256("/".join(identity).encode()).hexdigest()[:16]
    session, run, number = place
    return f"{ensojob.name}.{resumes:02x}{session:02x}{run:04x}{number:06x}.{moment}{digest}"


def _identity(event: Event, resumes: int) -> list[str]:
    """What a session wrote has a number for ever; the coordinator may do it again, otherwise."""
    if event.origin not in (COORDINATOR, ""):
        return [event.origin, str(event.seq)]
    if isinstance(event, events.ScriptEvent):
        return [str(resumes), event.script, str(event.attempt)]
    if isinstance(event, (events.SessionOpened, events.SessionEnded)):
        return [event.run]
    if isinstance(event, _SUSPENSIONS):
        return [str(resumes), str(event.seq)]  # they alone may happen again and again
    return [str(resumes)]


def _place(job: Job, event: Event) -> _Place | None:
    """Return where among those of its resume the event stands; None where it may be anywhere."""
    if isinstance(event, events.ScriptEvent) and event.origin in (COORDINATOR, ""):
        session = job.script(event.script).session
        run = f"{session}-{job.runs.get(session, 0)}"
        return _in_run(job, run, _LAST - 1000 + event.number, event.script)
    if isinstance(event, (events.SessionOpened, events.SessionEnded)):
        return _in_run(job, event.run, 0 if isinstance(event, events.SessionOpened) else _LAST)
    if event.origin not in (COORDINATOR, ""):
        return _in_run(job, event.origin, event.seq)
    if isinstance(event, events.FinallyCancelled):
        return _FINALLY_CANCELLED
    if isinstance(event, events.JobFailed) and job.outcome is JobState.SUCCEEDED:
        return _FAILED_FINALLY
    if isinstance(event, (events.JobSucceeded, events.JobFailed, events.JobCancelled)):
        return None if job.open_run else _AT_THE_END
    return None if isinstance(event, _SUSPENSIONS) else (0, 0, event.seq)


def _stands_at(ensojob: EnsoJobObject, job: Job | None) -> _Place:
    """Return where the job stands as it was committed: whoever decides it anew knows no more."""
    ledger = ensojob.raw_ledger
    if job is None:
        return _BEFORE_SESSIONS
    if run := ledger.get("run"):
        cursors: dict[str, int] = ledger.get("cursors") or {}
        return _in_run(job, run["name"], cursors.get(run["name"], 0))
    ended: list[Document] = ledger.get("sessions") or []
    had = [
        _in_run(job, f"{session['name']}-{session['runs']}", _LAST)
        for session in ended
        if session.get("runs")
    ]
    return max(had, default=_BEFORE_SESSIONS)


def _in_run(job: Job, run: str, number: int, script: str = "") -> _Place:
    """Return a place in a run, which may be one of finally scripts, as that of this script is."""
    session, found = _RUN_NUMBER.sub("", run), _RUN_NUMBER.search(run)
    run_number = int(found[1]) if found else 0
    finals = list(dict.fromkeys(final.session for final in job.finals))
    if session in finals and _is_finally(job, run, session, script):
        return 255, (finals.index(session) + 1) * _FINALLY_RUNS + run_number, number
    return _number(job, session), run_number, number


def _is_finally(job: Job, run: str, session: str, script: str) -> bool:
    """Whether a run of a session that finally scripts have is one of theirs."""
    if all(one.session != session for one in job.main):
        return True
    opened = (event for event in job.events if isinstance(event, events.SessionOpened))
    first = script or next((event.scripts[0] for event in opened if event.run == run), "")
    return first in job.rows and job.script(first).is_final


def _number(job: Job, session: str) -> int:
    sessions = list(dict.fromkeys(script.session for script in job.main))
    return sessions.index(session) + 1 if session in sessions else 0
