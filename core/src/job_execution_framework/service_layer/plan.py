"""The plan of a session run: the scripts that it may start, and how far the job has come.

The coordinator makes it, an adapter of sessions (`enso_operator.sessions`) hands it over, and the
supervisor reads it. It is JSON of a fixed version. Sources and parameters are in it, so that a
session needs to look nothing up; for each secret it has the name of an environment variable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from job_execution_framework.domain import events
from job_execution_framework.domain.errors import InvalidJob, Unreadable
from job_execution_framework.domain.final import NOT_ENDED, JobEnd
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.parameters import Parameters
from job_execution_framework.domain.row import Row
from job_execution_framework.domain.script import (
    Container,
    Function,
    Missing,
    Script,
    Session,
    Source,
    Work,
    declared_by,
)
from job_execution_framework.domain.secret import Secret, revealed
from job_execution_framework.domain.steps import Open
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.service_layer import (
    bounded_json,
    output_places,
    plan_head,
    secret_places,
)
from job_execution_framework.service_layer.codec import from_document, to_document
from job_execution_framework.service_layer.library import Library, resolved
from job_execution_framework.service_layer.read_paths import ReadPath, read_paths
from job_execution_framework.service_layer.secret_places import ValuePath, secrets_in

VERSION = 1
LARGEST_BYTES = 1024 * 1024
"""A plan travels in one ConfigMap."""
NOT_IN_PLAN = Missing("not in this plan")


@dataclass(frozen=True)
class Defaults:
    """The arguments that a script gets where the job gives it none."""

    script: str
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class Plan:
    """One session run of one job."""

    job_id: str
    run: str
    session: Session
    scripts: tuple[Script, ...]
    """All scripts of the job; those of its session are resolved."""
    lease: tuple[str, ...]
    rows: Mapping[str, Row]
    secret_environment: tuple[str, ...] = ()
    """Variables of the session's own environment whose values are to be hidden, too."""
    reads: tuple[ReadPath, ...] = ()
    """Paths that must be there before its first script starts."""
    defaults: tuple[Defaults, ...] = ()
    """Of its scripts whose parameters were declared; events show only what the job gave."""
    end: JobEnd = NOT_ENDED
    """How the job ended, for the finally scripts that this is the plan of."""
    traceparent: str = ""
    """Where the job stands in its trace (`domain.trace_context`); empty where it has none."""

    @classmethod
    def of(
        cls,
        job: Job,
        step: Open,
        library: Library,
        takes: Callable[[Work], Parameters | None] = declared_by,
    ) -> Plan:
        """Make the plan of the session that `step` opens; `takes` says what a script takes.

        It has the sources of all scripts of the session, also of those that do not run again: they
        are modules that are needed to unpickle objects of their classes.
        """
        found = [
            replace(script, work=resolved(script.work, library))
            if script.session == step.session
            else replace(script, work=NOT_IN_PLAN)
            for script in job.scripts
        ]
        scripts = tuple(
            replace(
                script,
                work=_undeclared(script.work),
                parameters=script.parameters if script.name in step.scripts else {},
            )
            for script in found
        )
        starts = [script for script in found if script.name in step.scripts]
        reads = read_paths((script, takes(script.work)) for script in starts)
        defaults = tuple(
            Defaults(script.name, declared.defaults)
            for script in starts
            if (declared := declared_by(script.work)) and declared.defaults
        )
        rows = {name: row.summary() for name, row in job.rows.items()}
        session = job.session(step.session)
        return cls(
            *(job.id, step.run, session, scripts, step.scripts, rows),
            reads=reads,
            defaults=defaults,
            end=job.end,
        )

    def job(self) -> Job:
        """Return the job for use inside the session, where `may_start` is the plan's scripts."""
        # Without those of containers: such a session is implied by its script.
        names = {
            script.session for script in self.scripts if not isinstance(script.work, Container)
        }
        known = {self.session.name: self.session}
        sessions = tuple(known.get(name, Session(name)) for name in sorted(names))
        job = Job(self.job_id, self.scripts, sessions)
        job.origin, job.may_start = self.run, frozenset(self.lease)
        job.state, job.rows = JobState.RUNNING, dict(self.rows)
        job.open_run = events.SessionOpened(
            at=0, run=self.run, session=self.session.name, uid="", scripts=self.lease
        )
        return job

    def to_json(self, *, texts: bool = False) -> str:
        """Return the plan as JSON, without secrets.

        The environment of the session has those, in the variables that the plan names: as JSON
        (see `secrets`), or as plain `texts`. Raises InvalidJob where a parameter is not JSON, or
        the plan is too large.
        """
        public = tuple(replace(script, parameters=_literal(script)) for script in self.scripts)
        variables = {(script, path): name for name, script, path, _ in self.secret_variables()}
        session = replace(self.session, platform=None)
        plan = to_document(replace(self, scripts=public, session=session)) | secret_places.written(
            variables
        )
        plan |= output_places.written(self.scripts)
        text = json.dumps({"v": VERSION, **plan, **({"texts": True} if texts else {})})
        if len(text) > LARGEST_BYTES:
            raise InvalidJob(
                f"the plan of {self.run} has {len(text)} bytes of at most {LARGEST_BYTES}: use "
                "smaller sources and parameters, or more sessions"
            )
        return text

    def secrets(self) -> dict[str, str]:
        """Return the environment that the plan's secrets are read from, as variables and JSON.

        Raises InvalidJob where a secret is not JSON.
        """
        environment: dict[str, str] = {}
        for variable, script, path, secret in self.secret_variables():
            try:
                environment[variable] = json.dumps(revealed(secret), allow_nan=False)
            except (TypeError, ValueError, RecursionError) as error:
                raise InvalidJob(
                    f"script {script!r}: the secret in parameter {path[0]!r} cannot be sent to a "
                    f"session, because it is no JSON: {type(error).__name__}"
                ) from None  # the error may show it
        return environment

    def secret_variables(self) -> Iterator[tuple[str, str, ValuePath, Secret]]:
        """Yield each secret, behind its variable, its script and its path in the parameters."""
        for i, script in enumerate(self.scripts):
            for j, (path, secret) in enumerate(secrets_in(script.parameters)):
                yield f"ENSO_SECRET_{i}_{j}", script.name, path, secret

    @classmethod
    def from_json(cls, text: str, environment: Mapping[str, str]) -> Plan:
        """Read a plan, and its secrets from `environment`. Raises Unreadable with a sentence."""
        try:
            document = bounded_json.loads(text)
            if (version := document["v"]) != VERSION:
                raise Unreadable(
                    f"a plan of version {version}, but this release reads version {VERSION}"
                )
            read = str if document.get("texts") else bounded_json.loads
            parameters = {script["name"]: script["parameters"] for script in document["scripts"]}
            for name, path, variable in plan_head.secrets(document):
                secret_places.put(parameters[name], path, Secret(read(environment[variable])))
            output_places.restore(document, parameters)
            return from_document(cls, document)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise Unreadable(f"not a plan: {error!r}") from error


def _undeclared(work: Work) -> Work:
    return replace(work, parameters=None) if isinstance(work, (Source, Function)) else work


def _literal(script: Script) -> dict[str, object]:
    """Return the parameters without secrets and outputs. Raises InvalidJob where one is no JSON."""
    literal = {
        name: value
        for name, value in script.parameters.items()
        if not isinstance(value, (Secret, OutputOf))
    }
    for key, value in literal.items():
        try:
            literal[key] = secret_places.without_secrets(value)
            json.dumps(literal[key], allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidJob(
                f"script {script.name!r}: parameter {key!r} cannot be sent to a session: {error}"
            ) from error
    return literal
