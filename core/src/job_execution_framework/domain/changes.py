"""The changes between two definitions of one job, and which of them a resume accepts.

People change a script that will run in order to repair what failed. A change to a script that does
not run again is refused: the job would look as if it had been done by the changed script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from job_execution_framework.domain.checkpoint import vouches
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.events import JobResumed
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import (
    Container,
    Function,
    LibraryScript,
    Missing,
    Script,
    Session,
    Source,
)
from job_execution_framework.domain.transitions import ENDED
from job_execution_framework.domain.values import is_same

_ABSENT = object()
_WORK_FIELDS = {
    LibraryScript: "scriptRef",
    Source: "source",
    Function: "function",
    Container: "container",
    Missing: "scriptRef",
}
_OTHER_FIELDS = {
    "retry_lost": "onInterrupted",
    "lost_backoff_seconds": "onInterrupted",
    "continues": "onFailure",
}


@dataclass(frozen=True)
class Change:
    """One field that was changed, named as in the manifest."""

    of: str
    """Name of the script or the session; empty for a field of the job itself."""
    field: str
    is_input: bool
    """Whether results of the script, or of all scripts of the session, may depend on it."""
    is_script: bool = True

    def __str__(self) -> str:
        return f"{self.of}.{self.field}" if self.of else self.field

    def details(self) -> str:
        """Return the change as part of a sentence."""
        kind = "script" if self.is_script else "session"
        return f"{self.field} of {kind} {self.of!r}" if self.of else self.field


def changes(before: Job, wanted: Definition) -> list[Change]:
    """Return the fields that differ in a definition of the same scripts and sessions."""
    found: dict[Change, None] = {}  # in order, each once
    for old, new in zip(before.scripts, wanted.scripts, strict=True):
        found.update(dict.fromkeys(_of_script(old, new)))
    for was, now in zip(before.sessions, wanted.sessions, strict=True):
        found.update(dict.fromkeys(_of_session(was, now)))
    if before.deadline_seconds != wanted.deadline_seconds:
        found[Change("", "activeDeadlineSeconds", is_input=False, is_script=False)] = None
    return [*found]


def why_not_resumable(before: Job, wanted: Definition, from_script: str = "") -> str:
    """Return why a job may not continue with another definition; empty where it may.

    `before` is the job as it was until now, with all that happened to it.
    """
    if why := reshaped(before, wanted):
        return why
    # A script counts only if it runs by both descriptions: else a new checkpoint, or one that was
    # removed, could excuse a change.
    after = before.redefined(wanted)
    runs = _names_to_run(before, from_script) & _names_to_run(after, from_script)
    for change in changes(before, wanted):
        if change.is_script and before.script(change.of).is_final:
            continue
        if change.is_script and change.of not in runs:
            return f"{change.details()} was changed, but that script is done and does not run again"
        if not change.is_script and change.of and not _runs_in(before, change.of, runs):
            return f"{change.details()} was changed, but no script of that session runs again"
        if kept := _outdated_checkpoint(before, change, runs):
            return (
                f"{change.details()} was changed, but {kept.name!r}, a checkpoint that is kept, "
                "was made with it as it was"
            )
    return ""


def reshaped(before: Job, wanted: Definition) -> str:
    """Return which scripts or sessions were added, removed or moved; empty where none was."""
    for kind, old, new in (
        ("script", before.scripts, wanted.scripts),
        ("session", before.sessions, wanted.sessions),
    ):
        was, now = [part.name for part in old], [part.name for part in new]
        came = [name for name in now if name not in was]
        gone = [name for name in was if name not in now]
        if came or gone:
            parts = [f"{', '.join(came)} was added" if came else ""]
            parts += [f"{', '.join(gone)} was removed" if gone else ""]
            return f"{kind} {' and '.join(part for part in parts if part)}"
        if was != now:
            return f"the {kind}s stand in another order"
    for script in wanted.scripts:
        if script.is_final != before.script(script.name).is_final:
            return f"script {script.name!r} was moved into finally, or out of it"
        if script.session != before.script(script.name).session:
            return f"script {script.name!r} was moved to session {script.session!r}"
    return ""


def _runs_in(job: Job, session: str, runs: set[str]) -> bool:
    final = (script.session for script in job.finals)
    return any(of == session for of in (*final, *(job.script(name).session for name in runs)))


def _outdated_checkpoint(job: Job, change: Change, runs: set[str]) -> Script | None:
    """Return a checkpoint that depends on the change but does not run again."""
    if not change.is_input:
        return None
    if change.is_script:
        script = job.script(change.of)
        after = job.scripts[job.scripts.index(script) + 1 :]
        dependent = [later for later in after if later.session == script.session]
    else:
        dependent = [script for script in job.main if script.session == change.of]
    for script in dependent:
        if vouches(script, job.rows[script.name]) and script.name not in runs:
            return script
    return None


def _names_to_run(job: Job, from_script: str) -> set[str]:
    resumed = job.copy()
    if job.state in ENDED:
        resumed.record(JobResumed(at=0, from_script=from_script))
    return {script.name for script in resumed.to_come()}


def _of_script(old: Script, new: Script) -> Iterator[Change]:
    for name, was in vars(old).items():
        now = getattr(new, name)
        if name == "work" and was != now:
            yield Change(old.name, _WORK_FIELDS[type(now)], is_input=True)
        elif name == "parameters":
            keys = dict.fromkeys([*was, *now])
            changed = (k for k in keys if not is_same(was.get(k, _ABSENT), now.get(k, _ABSENT)))
            yield from (Change(old.name, f"args.{key}", is_input=True) for key in changed)
        elif was != now:
            yield Change(old.name, _field(name), is_input=False)


def _of_session(old: Session, new: Session) -> Iterator[Change]:
    for name, was in vars(old).items():
        now = getattr(new, name)
        if name == "platform":
            before, after = dict(old.platform or {}), dict(new.platform or {})
            changed = (key for key in before | after if before.get(key) != after.get(key))
            yield from (Change(old.name, key, key == "image", is_script=False) for key in changed)
        elif was != now:
            yield Change(old.name, _field(name), name == "interpreter", is_script=False)


def _field(name: str) -> str:
    """Return a field's name as manifests have it."""
    return _OTHER_FIELDS.get(name) or re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
