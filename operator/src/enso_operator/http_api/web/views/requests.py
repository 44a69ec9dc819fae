"""Who asked what of a job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from enso_operator.api.document import Document
from enso_operator.http_api.asked import AskedAction
from enso_operator.manifests.told_changes import (
    UNKNOWN,
    changed_by,
    definitions_of,
    listed,
    told_change,
    told_values,
)
from job_execution_framework.domain.definition import Arguments
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
    ScriptInterrupted,
    ScriptRetryForced,
    ScriptSkipped,
    ScriptStarted,
    ScriptSucceeded,
    SkipRequested,
)
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.secret import Secret, shown


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
    arguments = {id(job.events[place]): known for place, known in definitions_of(job).items()}
    early = {id(event) for event in _taking_back(job)}
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
    return tuple(
        _request(
            event,
            skipped.get(event.at, ()),
            arguments.get(id(event), UNKNOWN),
            is_early=id(event) in early,
        )
        for event in reversed(found)
    )


def requests_in(asked: Sequence[AskedAction], job: Job | None) -> tuple[Request, ...]:
    """Return what was asked, with what came of it; `job` knows which arguments are secrets."""
    return tuple(
        Request(
            action.at,
            action.what + _changes(action, job),
            action.by,
            action.why,
            action.outcome or "nobody has acted on it yet",
            action.is_refused,
        )
        for action in asked
    )


def _changes(action: AskedAction, job: Job | None) -> str:
    told: list[str] = []
    for name, change in action.changes:
        script = job.script(name) if job and name in job.rows else None
        now: Mapping[str, object] = script.parameters if script else {}
        args: Document = change.get("args") or {}
        hidden = {
            key: Secret(None) if isinstance(now.get(key), Secret) else args[key] for key in args
        }
        values = [*told_values(name, shown(hidden), change.get("unsetArgs") or ())]
        others = [field for field in change if field not in ("name", "args", "unsetArgs")]
        told += values + [f"{field} of {name}" for field in others] or [name]
    return f", with changes: {listed(told)}" if told else ""


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


def _taking_back(job: Job) -> Iterator[Event]:
    """Yield what took a pause back before it had begun: the button for it says so, too."""
    is_awaited = is_running = False
    for event in job.events:
        if isinstance(event, ScriptStarted):
            is_running = True
        elif isinstance(event, ScriptSucceeded | ScriptFailed | ScriptInterrupted):
            is_running = False
        elif isinstance(event, JobPaused):
            is_awaited = bool(event.after)
        elif isinstance(event, JobUnpaused) and (is_awaited or is_running):
            yield event


def _is_over(event: ScriptEvent, job: Job) -> bool:
    is_done = isinstance(event, ScriptSucceeded | ScriptSkipped)
    return is_done or (isinstance(event, ScriptFailed) and job.script(event.script).continues)


def _request(
    event: Event,
    skipped: Sequence[str],
    arguments: tuple[Arguments, Arguments],
    *,
    is_early: bool,
) -> Request:
    by, why = (event.by, event.why) if isinstance(event, Asked) else ("", "")
    changed = listed(told_change(change, *arguments) for change in changed_by(event))
    details = f", skipping {', '.join(skipped)}" if skipped else ""
    details += f", with changes: {changed}" if changed else ""
    return Request(event.at, f"{_what(event, is_early=is_early)}{details}", by, why)


def _what(event: Event, *, is_early: bool) -> str:
    match event:
        case JobPaused(after=after):
            return f"pause after {after}" if after else "pause"
        case JobResumed(from_script=begin):
            return f"resume from {begin}" if begin else "resume"
        case JobUnpaused():
            return "do not pause" if is_early else "resume"
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
