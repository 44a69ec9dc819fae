"""A job that failed at its third script, and succeeds when it is resumed.

An operator runs the first such job of a test run's worker; the others are copies of it, with its
status. Tests of what becomes of actions begin where a job has failed, and need not wait until each
of their jobs has run to that point.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from enso_operator.kube.definitions import REVISIONS, REVISIONS_API
from enso_operator.kube.ensojob import EnsoJobObject
from tests.cluster.action_client import ActionClient, five_scripts
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until
from tests.support.fault_proxy.rules import Rule
from tests.support.operators import Operators
from tests.support.resources import Document

RAN = ("open", "bake", "do")
STORY = ["JobResumed", "JobSucceeded"]
"""What is told of a copy: that it failed is not told again."""


def run_until_it_failed(ns: ClusterNamespace, operators: Operators, folder: Path) -> Document:
    """Have a job run until it failed; return its status."""
    ns.apply(five_scripts(folder / "shot"))
    operator = operators.start()
    until(lambda: ns.state() == "Failed")
    operator.stop()
    status: Document = ns.get()["status"]
    return status


@dataclass(frozen=True)
class FailedJobs:
    """Makes such jobs in one namespace, while no operator looks after it."""

    ns: ClusterNamespace
    folder: Path
    status: Document

    def create(self, name: str) -> FailedJob:
        job = FailedJob(ActionClient(self.ns), name, self.folder)
        document = five_scripts(job.note) | {"metadata": {"name": name}}
        created = self.ns.objects.create(document)
        # The operator compares it with that of the spec, which names the job's own file.
        ledger = {**self.status["ledger"], "specDigest": EnsoJobObject(created).spec_digest}
        version: str = created["metadata"]["resourceVersion"]
        self.ns.objects.patch_status(name, version, {**self.status, "ledger": ledger})
        job.note.write_text("\n".join(RAN) + "\n")
        Path(f"{job.note}-mended").touch()
        return job

    def create_each(self, names: Iterable[str]) -> list[FailedJob]:
        return [self.create(name) for name in names]


@dataclass(frozen=True)
class FailedJob:
    """One of them, and what may be done to it and asserted of it."""

    actions: ActionClient
    name: str
    folder: Path

    @cached_property
    def note(self) -> Path:
        return self.folder / self.name

    def is_asked(self) -> None:
        """Let two people act on it: one in vain, one with success and with a change."""
        change = {"scripts": [{"name": "do", "timeoutSeconds": 60}]}
        self.actions.create("pause", f"{self.name}-in-vain", job=self.name)
        self.actions.create("resume", f"{self.name}-again", job=self.name, resume=change)

    def is_over_or(self, rule: Rule) -> bool:
        return rule.used > 0 or self.actions.ns.state(self.name) == "Succeeded"

    def ends_well(self) -> None:
        """Wait for the end; each action acted once, and nothing ran twice."""
        ns, result = self.actions.ns, self.actions.result
        until(lambda: ns.state(self.name) == "Succeeded")
        until(lambda: result(f"{self.name}-again")[0] and result(f"{self.name}-in-vain")[0])
        assert result(f"{self.name}-again")[1] == "Done"
        assert result(f"{self.name}-in-vain")[1] == "NotPossible"
        assert self.note.read_text().split() == [
            *RAN,
            *("open", "do", "save", "publish"),
        ]
        ledger = ns.get(self.name)["status"]["ledger"]
        assert (ledger["resumes"], len(ledger["actions"])) == (1, 1)
        assert [definition["number"] for definition in ledger["definitions"]] == [2]
        revisions = ns.objects.beside(REVISIONS, REVISIONS_API).each()
        uid = ns.get(self.name)["metadata"]["uid"]
        ours = [
            revision["metadata"]["name"]
            for revision in revisions
            if [owner["uid"] for owner in revision["metadata"]["ownerReferences"]] == [uid]
        ]
        assert ours == [ledger["definitions"][0]["name"]]
        reasons = [reason for reason, _ in ns.job_events(self.name)]
        assert [reason for reason in reasons if reason in (*STORY, "JobFailed")] == STORY
        (owner,) = self.actions.get(f"{self.name}-again")["metadata"]["ownerReferences"]
        assert owner["uid"] == uid
