"""The scripts and sessions of a job, and the check that they make a valid job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from job_execution_framework.domain import outputs
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.fail_on import NOT_OF_CONTAINERS, FailOn, wrong_patterns
from job_execution_framework.domain.parameters import Parameters
from job_execution_framework.domain.retries import NO_RETRIES, Retries, wrong_limits
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.values import TOO_DEEP, is_too_deep

LONGEST_NAME = 63
FINALLY = "finally"
"""The session of finally scripts that name none; it is as the first one of the job."""
NAME = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
"""A regular expression: how scripts and sessions are named, as Kubernetes names objects."""


@dataclass(frozen=True)
class LibraryScript:
    """A script that the library retrieves by `name`, when the job runs."""

    name: str


@dataclass(frozen=True)
class Source:
    """Python source with a ``main(**parameters)``; `file` names it in tracebacks."""

    text: str
    file: str = "<script>"
    parameters: Parameters | None = None
    """What `main` takes, where that was declared; a plan does not have it."""


@dataclass(frozen=True)
class Function:
    """A function that the interpreter already has: ``package.module:function``."""

    reference: str
    parameters: Parameters | None = None
    """What it takes, where that was declared; a plan does not have it."""


@dataclass(frozen=True)
class Container:
    """A container image that needs no Python; it is a session of its own."""

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    retry_lost: int = 0
    """How often it is started again after it was lost, before the job fails."""
    lost_backoff_seconds: float = 0
    """How long to wait after a loss."""


@dataclass(frozen=True)
class Missing:
    """A library script that could not be retrieved; `why` is a sentence."""

    why: str


Work = LibraryScript | Source | Function | Container | Missing
"""What a script runs."""


def declared_by(work: Work) -> Parameters | None:
    """Return the parameters that were declared for what a script runs; nothing is read."""
    return work.parameters if isinstance(work, (Source, Function)) else None


class When(str, Enum):
    """After which end of its job a finally script runs."""

    ALWAYS = "Always"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True)
class Session:
    """One interpreter that runs consecutive scripts of a job, which share its memory."""

    name: str = "main"
    interpreter: tuple[str, ...] = ("python3",)
    """argv of the interpreter; the path of the file to run is added."""
    start_timeout_seconds: float = 300
    """How long the interpreter may take to start: it may wait for licences or slow disks."""
    retry_lost: int = 0
    """How many lost processes of this session are replaced before the job fails."""
    lost_backoff_seconds: float = 0
    """How long to wait before a lost process is replaced: its cause may last for a while."""
    end_timeout_seconds: float = 60
    """How long threads and processes that its scripts left running may take to end."""
    output_directory: str = ""
    """A folder in which processes of the session keep what each attempt writes; a script that runs
    in your own process (`InProcessRunner`) writes to your own output alone."""
    platform: Mapping[str, object] | None = None
    """What else a resume may change and only the adapter of sessions reads, by the names of the
    manifest: image, resources, env …; None where there is none of it."""


@dataclass(frozen=True)
class Script:
    """One step of a job: a name, what to run, its parameters and its own limits."""

    name: str
    work: Work
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])
    session: str = Session.name
    setup: bool = False
    """It runs again in every fresh interpreter of its session."""
    checkpoint: bool = False
    """Its result is on disk: after it a job can go on without running it again."""
    retries: Retries = NO_RETRIES
    timeout_seconds: float | None = None
    idle_timeout_seconds: float | None = None
    """How long an attempt may write nothing."""
    fail_on: tuple[FailOn, ...] = ()
    """Lines of its output by which an attempt fails, though it returned."""
    continues: bool = False
    """Where it failed for good the job goes on past it, and fails at its end."""
    when: When | None = None
    """After which end of the job it runs, as one of its finally scripts; None for all others."""

    @property
    def is_final(self) -> bool:
        """Whether it is one of the job's finally scripts."""
        return self.when is not None

    def __post_init__(self) -> None:
        """Give a container a session of its own, named as its script."""
        if isinstance(self.work, Container):
            object.__setattr__(self, "session", self.name)


def session_of_container(script: Script) -> Session:
    """Return the session that a container script is, with the container's own rules for losses."""
    if not isinstance(script.work, Container):
        return Session(script.session)
    lost = script.work
    return Session(
        script.session, retry_lost=lost.retry_lost, lost_backoff_seconds=lost.lost_backoff_seconds
    )


def module_of(script: str) -> str:
    """Return the name of the module that a script's source becomes."""
    return f"enso_script_{script.replace('-', '_')}"


def step_names(library_names: Iterable[str]) -> list[str]:
    """Derive the names of steps: ``open_scene`` becomes ``open-scene``, repeats get -2, -3."""
    names: list[str] = []
    for library_name in library_names:
        stem = re.sub(r"[^a-z0-9]+", "-", str(library_name).lower()).strip("-") or "script"
        name, number = stem[:LONGEST_NAME].strip("-"), 1
        while name in names:
            number += 1
            end = f"-{number}"
            name = stem[: LONGEST_NAME - len(end)].strip("-") + end
        names.append(name)
    return names


def check(scripts: tuple[Script, ...], sessions: tuple[Session, ...]) -> None:
    """Raise InvalidJob, with a sentence, unless these scripts and sessions make a job."""
    if not scripts:
        raise InvalidJob("a job needs at least one script")
    _check_names("script", [script.name for script in scripts])
    _check_names("session", [session.name for session in sessions])
    _check_sessions(scripts, {session.name for session in sessions})
    _check_order(tuple(script for script in scripts if not script.is_final))
    if any(before.is_final and not script.is_final for before, script in pairwise(scripts)):
        raise InvalidJob("the finally scripts of a job stand behind all others")
    for script in scripts:
        _check_limits(script)
        _check_parameters(script)
    containers = {script.name for script in scripts if isinstance(script.work, Container)}
    given = {script.name: script.parameters for script in scripts}
    if found := list(outputs.mistakes(given, without=containers)):
        raise InvalidJob("; ".join(found))


def _check_names(kind: str, names: list[str]) -> None:
    for name in names:
        if len(name) > LONGEST_NAME or not re.fullmatch(NAME, name):
            raise InvalidJob(
                f"{kind} name {name!r}: use at most {LONGEST_NAME} lower-case letters, digits and "
                "'-', beginning and ending with a letter or digit"
            )
        if names.count(name) > 1:
            raise InvalidJob(f"{kind} name {name!r} is used more than once: names must be unique")


def _check_sessions(scripts: tuple[Script, ...], sessions: set[str]) -> None:
    for script in scripts:
        if script.is_final and script.session == FINALLY and not isinstance(script.work, Container):
            sessions = sessions | {FINALLY}
    for script in scripts:
        if isinstance(script.work, Container):
            if script.name in sessions:
                raise InvalidJob(
                    f"container script {script.name!r} has the name of a session: rename one"
                )
        elif script.session not in sessions:
            known = ", ".join(sorted(sessions))
            raise InvalidJob(
                f"script {script.name!r} names session {script.session!r}, but the job has {known}"
            )


def _check_order(scripts: tuple[Script, ...]) -> None:
    if not scripts:
        raise InvalidJob("a job needs at least one script beside its finally scripts")
    ended: set[str] = set()
    for before, script in pairwise(scripts):
        if script.session != before.session:
            ended.add(before.session)
        if script.session in ended:
            raise InvalidJob(
                f"script {script.name!r} goes back to session {script.session!r}: the scripts of "
                "one session must stand together, with nothing between them"
            )


def _check_parameters(script: Script) -> None:
    for key, value in script.parameters.items():
        if not str(key).isprintable():  # a line break or a lone surrogate
            raise InvalidJob(f"script {script.name!r}: parameter name {key!r} is not printable")
        if is_too_deep(value.reveal() if isinstance(value, Secret) else value):
            raise InvalidJob(f"script {script.name!r}: parameter {key!r} {TOO_DEEP}")


def _check_limits(script: Script) -> None:
    if script.timeout_seconds is not None and script.timeout_seconds <= 0:
        what = f"timeoutSeconds is {script.timeout_seconds:g}, but must be positive"
        raise InvalidJob(f"script {script.name!r}: {what}")
    if script.fail_on and isinstance(script.work, Container):
        raise InvalidJob(f"script {script.name!r} {NOT_OF_CONTAINERS}")
    _check_idle_timeout(script)
    for wrong in (*wrong_limits(script.retries), *wrong_patterns(script.fail_on)):
        raise InvalidJob(f"script {script.name!r}: {wrong}")


def _check_idle_timeout(script: Script) -> None:
    idle, whole = script.idle_timeout_seconds, script.timeout_seconds
    if idle is None:
        return
    wrong = ""
    if idle <= 0:
        wrong = f"idleTimeoutSeconds is {idle:g}, but must be positive"
    elif isinstance(script.work, Container):
        wrong = (
            "idleTimeoutSeconds means nothing for a container, whose output nobody reads: use "
            "timeoutSeconds"
        )
    elif whole is not None and idle > whole:
        wrong = (
            f"idleTimeoutSeconds is {idle:g}, but timeoutSeconds ends the attempt after {whole:g}: "
            "make it shorter, or remove one of the two"
        )
    if wrong:
        raise InvalidJob(f"script {script.name!r}: {wrong}")
