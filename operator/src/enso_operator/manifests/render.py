"""Converts a job without a manifest to an EnsoJob document, and a document to an EnsoJob."""

from __future__ import annotations

import json

from pydantic import ValidationError

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import API_VERSION, EnsoJob
from enso_operator.manifests import fail_on, retries
from enso_operator.manifests.errors import mistakes_in
from enso_operator.manifests.to_domain import SecretKey
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.script import (
    FINALLY,
    Container,
    Function,
    LibraryScript,
    Missing,
    Script,
    Session,
    Source,
)
from job_execution_framework.domain.secret import Secret


def suspended_manifest(job: Job) -> Document:
    """Return the EnsoJob of a job, suspended.

    Raises InvalidJob where no manifest can describe the job.
    """
    spec: Document = {"suspend": True, "scripts": [_script(script) for script in job.main]}
    if job.finals:
        spec["finally"] = [_finally_script(script) for script in job.finals]
    if job.sessions != (Session(),):
        spec["sessions"] = [_session(session) for session in job.sessions]
    if job.deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = max(1, round(job.deadline_seconds))
    document = {
        "apiVersion": API_VERSION,
        "kind": "EnsoJob",
        "metadata": {"name": job.id},
        "spec": spec,
    }
    parse_ensojob(document)
    return document


def parse_ensojob(document: Document) -> EnsoJob:
    """Return the resource that a document is. Raises InvalidJob, with a sentence per mistake."""
    try:
        return EnsoJob.model_validate(document)
    except ValidationError as error:
        raise InvalidJob(mistakes_in(document, error, EnsoJob)) from error


def _session(session: Session) -> Document:
    written: Document = {
        "name": session.name,
        "interpreter": list(session.interpreter),
        "startTimeoutSeconds": max(1, round(session.start_timeout_seconds)),
        "endTimeoutSeconds": max(1, round(session.end_timeout_seconds)),
    }
    if session.output_directory:
        written["outputDirectory"] = session.output_directory
    return written | _on_interrupted(session)


def _on_interrupted(lost: Session | Container) -> Document:
    if not lost.retry_lost:
        return {}
    return {
        "onInterrupted": {
            "policy": "Retry",
            "limit": lost.retry_lost,
            "backoffSeconds": round(lost.lost_backoff_seconds),
        }
    }


def _script(script: Script) -> Document:
    literal, from_elsewhere = _arguments(script)
    written: Document = {
        "name": script.name,
        **_work(script),
        "args": literal,
        "argsFrom": from_elsewhere,
        "setup": script.setup,
        "checkpoint": script.checkpoint,
        "failOn": fail_on.written(script.fail_on),
        "retries": retries.written(script.retries),
    }
    if script.continues:
        written["onFailure"] = "Continue"
    if script.timeout_seconds is not None:
        written["timeoutSeconds"] = max(1, round(script.timeout_seconds))
    if script.idle_timeout_seconds is not None:
        written["idleTimeoutSeconds"] = max(1, round(script.idle_timeout_seconds))
    if not isinstance(script.work, Container):
        written["session"] = script.session
    return {key: value for key, value in written.items() if value not in ({}, [], False)}


def _finally_script(script: Script) -> Document:
    written = _script(script) | {"when": str(script.when and script.when.value)}
    if script.session == FINALLY:
        written.pop("session", None)
    return written


def _work(script: Script) -> Document:
    match script.work:
        case LibraryScript(name):
            return {"scriptRef": {"name": name}}
        case Source(text):
            return {"source": text}
        case Function(reference):
            return {"function": reference}
        case Container(image, command, args):
            written = {"image": image, "command": [*command], "args": [*args]}
            return {"container": written | _on_interrupted(script.work)}
        case Missing(why):
            raise InvalidJob(f"script {script.name!r} has nothing to run: {why}")


def _arguments(script: Script) -> tuple[Document, list[Document]]:
    literal: Document = {}
    from_elsewhere: list[Document] = []
    for key, value in script.parameters.items():
        held = value.reveal() if isinstance(value, Secret) else value
        if isinstance(held, (SecretKey, OutputOf)):
            field = "outputOf" if isinstance(held, OutputOf) else "secretKeyRef"
            reference = {name: part for name, part in vars(held).items() if part is not None}
            from_elsewhere.append({"name": key, field: reference})
            continue
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InvalidJob(
                f"script {script.name!r}: parameter {key!r} cannot stand in a manifest: {error}"
            ) from error
        literal[key] = value
    return literal, from_elsewhere
