"""Who asked what of a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enso_operator.http_api.asked import AskedAction
from job_execution_framework.domain.events import (
    Asked,
    Event,
    FinallyCancelled,
    JobCancelled,
    JobPaused,
    JobResumed,
    JobUnpaused,
    ScriptRetryForced,
    ScriptSkipped,
    SkipRequested,
)
from job_execution_framework.domain.job import Job


@dataclass(frozen=True)
class Request:
    """What somebody asked of the job."""

    at: float
    what: str
    by: str
    why: str
    outcome: str = ""
    """What came of it, where that is known beside what the events say."""
    is_refused: bool = False


def requests_of(job: Job) -> tuple[Request, ...]:
    """Return what was asked, the latest first."""
    return tuple(_request(event) for event in job.events if isinstance(event, Asked))[::-1]


def requests_in(asked: Sequence[AskedAction]) -> tuple[Request, ...]:
    """Return what was asked, with what came of it."""
    return tuple(
        Request(
            action.at,
            action.what,
            action.by,
            action.why,
            action.outcome or "nobody has acted on it yet",
            action.is_refused,
        )
        for action in asked
    )


def _request(event: Event) -> Request:
    by, why = (event.by, event.why) if isinstance(event, Asked) else ("", "")
    return Request(event.at, _what(event), by, why)


def _what(event: Event) -> str:
    match event:
        case JobPaused(after=after):
            return f"pause after {after}" if after else "pause"
        case JobResumed(from_script=begin, changed=changed):
            where = f" from {begin}" if begin else ""
            return f"resume{where}{_changed(changed)}"
        case JobUnpaused(changed=changed):
            return f"go on after the pause{_changed(changed)}"
        case JobCancelled():
            return "cancel"
        case FinallyCancelled():
            return "cancel the finally scripts"
        case ScriptRetryForced(script=script):
            return f"retry {script} now"
        case SkipRequested(script=script) | ScriptSkipped(script=script):
            return f"skip {script}"
        case _:
            return type(event).__name__


def _changed(changed: tuple[str, ...]) -> str:
    return f", with changes of {', '.join(changed)}" if changed else ""
