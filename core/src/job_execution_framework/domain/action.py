"""What all actions have in common, and sentences why one is not possible that several have.

The actions themselves are in `actions`, `resume` and `skip`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypedDict

from job_execution_framework.domain.job import Job

SUSPENDED_BY_SPEC = "is suspended by its spec: set spec.suspend to false"
"""Why a job that only its spec suspends neither resumes nor retries. A command may follow it."""


class Asked(TypedDict):
    """The fields that an event copies from the action that caused it."""

    by: str
    why: str
    action_id: str


@dataclass(frozen=True, kw_only=True)
class Action(ABC):
    """One request to a job, and who made it."""

    by: str = ""
    """Who asks; empty where that is not known."""
    why: str = ""
    """The reason that person gave; may be empty."""
    action_id: str = ""
    """A unique id, so that an action that is sent twice is done once; empty: done each time."""

    def why_not(self, job: Job) -> str:
        """Return why the action is not possible now, to follow "job NAME"; empty if possible."""
        if self.action_id and self.action_id in job.acted:
            return "has already done the action with this id"
        return self._why_not(job)

    @abstractmethod
    def _why_not(self, job: Job) -> str: ...

    @abstractmethod
    def do(self, job: Job, at: float) -> None:
        """Record the action's events. Call only where `why_not` is empty."""
        ...

    @abstractmethod
    def outcome(self, job: Job) -> str:
        """Return what it did and what is still to come, to follow "job NAME: "; call after `do`."""
        ...

    def _asked(self) -> Asked:
        return {"by": self.by, "why": self.why, "action_id": self.action_id}


def ended(job: Job, what: str) -> str:
    """Return why a job that has ended can do that no more."""
    return f"is {job.state}: only a job that has not ended can {what}"


def why_not_named(job: Job, name: str) -> str:
    """Return why an action cannot name this script."""
    if name not in job.rows:
        return _no_script(job, name)
    if job.script(name).is_final:
        return f"runs {name!r} at each of its ends: name none of its finally scripts here"
    return ""


def _no_script(job: Job, name: str) -> str:
    return f"has no script {name!r}; it has {', '.join(job.rows)}"
