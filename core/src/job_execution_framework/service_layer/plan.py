"""What a session is given: the only scripts that it may start, and how far the job has come.

A plan is JSON of a fixed version. It carries sources and parameters, so that a session looks
nothing up, and the names of environment variables instead of secrets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from job_execution_framework.domain import events
from job_execution_framework.domain.errors import InvalidJob, Unreadable
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import Row
from job_execution_framework.domain.script import Container, Missing, Script, Session
from job_execution_framework.domain.secret import Secret, revealed
from job_execution_framework.domain.steps import Open
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.service_layer.codec import from_document, to_document
from job_execution_framework.service_layer.library import Library, resolved

VERSION = 1
LARGEST_BYTES = 1024 * 1024
"""A plan travels in one ConfigMap."""
NOT_OURS = Missing("not in this plan")


@dataclass(frozen=True)
class Plan:
    """One session run of one job."""

    job_id: str
    run: str
    session: Session
    scripts: tuple[Script, ...]
    """All scripts of the job; those that the run may start are resolved."""
    lease: tuple[str, ...]
    rows: Mapping[str, Row]

    @classmethod
    def of(cls, job: Job, step: Open, library: Library) -> Plan:
        """Make the plan of the session that `step` opens."""
        scripts = tuple(
            replace(script, work=resolved(script.work, library))
            if script.name in step.scripts
            else replace(script, work=NOT_OURS, parameters={})
            for script in job.scripts
        )
        rows = {name: row.summary() for name, row in job.rows.items()}
        return cls(job.id, step.run, job.session(step.session), scripts, step.scripts, rows)

    def job(self) -> Job:
        """Return the job as it stands inside the session: it may start what is leased."""
        names = {script.session for script in self.scripts} - {self.session.name}
        others = tuple(Session(name) for name in sorted(names))
        leased = (one.work for one in self.scripts if one.name in self.lease)
        # A container's session is nobody's: it is named after its script.
        is_container = any(isinstance(work, Container) for work in leased)
        sessions = others if is_container else (self.session, *others)
        job = Job(self.job_id, self.scripts, sessions)
        job.origin, job.lease = self.run, frozenset(self.lease)
        job.state, job.rows = JobState.RUNNING, dict(self.rows)
        job.run = events.SessionOpened(
            at=0, run=self.run, session=self.session.name, uid="", scripts=self.lease
        )
        return job

    def to_json(self, *, texts: bool = False) -> str:
        """Return the plan as JSON. Raises InvalidJob where a parameter is none, or it is too large.

        Secrets are left out; `secrets` has them, under the names that the plan gives. There they
        are JSON, or plain `texts`.
        """
        open_scripts = tuple(replace(one, parameters=_literal(one)) for one in self.scripts)
        names: dict[str, dict[str, str]] = {}
        for variable, script, key, _ in self.hidden():
            names.setdefault(script, {})[key] = variable
        plan = to_document(replace(self, scripts=open_scripts))
        how = {"texts": True} if texts else {}
        text = json.dumps({"v": VERSION, **plan, "secrets": names, **how})
        if len(text) > LARGEST_BYTES:
            raise InvalidJob(
                f"the plan of {self.run} has {len(text)} bytes of at most {LARGEST_BYTES}: use "
                "smaller sources and parameters, or more sessions"
            )
        return text

    def secrets(self) -> dict[str, str]:
        """Return the environment that the plan's secrets are read from: name to JSON."""
        return {variable: json.dumps(revealed(it)) for variable, _, _, it in self.hidden()}

    def hidden(self) -> Iterator[tuple[str, str, str, Secret]]:
        """Yield each secret behind its variable, its script and its parameter."""
        for i, script in enumerate(self.scripts):
            secrets = {k: v for k, v in script.parameters.items() if isinstance(v, Secret)}
            for j, (key, value) in enumerate(secrets.items()):
                yield f"ENSO_SECRET_{i}_{j}", script.name, key, value

    @classmethod
    def from_json(cls, text: str, environment: Mapping[str, str]) -> Plan:
        """Read a plan, and its secrets from `environment`. Raises Unreadable with a sentence."""
        try:
            document = json.loads(text)
            if (version := document["v"]) != VERSION:
                raise Unreadable(
                    f"a plan of version {version}, but this release reads version {VERSION}"
                )
            plan = from_document(cls, document)
            read = str if document.get("texts") else json.loads
            secrets = {
                script: {key: Secret(read(environment[name])) for key, name in names.items()}
                for script, names in document["secrets"].items()
            }
            return replace(
                plan,
                scripts=tuple(
                    replace(one, parameters={**one.parameters, **secrets.get(one.name, {})})
                    for one in plan.scripts
                ),
            )
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise Unreadable(f"not a plan: {error!r}") from error


def _literal(script: Script) -> dict[str, object]:
    """Return the parameters that are no secrets. Raises InvalidJob where one is no JSON."""
    literal = {k: value for k, value in script.parameters.items() if not isinstance(value, Secret)}
    for key, value in literal.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InvalidJob(
                f"script {script.name!r}: parameter {key!r} cannot be sent to a session: {error}"
            ) from error
    return literal
