"""What the resumes of a job have changed of its manifest: definitions, and how they differ.

The operator turns an EnsoAction's `resume` into a definition with `changed_definition`. Of a
definition only its `difference` from the job's manifest is stored, in the form of an EnsoAction's
`resume`; `with_changes` makes the definition from it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import ResumeSpec, ScriptChange, SessionChange
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.to_domain import job_definition
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import InvalidAction, InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Container, Script, Session, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.values import is_same

LARGEST_BYTES = 1024 * 1024
"""Bytes that all changes of a job may have together: one object of the API server holds them."""


def changed_definition(manifest: Document, job: Job, resume: ResumeSpec) -> Definition | None:
    """Return the job's definition with these changes too; None where the resume has none.

    `manifest` is the EnsoJob that the job was made from. Whether the job accepts the changes now
    is not checked here: `Job.why_not` says that. Raises InvalidAction, with a sentence for each
    mistake.
    """
    if not resume.scripts and not resume.sessions:
        return None
    told = f"job {job.id} cannot go on with these changes"
    if mistakes := [*_mistakes(job, resume)]:
        raise InvalidAction(f"{told}: {'; '.join(mistakes)}")
    spec = job_definition(parse_ensojob(manifest))
    present = ResumeSpec.model_validate(difference(spec, job.definition))
    try:
        definition = with_changes(manifest, present, resume)
    except InvalidJob as error:
        raise InvalidAction(f"{told}: {error}") from error
    size = len(json.dumps(difference(spec, definition)).encode())
    if size > LARGEST_BYTES:
        raise InvalidAction(
            f"{told}: with those of earlier resumes they have {size} bytes of at most "
            f"{LARGEST_BYTES}; create a new job"
        )
    return definition


def with_changes(manifest: Document, *changes: ResumeSpec) -> Definition:
    """Return what the manifest describes with these changes, one after the other.

    Raises InvalidJob, with a sentence for each mistake.
    """
    spec: Document = manifest["spec"]
    scripts = {script["name"]: script for script in spec["scripts"]}
    sessions = {session["name"]: session for session in spec.get("sessions") or [_IMPLIED]}
    for change in changes:
        for script in change.scripts:
            scripts[script.name] = _script(_named(script.name, scripts, "script"), script)
        for session in change.sessions:
            before = _named(session.name, sessions, "session")
            sessions[session.name] = before | _fields(session)
    changed = {"scripts": [*scripts.values()], "sessions": [*sessions.values()]}
    return job_definition(parse_ensojob(manifest | {"spec": spec | changed}))


def difference(before: Definition, after: Definition) -> Document:
    """Return what differs between two definitions of one job, as an EnsoAction's `resume`."""
    scripts = [*map(_of_script, before.scripts, after.scripts)]
    sessions = [*map(_of_session, before.sessions, after.sessions)]
    found = {"scripts": scripts, "sessions": sessions}
    return {
        kind: changed
        for kind, parts in found.items()
        if (changed := [part for part in parts if len(part) > len({"name"})])
    }


_IMPLIED: Document = {"name": Session.name}
"""The session of a manifest that names none."""
_SOURCES = ("scriptRef", "function", "source")


def _named(name: str, parts: Mapping[str, Document], kind: str) -> Document:
    if name not in parts:
        raise InvalidJob(f"there is no {kind} {name!r}; the job has {', '.join(parts)}")
    return parts[name]


def _mistakes(job: Job, resume: ResumeSpec) -> Iterator[str]:
    """Yield what a script of its kind cannot change, and arguments that are not there."""
    for change in resume.scripts:
        if change.name not in job.rows:
            continue
        script, named = job.script(change.name), [*change.args, *change.unset_args]
        if isinstance(script.work, Container) and (named or change.source):
            what = "arguments" if named else "source"
            yield (
                f"script {script.name!r} is a container and has no {what}: only its "
                "timeoutSeconds and retries can be changed"
            )
            continue
        literal = _literal(script)
        for name in named:
            if name in script.parameters and name not in literal:
                yield f"argument {name!r} of script {script.name!r} comes from a Secret, and stays"
        for name in change.unset_args:
            if name not in script.parameters:
                has = f"it has {', '.join(literal)}" if literal else "it has none"
                yield f"script {script.name!r} has no argument {name!r} to take away; {has}"


def _script(before: Document, change: ScriptChange) -> Document:
    """Return a script of a manifest, changed."""
    args = {**before.get("args", {}), **change.args}
    args = {name: value for name, value in args.items() if name not in change.unset_args}
    after = {name: before[name] for name in before if not (change.source and name in _SOURCES)}
    return after | _fields(change) | {"args": args}


def _fields(change: ScriptChange | SessionChange) -> Document:
    """Return the fields that are replaced whole."""
    written = change.model_dump(by_alias=True, exclude_none=True, exclude={"args", "unset_args"})
    return {name: value for name, value in written.items() if name != "name"}


def _of_script(before: Script, after: Script) -> Document:
    was, now = _literal(before), _literal(after)
    args = {
        name: value
        for name, value in now.items()
        if name not in was or not is_same(was[name], value)
    }
    found: Document = {"name": after.name}
    if args:
        found["args"] = args
    if unset := [name for name in was if name not in now]:
        found["unsetArgs"] = unset
    if isinstance(after.work, Source) and after.work != before.work:
        found["source"] = after.work.text
    if after.timeout_seconds != before.timeout_seconds:
        found["timeoutSeconds"] = after.timeout_seconds
    if after.retries != before.retries:
        found["retries"] = {
            "limit": after.retries.limit,
            "backoffSeconds": after.retries.backoff_seconds,
        }
    return found


def _of_session(before: Session, after: Session) -> Document:
    was, now = before.platform or {}, after.platform or {}
    found: Document = {"name": after.name}
    for field in {**was, **now}:
        if was.get(field) != now.get(field):
            found[field] = now[field] if field in now else type(was[field])()
    if after.interpreter != before.interpreter:
        found["interpreter"] = [*after.interpreter]
    if after.start_timeout_seconds != before.start_timeout_seconds:
        found["startTimeoutSeconds"] = after.start_timeout_seconds
    return found


def _literal(script: Script) -> dict[str, object]:
    """Return the arguments that stand in the manifest itself."""
    return {
        name: value for name, value in script.parameters.items() if not isinstance(value, Secret)
    }
