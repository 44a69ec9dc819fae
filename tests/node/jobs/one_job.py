"""One job among others of its namespace, and what people can read about it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.node.jobs.pod_namespace import PodNamespace
from tests.support.eventually import until
from tests.support.operators import Operator, Operators
from tests.support.resources import of_scripts

Document = dict[str, Any]
TELLS = 1024
"""Bytes of the longest message that an Event or a condition may have."""


@dataclass(frozen=True)
class House:
    """A namespace that several tests share, each with jobs of its own."""

    ns: PodNamespace
    operators: Operators
    operator: Operator


@dataclass(frozen=True)
class Verdict:
    """What people can read about a job that failed."""

    reason: str
    """status.reason: the cause in one word, which `kubectl get` shows."""
    line: str
    """The condition's message, which is the Event's, too."""
    why: str
    """The failure card."""
    rows: dict[str, tuple[str, int, str]]
    """State, attempt and reason of each script."""
    told: list[tuple[str, str]]
    """The Events."""


class OneJob(PodNamespace):
    """A `PodNamespace` whose only job is this one, whatever else there is."""

    def __init__(self, house: House, name: str) -> None:
        ns = house.ns
        super().__init__(ns.node, ns.client, ns.namespace)
        self.house, self.name = house, name

    def another(self, name: str) -> OneJob:
        """Return a new job, not created yet."""
        return OneJob(self.house, f"{self.name}-{name}")

    def run(self, *scripts: Document, labels: dict[str, str] | None = None, **spec: object) -> None:
        """Apply the job, of these scripts."""
        document = of_scripts(*scripts, **spec)
        document["metadata"] = {"name": self.name, "labels": labels or {}}
        self.apply(document)

    # What is of this job alone.

    def get(self, name: str = "") -> Document:
        return super().get(name or self.name)

    def waits(self, condition: str, name: str = "") -> None:
        super().waits(condition, name or self.name)

    def ends(self, name: str = "") -> Document:
        return super().ends(name or self.name)

    def columns(self, name: str = "") -> list[str]:
        return super().columns(name or self.name)

    def state(self, name: str = "") -> str:
        return super().state(name or self.name)

    def rows(self, name: str = "") -> list[tuple[str, str, int]]:
        return super().rows(name or self.name)

    def runs(self, script: str, name: str = "") -> None:
        super().runs(script, name or self.name)

    def patch(self, name: str = "", **spec: object) -> None:
        super().patch(name or self.name, **spec)

    def job_events(self, name: str = "") -> list[tuple[str, str]]:
        return super().job_events(name or self.name)

    def pods(self) -> list[Document]:
        return [
            pod for pod in super().pods() if pod["metadata"]["labels"]["enso.dev/job"] == self.name
        ]

    # What is read of it.

    def condition(self, kind: str = "Succeeded") -> Document:
        """Return one of its conditions; with an empty message while there is no status."""
        found: list[Document] = self.get().get("status", {}).get("conditions", [])
        nothing: Document = {"message": "", "reason": "", "status": ""}
        return next((condition for condition in found if condition["type"] == kind), nothing)

    def says_that(self, text: str) -> None:
        """Wait until the condition says something."""
        until(lambda: text in self.condition()["message"])

    def events(self, reason: str) -> list[str]:
        """Return what its Events of a kind say."""
        return [message for said, message in self.job_events() if said == reason]

    def fails(self) -> Verdict:
        """Wait for the failure; assert that status, condition and Events say the same."""
        status = self.ends()
        by_type = {condition["type"]: condition for condition in status["conditions"]}
        succeeded = by_type["Succeeded"]
        line, why = str(succeeded["message"]), "\n".join(status["why"])
        assert (succeeded["status"], succeeded["reason"]) == ("False", "Failed")
        assert (by_type["Stalled"]["status"], by_type["Finished"]["status"]) == ("True", "True")
        assert self.events("JobFailed") == [line]
        assert "\n" not in line
        assert max(len(line.encode()), len(why.encode())) <= TELLS
        assert status["failure"]["reason"] == status["reason"]
        assert self.columns()[1] == "Failed"
        rows = {
            row["name"]: (row["state"], row.get("attempt", 0), row.get("reason", ""))
            for row in status["scripts"]
        }
        return Verdict(status["reason"], line, why, rows, self.job_events())

    def end(self, pod: Document) -> None:
        """End the supervisor of one of several Pods, as a crash would."""
        os.kill(self.processes("/enso/plan", pod)[0], signal.SIGKILL)

    def starts_of(self, script: str) -> int:
        """Return how many attempts of a script have ended, as its Events tell."""
        outcomes = ("ScriptSucceeded", "ScriptFailed", "ScriptInterrupted")
        return sum(
            f" {script}, " in message for outcome in outcomes for message in self.events(outcome)
        )


@contextmanager
def while_there(ns: PodNamespace, document: Document) -> Generator[None]:
    """Create a cluster-scoped object; delete it at the end of the ``with`` block."""
    ns.kubectl("create", "-f", "-", stdin=json.dumps(document))
    try:
        yield
    finally:
        ns.kubectl("delete", document["kind"], document["metadata"]["name"], "--wait=false")


def applied(ns: PodNamespace, kind: str, name: str, **fields: object) -> None:
    """Apply an object of the core API."""
    document = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields}
    ns.kubectl("apply", "-f", "-", stdin=json.dumps(document))
