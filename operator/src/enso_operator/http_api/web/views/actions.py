"""What people may ask of a job now, and why not the rest."""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.rights import Rights
from job_execution_framework.domain.actions import Action, Cancel, Pause, Resume, Retry, Skip
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import JobState

MOST_CHOICES = 100


@dataclass(frozen=True)
class Button:
    """An action on the job."""

    verb: str
    """The last part of its address."""
    label: str
    why_not: str = ""
    """Why it is not possible, as a sentence; "" where it is."""


@dataclass(frozen=True)
class Actions:
    """What a job may be asked for."""

    may_start: bool = False
    """It waits to be let go for the first time."""
    buttons: tuple[Button, ...] = ()
    after: tuple[str, ...] = ()
    """Scripts after which it may pause."""
    skippable: tuple[str, ...] = ()
    """Scripts that may be skipped now."""
    runs_again: bool = False
    """Nothing is left to do: a resume runs again what is done."""

    @property
    def takes_reason(self) -> bool:
        """Whether there is a button that says why it is pushed."""
        asks = any(not button.why_not for button in self.buttons if button.verb != "resume")
        return asks or bool(self.skippable)

    @property
    def refused(self) -> tuple[Button, ...]:
        """Those that are not possible."""
        return tuple(button for button in self.buttons if button.why_not)


NOTHING = Actions()
"""What may be asked of what is no job."""
_LABELS: tuple[tuple[str, str, tuple[Action, ...]], ...] = (
    ("pause", "Pause", (Pause(),)),
    ("retry", "Retry now", (Retry(),)),
    ("cancel", "Cancel", (Cancel(),)),
)


def actions_of(snapshot: JobSnapshot, rights: Rights) -> Actions:
    """Return what may be asked of a job; of what is no job nothing."""
    job = snapshot.job
    if job is None:
        return NOTHING
    runs_again = job.state is JobState.SUCCEEDED
    resume = ("resume", "Run again…" if runs_again else "Resume…", _resumes(job))
    names = [] if rights.act else [script.name for script in job.main]
    start = (Button("start", "Start", rights.execute),) if snapshot.may_start else ()
    return Actions(
        snapshot.may_start and not rights.execute,
        (
            *(start if rights.execute else ()),
            *(
                Button(verb, label, rights.act or _sentence(job, ways))
                for verb, label, ways in (resume, *_LABELS)
            ),
        ),
        _possible(job, {name: Pause(after=name) for name in names}),
        _possible(job, {name: Skip(script=name) for name in names}),
        runs_again,
    )


def _possible(job: Job, actions: dict[str, Action]) -> tuple[str, ...]:
    found = [name for name, action in actions.items() if not job.why_not(action)]
    return tuple(found[:MOST_CHOICES])


def _resumes(job: Job) -> tuple[Action, ...]:
    """Return the ways of resuming: in the form, people may name the script to run again from."""
    return Resume(), *(Resume(from_script=script.name) for script in job.main[:1])


def _sentence(job: Job, ways: tuple[Action, ...]) -> str:
    """Return why none of these ways is possible, without the job's name, which the page has."""
    whys = [way.why_not(job) for way in ways]
    return f"It {whys[0]}." if all(whys) else ""
