"""What people may ask of a job now, and why not the rest.

What is about the job is always there, grey with the sentence why not where it is not possible. What
is about one of its scripts is there where there is such a script.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.rights import Rights
from enso_operator.kube.status.finer_states import running_in
from job_execution_framework.domain.actions import Action, Cancel, Pause, Resume, Retry, Skip
from job_execution_framework.domain.control import retrying
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import ENDED, JobState

MOST_CHOICES = 100


@dataclass(frozen=True)
class Choice:
    """One of the things that a button may be about."""

    value: str
    text: str


@dataclass(frozen=True)
class Button:
    """An action on the job."""

    verb: str
    """The last part of its address."""
    label: str
    why_not: str = ""
    """Why it is not possible, as a sentence; "" where it is."""
    field: str = ""
    """The name of what there is to choose; "" where there is nothing."""
    asks: str = ""
    """What the choice is about."""
    choices: tuple[Choice, ...] = ()
    is_first: bool = False
    """It is what people most likely want."""


@dataclass(frozen=True)
class Actions:
    """What a job may be asked for."""

    may_start: bool = False
    """It waits to be let go for the first time."""
    buttons: tuple[Button, ...] = ()

    @property
    def takes_reason(self) -> bool:
        """Whether there is a button that says why it is pushed; others have a page that asks it."""
        return any(
            not button.why_not
            for button in self.buttons
            if button.verb not in ("start", "resume", "cancel")
        )

    @property
    def refused(self) -> tuple[Button, ...]:
        """Those that are not possible."""
        return tuple(button for button in self.buttons if button.why_not)


NOTHING = Actions()
"""What may be asked of what is no job."""


def actions_of(snapshot: JobSnapshot, rights: Rights) -> Actions:
    """Return what may be asked of a job; of what is no job nothing."""
    job = snapshot.job
    if job is None:
        return NOTHING
    may_start = snapshot.may_start and not rights.execute
    return Actions(may_start, tuple(_buttons(job, snapshot, rights)))


def _buttons(job: Job, snapshot: JobSnapshot, rights: Rights) -> Iterator[Button]:
    if snapshot.may_start and rights.execute:
        yield Button("start", "Start", rights.execute)
    yield _resume(job, rights)
    pause = rights.act or _sentence(job, Pause())
    yield Button("pause", "Pause", pause, "after", "Pause when", () if pause else _pauses(job))
    if skippable := _possible(job, {script.name: Skip(script=script.name) for script in job.main}):
        skips = tuple(Choice(name, name) for name in skippable)
        yield Button("skip", "Skip", rights.act, "script", "Script to skip", skips)
    if job.state not in ENDED and retrying(job):
        yield Button("retry", "Retry now", rights.act or _sentence(job, Retry()))
    why_not = rights.act or _sentence(job, Cancel())
    cleans_up = job.state in ENDED and not why_not
    yield Button("cancel", "Cancel cleaning up…" if cleans_up else "Cancel…", why_not)


def _resume(job: Job, rights: Rights) -> Button:
    """Return the button that lets the job go on; before a pause has begun, that takes it back."""
    if job.paused and (job.paused.after or running_in(job)):
        return Button("unpause", "Do not pause", rights.act)
    runs_again = job.state is JobState.SUCCEEDED
    # In the form people may name the script to run again from.
    ways = Resume(), *(Resume(from_script=script.name) for script in job.main[:1])
    why_not = rights.act or _sentence(job, *ways)
    label = "Run again…" if runs_again else "Resume…"
    return Button("resume", label, why_not, is_first=not runs_again)


def _pauses(job: Job) -> tuple[Choice, ...]:
    """Return when the job may pause; a script that runs is always ended first."""
    running = running_in(job)
    later = {script.name: Pause(after=script.name) for script in job.main if script.name != running}
    return (
        Choice("", f"when {running} ends" if running else "now"),
        *(Choice(name, f"after {name}") for name in _possible(job, later)),
    )


def _possible(job: Job, actions: Mapping[str, Action]) -> tuple[str, ...]:
    found = [name for name, action in actions.items() if not job.why_not(action)]
    return tuple(found[:MOST_CHOICES])


def _sentence(job: Job, *ways: Action) -> str:
    """Return why none of these ways is possible, without the job's name, which the page has."""
    whys = [way.why_not(job) for way in ways]
    return f"It {whys[0]}." if all(whys) else ""
