"""The status of an EnsoAction: its result, in the same five conditions as a job's status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from enso_operator.api.document import Document
from enso_operator.kube.status.conditions import Common, five_conditions
from enso_operator.kube.status.fields import one_line, time_at

Reason = Literal[
    "Done",
    "NotPossible",
    "InvalidAction",
    "InvalidJob",
    "TemplateNotFound",
    "JobNotFound",
    "AnotherJob",
    "NameUsed",
]
WITHOUT_OWNER: tuple[Reason, ...] = ("JobNotFound", "AnotherJob")
"""Reasons of refused actions that belong to no existing job."""


@dataclass(frozen=True)
class Result:
    """The result of an action: it was done, or refused."""

    reason: Reason
    message: str
    """What was done and what will happen next, or why it was refused."""

    def status(self, generation: int, at: float) -> Document:
        """Return the status of the action, decided at `at` (seconds since the epoch)."""
        common = Common(time_at(at), generation, self.reason, one_line(self.message))
        succeeded: Literal["True", "False"] = "True" if self.reason == "Done" else "False"
        conditions = five_conditions(succeeded, common, (), finished=True)
        return {
            "observedGeneration": generation,
            "conditions": [
                condition.model_dump(mode="json", by_alias=True) for condition in conditions
            ],
            "completionTime": conditions[0].model_dump(mode="json", by_alias=True)[
                "lastTransitionTime"
            ],
        }
