"""What a session is given: the only scripts that it may start, and how far the job has come.

A plan is JSON of a fixed version. It carries sources and parameters, so that a session looks
nothing up, and the names of environment variables instead of secrets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from job_execution_framework.domain import events
from job_execution_framework.domain.errors import InvalidJob, Unreadable
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import Attempt, Row, ScriptState
from job_execution_framework.domain.script import (
    Container,
    Function,
    Missing,
    Retries,
    Script,
    Session,
    Source,
    Work,
)
from job_execution_framework.domain.secret import Secret, revealed
from job_execution_framework.domain.steps import Open
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.service_layer.library import Library, resolved

VERSION = 1
LARGEST_BYTES = 1024 * 1024
"""A plan travels in one ConfigMap."""
_KINDS: dict[str, type[Source | Function | Container | Missing]] = {
    "source": Source,
    "function": Function,
    "container": Container,
    "missing": Missing,
}


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
            else replace(script, work=Missing("not in this plan"), parameters={})
            for script in job.scripts
        )
        rows = dict(job.rows)
        return cls(job.id, step.run, job.session(step.session), scripts, step.scripts, rows)

    def job(self) -> Job:
        """Return the job as it stands inside the session: it may start what is leased."""
        job = Job(self.job_id, self.scripts, _sessions(self.scripts, self.session))
        opened = events.SessionOpened(
            at=0, run=self.run, session=self.session.name, uid="", scripts=self.lease
        )
        job.origin, job.lease = self.run, frozenset(self.lease)
        job.state, job.run, job.rows = JobState.RUNNING, opened, dict(self.rows)
        return job

    def to_json(self) -> str:
        """Return the plan as JSON. Raises InvalidJob where a parameter is none, or it is too large.

        Secrets are left out; `secrets` has them, under the names that the plan gives.
        """
        document = {
            "v": VERSION,
            "job": self.job_id,
            "run": self.run,
            "session": asdict(self.session),
            "lease": list(self.lease),
            "scripts": [self._script(i, script) for i, script in enumerate(self.scripts)],
        }
        text = json.dumps(document, ensure_ascii=False)
        if (size := len(text.encode("utf-8", "surrogatepass"))) > LARGEST_BYTES:
            message = f"the plan of {self.run} has {size} bytes of at most {LARGEST_BYTES}: use "
            raise InvalidJob(message + "smaller sources and parameters, or more sessions")
        return text

    def secrets(self) -> dict[str, str]:
        """Return the environment that the plan's secrets are read from: name to JSON."""
        return {
            _variable(i, key): json.dumps(revealed(value))
            for i, script in enumerate(self.scripts)
            for key, value in script.parameters.items()
            if isinstance(value, Secret)
        }

    def _script(self, position: int, script: Script) -> dict[str, Any]:
        document: dict[str, Any] = {
            "name": script.name,
            "session": script.session,
            "setup": script.setup,
            "checkpoint": script.checkpoint,
            "retries": asdict(script.retries),
            "timeout_seconds": script.timeout_seconds,
            "row": _row(self.rows[script.name]),
        }
        if script.name not in self.lease:
            return document
        kind = next(kind for kind, work in _KINDS.items() if isinstance(script.work, work))
        document["work"] = {"kind": kind, **asdict(script.work)}
        document["parameters"] = {
            key: _json(script.name, key, value)
            for key, value in script.parameters.items()
            if not isinstance(value, Secret)
        }
        document["secrets"] = {
            key: _variable(position, key)
            for key, value in script.parameters.items()
            if isinstance(value, Secret)
        }
        return document

    @classmethod
    def from_json(cls, text: str, environment: Mapping[str, str]) -> Plan:
        """Read a plan, and its secrets from `environment`. Raises Unreadable with a sentence."""
        try:
            document: dict[str, Any] = json.loads(text)
            if (version := document["v"]) != VERSION:
                message = f"a plan of version {version}, but this release reads version {VERSION}"
                raise Unreadable(message)
            session = dict(document["session"])
            session["interpreter"] = tuple(session["interpreter"])
            return cls(
                document["job"],
                document["run"],
                Session(**session),
                tuple(_read_script(one, environment) for one in document["scripts"]),
                tuple(document["lease"]),
                {one["name"]: _read_row(one["row"]) for one in document["scripts"]},
            )
        except (KeyError, TypeError, ValueError) as error:
            message = f"not a plan: {error!r}"
            raise Unreadable(message) from error


def _sessions(scripts: tuple[Script, ...], own: Session) -> tuple[Session, ...]:
    names = {script.session for script in scripts} - {own.name}
    return (own, *(Session(name) for name in sorted(names)))


def _variable(position: int, key: str) -> str:
    return f"ENSO_SECRET_{position}_{key}"


def _json(script: str, key: str, value: object) -> object:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        message = f"script {script!r}: parameter {key!r} cannot be sent to a session: {error}"
        raise InvalidJob(message) from error
    return value


def _row(row: Row) -> dict[str, Any]:
    return {
        "state": str(row.state),
        "attempt": row.attempt,
        "done": row.done,
        "succeeded": row.succeeded,
        "failures": row.failures,
        "ended_at": row.latest.ended_at,
    }


def _read_row(row: Mapping[str, Any]) -> Row:
    latest = Attempt(row["attempt"], ScriptState(row["state"]), ended_at=row["ended_at"])
    return Row(latest, done=row["done"], succeeded=row["succeeded"], failures=row["failures"])


def _read_script(document: Mapping[str, Any], environment: Mapping[str, str]) -> Script:
    parameters = dict(document.get("parameters", {}))
    for key, variable in document.get("secrets", {}).items():
        parameters[key] = Secret(json.loads(environment[variable]))
    return Script(
        document["name"],
        _read_work(document.get("work")),
        parameters,
        document["session"],
        document["setup"],
        document["checkpoint"],
        Retries(**document["retries"]),
        document["timeout_seconds"],
    )


def _read_work(document: Mapping[str, Any] | None) -> Work:
    if document is None:
        return Missing("not in this plan")
    values = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in document.items()
        if key != "kind"
    }
    return _KINDS[document["kind"]](**values)
