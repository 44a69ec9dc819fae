"""Who asked what of a job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from enso_operator.http_api.asked import AskedAction
from job_execution_framework.domain.events import (
    COORDINATOR,
    Asked,
    Event,
    FinallyCancelled,
    JobCancelled,
    JobPaused,
    JobResumed,
    JobUnpaused,
    ScriptEvent,
    ScriptFailed,
    ScriptRetryForced,
    ScriptSkipped,
    ScriptSucceeded,
    SkipRequested,
)
from job_execution_framework.domain.job import Job


@dataclass(frozen=True)
class Request:
    """What somebody asked of the job."""

    at: float
    what: str
    by: str
    """Who asked; "" where that is not known."""
    why: str
    outcome: str = ""
    """What came of it, where that is known beside what the events say."""
    is_refused: bool = False


def requests_of(job: Job) -> tuple[Request, ...]:
    """Return what was asked, the latest first.

    A resume that skips scripts leaves an event for each of them, too: it is one request.
    """
    asked = tuple(_asked_in(job))
    skipped = dict[float, list[str]]()
    for event in asked:
        if isinstance(event, JobResumed | JobUnpaused):
            skipped[event.at] = []
    found: list[Event] = []
    for event in asked:
        if isinstance(event, SkipRequested | ScriptSkipped) and event.at in skipped:
            skipped[event.at].append(event.script)
        else:
            found.append(event)
    return tuple(_request(event, skipped.get(event.at, ())) for event in reversed(found))


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


def _asked_in(job: Job) -> Iterator[Event]:
    """Yield the events of requests, without those that say that one has taken effect.

    A session confirms each skip, and a pause after a script begins with an event of its own.
    """
    requested, over = set[str](), set[str]()
    awaited = ""
    for event in job.events:
        if isinstance(event, ScriptEvent) and _is_over(event, job):
            over.add(event.script)
        if isinstance(event, SkipRequested):
            requested.add(event.script)
        elif isinstance(event, ScriptSkipped):
            is_echo = event.script in requested or event.origin not in ("", COORDINATOR)
            requested.discard(event.script)
            if is_echo:
                continue
        elif isinstance(event, JobPaused):
            is_echo = not (event.after or event.by or event.why) and awaited in over
            awaited, over = event.after, set[str]()
            if is_echo:
                continue
        if isinstance(event, Asked):
            yield event


def _is_over(event: ScriptEvent, job: Job) -> bool:
    is_done = isinstance(event, ScriptSucceeded | ScriptSkipped)
    return is_done or (isinstance(event, ScriptFailed) and job.script(event.script).continues)


def _request(event: Event, skipped: Sequence[str]) -> Request:
    by, why = (event.by, event.why) if isinstance(event, Asked) else ("", "")
    return Request(event.at, _what(event, skipped), by, why)


def _what(event: Event, skipped: Sequence[str]) -> str:
    skips = f", skipping {', '.join(skipped)}" if skipped else ""
    match event:
        case JobPaused(after=after):
            return f"pause after {after}" if after else "pause"
        case JobResumed(from_script=begin, changed=changed):
            where = f" from {begin}" if begin else ""
            return f"resume{where}{skips}{_changed(changed)}"
        case JobUnpaused(changed=changed):
            return f"go on{skips}{_changed(changed)}"
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
