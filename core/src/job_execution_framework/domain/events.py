"""What can happen to a job, in the past tense.

`Job` applies events, `service_layer.records` writes and reads them. An event is identified by its
`origin`, which is the coordinator or the session run that wrote it, and its number `seq` among the
events of that origin. ``print(event)`` is one line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from job_execution_framework.domain.cause import Cause, escaped
from job_execution_framework.domain.retries import next_retry

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS = (
    (_MINUTE, "min", 1, "s", _HOUR),
    (_HOUR, "h", _MINUTE, "min", _DAY),
    (_DAY, "d", _HOUR, "h", float("inf")),
)
"""A unit, the one of what remains, and from where on they are too small."""
COORDINATOR = "coordinator"
"""The origin of all events that are not written by a session."""
_json = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact. `at` is in seconds since the epoch."""

    at: float
    origin: str = ""
    seq: int = 0

    def __str__(self) -> str:
        line = f"{_utc(self.at)} {type(self).__name__} {self.details()}"
        return " ".join(line.splitlines()).rstrip()

    def details(self) -> str:
        """Return the event's own part of its line."""
        return ""


@dataclass(frozen=True, kw_only=True)
class JobAdded(Event):
    """The job exists; `scripts` are the names of its steps."""

    scripts: tuple[str, ...] = ()

    def details(self) -> str:
        return ", ".join(self.scripts)


@dataclass(frozen=True, kw_only=True)
class JobStarted(Event):
    """The job may run from here on."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The fields of an event that an action caused: who asked, and why."""

    by: str = ""
    why: str = ""
    action_id: str = ""
    """The id of the action, so that it is not done twice; empty where it has none."""

    def asked(self, *parts: str) -> str:
        """Return these parts of a line, followed by the reason and by who asked."""
        return "; ".join(part for part in (*parts, self.why, self.by and f"by {self.by}") if part)


@dataclass(frozen=True, kw_only=True)
class JobSuspended(Event):
    """The job's spec suspends it: no other script is started; the running one may end."""


@dataclass(frozen=True, kw_only=True)
class JobUnsuspended(Event):
    """The job's spec no longer suspends it."""


@dataclass(frozen=True, kw_only=True)
class JobPaused(Asked, Event):
    """Somebody paused the job: no other script is started, from now on or after one script."""

    after: str = ""
    """Pause only after this script; once it is done, a second event with an empty `after`."""

    def details(self) -> str:
        return self.asked(f"after {self.after}" if self.after else "")


@dataclass(frozen=True, kw_only=True)
class JobUnpaused(Asked, Event):
    """Somebody let a paused job go on."""

    changed: tuple[str, ...] = ()
    """What was changed in the scripts that will run, as ``script.field``."""

    def details(self) -> str:
        return self.asked(f"changed {', '.join(self.changed)}" if self.changed else "")


@dataclass(frozen=True, kw_only=True)
class JobResumed(Asked, Event):
    """A job that ended goes on, as the checkpoint rule says or from `from_script` on."""

    from_script: str = ""
    changed: tuple[str, ...] = ()
    """What was changed in the scripts that will run, as ``script.field``."""

    def details(self) -> str:
        changed = f"changed {', '.join(self.changed)}" if self.changed else ""
        return self.asked(f"from {self.from_script}" if self.from_script else "", changed)


@dataclass(frozen=True, kw_only=True)
class JobSucceeded(Event):
    """Every script is done."""


@dataclass(frozen=True, kw_only=True)
class JobFailed(Event):
    """The job failed; `script` names the script that failed, if the failure was at one."""

    cause: Cause
    script: str = ""

    def details(self) -> str:
        return f"{self.script}: {self.cause}" if self.script else str(self.cause)


@dataclass(frozen=True, kw_only=True)
class JobCancelled(Asked, Event):
    """Somebody stopped the job."""

    def details(self) -> str:
        return self.asked()


@dataclass(frozen=True, kw_only=True)
class FinallyCancelled(Asked, Event):
    """Somebody stopped the finally scripts of a job whose end was decided: no other starts."""

    def details(self) -> str:
        return self.asked()


@dataclass(frozen=True, kw_only=True)
class SessionOpened(Event):
    """One process of a session may start: the one with this `uid`."""

    run: str
    session: str
    uid: str
    scripts: tuple[str, ...]
    """The only scripts that it may start."""

    def details(self) -> str:
        return f"{self.run}: {', '.join(self.scripts)}"


@dataclass(frozen=True, kw_only=True)
class SessionEnded(Event):
    """The open session's process has certainly ended; `cause` says why, if it was lost."""

    run: str
    cause: Cause | None = None
    killed: tuple[str, ...] = ()
    """Processes that its scripts left running and that had to be killed."""

    def details(self) -> str:
        ended = f"{self.run}: {self.cause}" if self.cause else self.run
        killed = f"had to kill what its scripts left running: {'; '.join(self.killed)}"
        return f"{ended}: {killed}" if self.killed else ended


@dataclass(frozen=True, kw_only=True)
class InterpreterLost(Event):
    """The session goes on in a fresh interpreter: what its scripts had in memory is gone."""


@dataclass(frozen=True, kw_only=True)
class ScriptEvent(Event):
    """Something that happened to one attempt of one script."""

    script: str
    number: int
    """The script's place in the job, from 1."""
    of: int
    """How many scripts the job has, without its finally scripts."""
    attempt: int
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])
    """The parameters as people may see them: secrets hidden, long values cut."""
    is_final: bool = False
    """Whether it is one of the finally scripts, of which `number` and `of` are then."""

    def details(self) -> str:
        what = f"{self.place()}, attempt {self.attempt}{self.outcome()}"
        return f"{what}; args {arguments(self.parameters)}" if self.parameters else what

    def place(self) -> str:
        """Return the script and where it stands: ``2/4 publish``, ``finally 1/2 clean``."""
        return f"{'finally ' if self.is_final else ''}{self.number}/{self.of} {self.script}"

    def outcome(self) -> str:
        """Return how it went, to be read after the attempt's number."""
        return ""


@dataclass(frozen=True, kw_only=True)
class ScriptStarted(ScriptEvent):
    """Recorded before the attempt starts: from now on the script may have had effects."""

    output_begins: int | None = None
    """How many bytes its session's output had before; None where that is not known."""


@dataclass(frozen=True, kw_only=True)
class ScriptSucceeded(ScriptEvent):
    """``main`` returned; `output` is what it returned, `seconds` how long it took."""

    seconds: float = 0
    output: object = None
    output_ends: int | None = None
    """How many bytes its session's output had at its end; None where that is not known."""
    output_lost: str = ""
    """Why not all of its output is in the file that its session keeps; empty where it is."""

    def outcome(self) -> str:
        return f", {took(self.seconds)}{_lost(self.output_lost)}"


@dataclass(frozen=True, kw_only=True)
class ScriptFailed(ScriptEvent):
    """The attempt failed for a known reason."""

    cause: Cause
    seconds: float = 0
    output_ends: int | None = None
    """The same as in `ScriptSucceeded`."""
    output_lost: str = ""
    """The same as in `ScriptSucceeded`."""

    def outcome(self) -> str:
        return f", {took(self.seconds)}: {self.cause}{_lost(self.output_lost)}"


@dataclass(frozen=True, kw_only=True)
class ScriptInterrupted(ScriptEvent):
    """It is not known how far the attempt came, or whether it began."""

    cause: Cause

    def outcome(self) -> str:
        return f": {self.cause}"


@dataclass(frozen=True, kw_only=True)
class ScriptRetrying(ScriptEvent):
    """The script will be started again; `attempt` is the one that failed."""

    after_seconds: float = 0
    retry: int = 0
    """Which retry of its budget it will be, from 1; 0 in records of earlier releases."""
    limit: int = 0
    """How many retries that budget has."""
    reason: str = ""
    """The cause for which that budget is; "" for that of all other causes."""

    def outcome(self) -> str:
        which = f", {next_retry(self.retry, self.limit, self.reason)}" if self.retry else ""
        return which + (
            f", again in {took(self.after_seconds)}" if self.after_seconds else ", again now"
        )


@dataclass(frozen=True, kw_only=True)
class ScriptRetryForced(Asked, ScriptEvent):
    """Somebody wants the next attempt now; `attempt` is the one that failed."""

    def outcome(self) -> str:
        return _asked(self)


@dataclass(frozen=True, kw_only=True)
class SkipRequested(Asked, ScriptEvent):
    """Somebody wants a script skipped that a session may start; the session decides that."""

    def outcome(self) -> str:
        return _asked(self)


@dataclass(frozen=True, kw_only=True)
class ScriptSkipped(Asked, ScriptEvent):
    """Somebody skipped the script: it counts as done, though it did not run."""

    def outcome(self) -> str:
        return _asked(self)


def _lost(output: str) -> str:
    return f"; its output was not kept: {output}" if output else ""


def _asked(event: Asked) -> str:
    return "".join(f", {part}" for part in (event.by and f"by {event.by}", event.why) if part)


def _utc(at: float) -> str:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    except (ValueError, OverflowError, OSError):
        return f"{at:g}"  # out of range: logs may hold any number


def took(seconds: float) -> str:
    """Return a duration as people write it: ``40 ms``, ``2.5 s``, ``41 s``, ``6 min 47 s``."""
    if not abs(seconds) < float("inf"):  # logs may hold any number
        return f"{seconds} s"
    if seconds < 0.9995:  # noqa: PLR2004  # below, seconds would be nothing
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 9.95:  # noqa: PLR2004  # below, tenths matter
        return f"{seconds:.1f} s"
    if round(seconds) < _MINUTE:
        return f"{seconds:.0f} s"
    units = (units for units in _UNITS if round(seconds / units[2]) * units[2] < units[4])
    unit, name, part, of, _ = next(units)
    whole, rest = divmod(round(seconds / part), unit // part)
    return f"{whole} {name} {rest} {of}" if rest else f"{whole} {name}"


def arguments(parameters: Mapping[str, object]) -> str:
    """Return parameters on one line: ``frames=240 path=/shots/010 "note=two words"``."""
    return " ".join(f"{key}={_argument(value)}" for key, value in parameters.items())


def _argument(value: object) -> str:
    if isinstance(value, str) and value.isprintable() and value and " " not in value:
        return value
    return escaped(_json(value))
