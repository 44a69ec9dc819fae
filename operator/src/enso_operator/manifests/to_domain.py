"""Converts the wire models of a manifest to the domain's types."""

from __future__ import annotations

from dataclasses import dataclass, replace

from enso_operator.api.pod_fields import OnInterrupted
from enso_operator.api.rules import broken_spec_rules
from enso_operator.api.v1alpha1 import (
    EnsoJob,
    EnsoJobSpec,
    FinallySpec,
    ScriptSpec,
    SessionSpec,
)
from enso_operator.api.work import ContainerSpec, WorkSpec
from enso_operator.manifests.fail_on import fail_on_of
from enso_operator.manifests.retries import retries_of
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.script import (
    FINALLY,
    Container,
    Function,
    LibraryScript,
    Script,
    Session,
    Source,
    When,
    Work,
)
from job_execution_framework.domain.secret import Secret

PLATFORM = ("image", "resources", "env", "node_selector", "tolerations")
"""Fields of a session that a resume may change and that the domain only compares."""


@dataclass(frozen=True)
class SecretKey:
    """Secret and key of an argument's value, which only the session reads.

    An argument from `argsFrom` is a `Secret` that holds a SecretKey, so that events show ``***``.
    The sessions adapter maps it to what its sessions can read (in Pods an environment variable),
    or refuses it.
    """

    name: str
    key: str


def job_definition(job: EnsoJob) -> Definition:
    """Return what the resource describes. Raises InvalidJob, with a sentence for each mistake."""
    return definition_of(job.spec, "spec")


def definition_of(spec: EnsoJobSpec, place: str) -> Definition:
    """Return what a job's spec describes, which stands at `place`. Raises InvalidJob."""
    if broken := list(broken_spec_rules(spec, place)):
        raise InvalidJob("; ".join(broken))
    if spec.template_ref:
        raise InvalidJob(f"{place}.templateRef is not expanded yet")
    sessions = tuple(_session(session) for session in spec.sessions) or (Session(),)
    scripts = tuple(_script(script, sessions[0].name) for script in spec.scripts)
    scripts += tuple(map(_finally_script, spec.finally_))
    return Definition(scripts, sessions, spec.active_deadline_seconds)


def _session(session: SessionSpec) -> Session:
    limit, backoff = _retry_lost(session.on_interrupted)
    return Session(
        session.name,
        tuple(session.interpreter),
        session.start_timeout_seconds,
        retry_lost=limit,
        lost_backoff_seconds=backoff,
        end_timeout_seconds=session.end_timeout_seconds,
        output_directory=session.output_directory or "",
        platform=_platform(session),
    )


def _retry_lost(lost: OnInterrupted) -> tuple[int, float]:
    """Return how many losses are made up for, and after how many seconds."""
    return (lost.limit or 1, lost.backoff_seconds) if lost.policy == "Retry" else (0, 0)


def _platform(session: SessionSpec) -> dict[str, object] | None:
    """Return the fields that the domain only compares, without those that are empty."""
    return session.model_dump(by_alias=True, exclude_defaults=True, include={*PLATFORM}) or None


def _script(script: ScriptSpec, default_session: str) -> Script:
    return replace(
        _any_script(script, default_session),
        setup=script.setup,
        checkpoint=script.checkpoint,
        timeout_seconds=script.timeout_seconds,
        continues=script.on_failure == "Continue",
    )


def _finally_script(script: FinallySpec) -> Script:
    return replace(
        _any_script(script, FINALLY),
        timeout_seconds=script.timeout_seconds,
        when=When(script.when),
    )


def _any_script(script: WorkSpec, default_session: str) -> Script:
    return Script(
        script.name,
        _work(script),
        _parameters(script),
        script.session or default_session,
        retries=retries_of(script.retries),
        idle_timeout_seconds=script.idle_timeout_seconds,
        fail_on=fail_on_of(script.fail_on),
    )


def _parameters(script: WorkSpec) -> dict[str, object]:
    parameters = {**script.args}
    for argument in script.args_from:
        if key := argument.secret_key_ref:
            parameters[argument.name] = Secret(SecretKey(key.name, key.key))
        elif of := argument.output_of:
            parameters[argument.name] = OutputOf(of.script, of.key)
    return parameters


def _work(script: WorkSpec) -> Work:
    """Return what the script runs; the rules say that it is exactly one thing."""
    if script.script_ref is not None:
        return LibraryScript(script.script_ref.name)
    if script.source is not None:
        return Source(script.source, f"{script.name}.py")
    if script.function is not None:
        return Function(script.function)
    if script.container is not None:
        return _container(script.container)
    raise InvalidJob(f"script {script.name!r} has nothing to run")


def _container(container: ContainerSpec) -> Container:
    return Container(
        container.image,
        tuple(container.command),
        tuple(container.args),
        *_retry_lost(container.on_interrupted),
    )
