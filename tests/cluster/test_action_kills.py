"""An operator that is killed, sleeps or is refused at calls that it makes for an EnsoAction."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import pytest

from enso_operator.kube.definitions import REVISIONS, REVISIONS_API
from tests.cluster.action_client import ActionClient, five_scripts
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kill_points import LANES, MOST_CALLS, at_every_call
from tests.support.eventually import until
from tests.support.fault_proxy import (
    FaultProxy,
    after,
    answer,
    before,
    number,
    on,
    watches,
)
from tests.support.fault_proxy.rules import Fault, Filter, Rule
from tests.support.operators import DEADLINE_SECONDS, Operators

STORY = ["JobFailed", "JobResumed", "JobSucceeded"]


@dataclass(frozen=True)
class FailedJob:
    """A job that failed at its third script, and succeeds when it is resumed."""

    actions: ActionClient
    name: str
    folder: Path

    @cached_property
    def note(self) -> Path:
        return self.folder / self.name

    def fails(self) -> None:
        ns = self.actions.ns
        ns.apply(five_scripts(self.note) | {"metadata": {"name": self.name}})
        until(lambda: ns.state(self.name) == "Failed")
        Path(f"{self.note}-mended").touch()

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
            *("open", "bake", "do"),
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
        assert [reason for reason in reasons if reason in STORY] == STORY
        (owner,) = self.actions.get(f"{self.name}-again")["metadata"]["ownerReferences"]
        assert owner["uid"] == uid


@pytest.mark.timeout(900)
@at_every_call
def test_each_action_acts_once_wherever_the_operator_is_killed(
    ns: ClusterNamespace,
    operators: Operators,
    tmp_path: Path,
    fault: Callable[[Callable[[], object]], Fault],
    calls: Filter,
    lane: int,
) -> None:
    with FaultProxy(operators.kubeconfig) as proxy:
        operator = operators.start(kubeconfig=proxy.kubeconfig)
        for point in range(1 + lane, MOST_CALLS, LANES):
            job = FailedJob(ActionClient(ns), f"shot-{point}", tmp_path)
            job.fails()
            kill = partial(os.kill, operator.pid, signal.SIGKILL)
            rule = proxy.add(number(point, calls), fault(kill), times=1)
            job.is_asked()
            until(partial(job.is_over_or, rule))
            if not rule.used:
                job.ends_well()
                return
            operator.process.join(DEADLINE_SECONDS)
            operator = operators.start(kubeconfig=proxy.kubeconfig)
            job.ends_well()
    pytest.fail(f"an operator makes more than {MOST_CALLS} calls for two actions")


@pytest.mark.parametrize("fault", [before, after])
@pytest.mark.parametrize("point", range(1, 8))
def test_one_that_sleeps_while_another_acts_and_wakes(
    ns: ClusterNamespace,
    operators: Operators,
    tmp_path: Path,
    fault: Callable[[Callable[[], object]], Fault],
    point: int,
) -> None:
    job = FailedJob(ActionClient(ns), "shot", tmp_path)
    with FaultProxy(operators.kubeconfig) as proxy:
        sleeper = operators.start(kubeconfig=proxy.kubeconfig)
        job.fails()
        sleep = partial(sleeper.send, signal.SIGSTOP)
        rule = proxy.add(number(point, ~watches()), fault(sleep), times=1)
        job.is_asked()
        until(lambda: rule.used)
        operators.start()
        job.ends_well()
        sleeper.send(signal.SIGCONT)
        until(lambda: "enso_live_jobs 0.0" in sleeper.http_get("/metrics")[1])
        job.ends_well()


@pytest.mark.parametrize("code", [410, 429, 500])
def test_a_watch_of_actions_that_is_refused_is_made_again_and_misses_none(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path, code: int
) -> None:
    job = FailedJob(ActionClient(ns), "shot", tmp_path)
    with FaultProxy(operators.kubeconfig) as proxy:
        operator = operators.start("--resync-seconds=600", kubeconfig=proxy.kubeconfig)
        job.fails()
        refuses = answer(code, "not this watch", {"Retry-After": "1"})
        rule = proxy.add(on("watch", "ensoactions"), refuses, times=2)
        proxy.cut()
        until(lambda: rule.used)
        job.is_asked()
        job.ends_well()
        assert operator.process.is_alive()


def test_two_that_are_awake_do_what_one_would(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    for _ in range(2):
        operators.ready()
    jobs = [FailedJob(ActionClient(ns), f"shot-{count}", tmp_path) for count in range(10)]
    for job in jobs:
        job.fails()
    for job in jobs:
        job.is_asked()
    for job in jobs:
        job.ends_well()
