"""Applies the changes of resumes to the definition of a job, and computes what they changed.

The operator and the HTTP API turn an EnsoAction's `resume` into a definition with
`changed_definition`. Only the `difference` of a definition from the job's manifest is stored, in
the format of an EnsoAction's `resume`; `with_changes` restores the definition from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import ResumeSpec, ScriptChange, SessionChange
from enso_operator.manifests import fail_on, retries
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.to_domain import job_definition
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import InvalidAction, InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.script import Container, Script, Session, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.values import is_same

LARGEST_BYTES = 1024 * 1024
"""Bytes of all changes of a job together: they are stored in one object of the API server."""


def changed_definition(manifest: Document, job: Job, resume: ResumeSpec) -> Definition | None:
    """Return the job's definition with the changes of this resume; None if it changes nothing.

    `manifest` is the EnsoJob of the job. Whether the job accepts the changes in its present state
    is not checked here: `Job.why_not` does that. Raises InvalidAction, with a sentence for each
    mistake.
    """
    if not resume.scripts and not resume.sessions:
        return None
    prefix = f"job {job.id} cannot go on with these changes"
    if mistakes := [*_mistakes(job, resume)]:
        raise InvalidAction(f"{prefix}: {'; '.join(mistakes)}")
    spec = job_definition(parse_ensojob(manifest))
    present = ResumeSpec.model_validate(difference(spec, job.definition))
    try:
        definition = with_changes(manifest, present, resume)
    except InvalidJob as error:
        raise InvalidAction(f"{prefix}: {error}") from error
    size = len(json.dumps(difference(spec, definition)).encode())
    if size > LARGEST_BYTES:
        raise InvalidAction(
            f"{prefix}: with those of earlier resumes they have {size} bytes of at most "
            f"{LARGEST_BYTES}; create a new job"
        )
    return definition


def with_changes(manifest: Document, *changes: ResumeSpec) -> Definition:
    """Return the definition in the manifest after these changes, one after the other.

    Raises InvalidJob, with a sentence for each mistake.
    """
    return job_definition(parse_ensojob(changed_manifest(manifest, *changes)))


def changed_manifest(manifest: Document, *changes: ResumeSpec) -> Document:
    """Return the manifest after these changes, one after the other. Raises InvalidJob."""
    spec: Document = manifest["spec"]
    scripts = {script["name"]: script for script in spec["scripts"]}
    sessions = {session["name"]: session for session in spec.get("sessions") or [_IMPLIED_SESSION]}
    for change in changes:
        for script in change.scripts:
            scripts[script.name] = _script(_by_name(script.name, scripts, "script"), script)
        for session in change.sessions:
            before = _by_name(session.name, sessions, "session")
            sessions[session.name] = before | _replaced_fields(session)
    changed = {"scripts": [*scripts.values()], "sessions": [*sessions.values()]}
    return manifest | {"spec": spec | changed}


def difference(before: Definition, after: Definition) -> Document:
    """Return what differs between two definitions of one job, as an EnsoAction's `resume`."""
    scripts = [*map(_script_difference, before.scripts, after.scripts)]
    sessions = [*map(_session_difference, before.sessions, after.sessions)]
    differences = {"scripts": scripts, "sessions": sessions}
    return {
        kind: changed
        for kind, parts in differences.items()
        if (changed := [part for part in parts if len(part) > len({"name"})])
    }


_IMPLIED_SESSION: Document = {"name": Session.name}
"""The session of a manifest that lists none."""
_WORK_FIELDS = ("scriptRef", "function", "source")


def _by_name(name: str, parts: Mapping[str, Document], kind: str) -> Document:
    if name not in parts:
        raise InvalidJob(f"there is no {kind} {name!r}; the job has {', '.join(parts)}")
    return parts[name]


def _mistakes(job: Job, resume: ResumeSpec) -> Iterator[str]:
    """Yield changes that the kind of a script does not allow, and arguments that do not exist."""
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
                of = script.parameters[name]
                source = str(of) if isinstance(of, OutputOf) else "a Secret"
                yield f"argument {name!r} of script {script.name!r} comes from {source}, and stays"
        for name in change.unset_args:
            if name not in script.parameters:
                has = f"it has {', '.join(literal)}" if literal else "it has none"
                yield f"script {script.name!r} has no argument {name!r} to take away; {has}"


def _script(before: Document, change: ScriptChange) -> Document:
    """Return the script of a manifest with a change applied."""
    args = {**before.get("args", {}), **change.args}
    args = {name: value for name, value in args.items() if name not in change.unset_args}
    after = {name: before[name] for name in before if not (change.source and name in _WORK_FIELDS)}
    return after | _replaced_fields(change) | {"args": args}


def _replaced_fields(change: ScriptChange | SessionChange) -> Document:
    """Return the fields whose whole value is replaced."""
    written = change.model_dump(by_alias=True, exclude_none=True, exclude={"args", "unset_args"})
    return {name: value for name, value in written.items() if name != "name"}


def _script_difference(before: Script, after: Script) -> Document:
    old, new = _literal(before), _literal(after)
    args = {
        name: value
        for name, value in new.items()
        if name not in old or not is_same(old[name], value)
    }
    changed: Document = {"name": after.name}
    if args:
        changed["args"] = args
    if unset := [name for name in old if name not in new]:
        changed["unsetArgs"] = unset
    if isinstance(after.work, Source) and after.work != before.work:
        changed["source"] = after.work.text
    if after.timeout_seconds != before.timeout_seconds:
        changed["timeoutSeconds"] = after.timeout_seconds
    if after.idle_timeout_seconds != before.idle_timeout_seconds:
        changed["idleTimeoutSeconds"] = after.idle_timeout_seconds
    if after.fail_on != before.fail_on:
        changed["failOn"] = fail_on.written(after.fail_on)
    if after.retries != before.retries:
        changed["retries"] = retries.written(after.retries)
    return changed


def _session_difference(before: Session, after: Session) -> Document:
    old, new = before.platform or {}, after.platform or {}
    changed: Document = {"name": after.name}
    for field in {**old, **new}:
        if old.get(field) != new.get(field):
            changed[field] = new[field] if field in new else type(old[field])()
    if after.interpreter != before.interpreter:
        changed["interpreter"] = [*after.interpreter]
    if after.start_timeout_seconds != before.start_timeout_seconds:
        changed["startTimeoutSeconds"] = after.start_timeout_seconds
    return changed


def _literal(script: Script) -> dict[str, object]:
    """Return the arguments whose values are in the manifest itself."""
    return {
        name: value
        for name, value in script.parameters.items()
        if not isinstance(value, (Secret, OutputOf))
    }
