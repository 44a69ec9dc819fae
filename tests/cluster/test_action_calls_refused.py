"""Each call that an operator makes for an EnsoAction, refused for a while."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import pytest

from enso_operator.controller.action_processor import MOST_TRIES
from tests.cluster.failed_jobs import FailedJob, FailedJobs
from tests.cluster.watching import operator_that_watches
from tests.support.eventually import until
from tests.support.fault_proxy import Call, FaultProxy, Filter, answer
from tests.support.fault_proxy.exchange import Exchange
from tests.support.operators import Operator, Operators

CALLS = (
    "get ensojobs",
    "patch ensojobs/status",
    "list ensoactions",
    "get ensoactions",
    "patch ensoactions/status",
    "patch ensoactions",
    "create controllerrevisions",
    "get controllerrevisions",
)
CODES = (403, 409, 429, 500, 503)
WHILE_SECONDS = 1.0
MOST_REFUSALS = 3 * MOST_TRIES
"""Within that time; a write that conflicts is tried so often at once, then with longer pauses."""


@dataclass
class Refused:
    """A failed job, of whose calls those of one kind are refused."""

    job: FailedJob
    call: str
    code: int
    at: list[float] = field(default_factory=list[float])
    """When the calls were refused."""
    late: list[str] = field(default_factory=list[str])
    """The actions after the resume."""

    @property
    def sentence(self) -> str:
        return f"refused for a test: {self.call}"

    def begins(self, proxy: FaultProxy) -> None:
        """Let people act on it while the calls are refused."""
        rule = proxy.add(Filter(self._is_meant), self._refuse)
        self.job.is_asked()
        until(lambda: self._has_lasted() or self.job.actions.ns.state(self.job.name) == "Succeeded")
        until(self._asks_again)
        proxy.remove(rule)

    def _asks_again(self) -> bool:
        """Act on the job after its resume; return whether the calls were refused long enough.

        For it the operator reads the changed definition; not where the actor that resumed the job
        is still at work, but then for a later one.
        """
        late = f"{self.job.name}-late-{len(self.late)}"
        self.late.append(late)
        self.job.actions.create("retry", late, job=self.job.name)
        until(lambda: self._has_lasted() or self.job.actions.has_result(late))
        return self._has_lasted()

    def ends_well(self, operator: Operator) -> None:
        """Assert that each action acted once, and that the refusals were told once."""
        self.job.ends_well()
        for late in self.late:
            until(partial(self.job.actions.has_result, late))
            assert self.job.actions.result(late)[1] == "NotPossible"
        assert len([at for at in self.at if at - self.at[0] < WHILE_SECONDS]) <= MOST_REFUSALS
        events = self.job.actions.ns.job_events(self.job.name)
        told = [message for reason, message in events if reason == "NotGoingOn"]
        if self.call == "get ensojobs":  # before the job has an actor that could tell it
            assert operator.log_text.count(self.sentence) == (self.code == 403)
        elif self.code == 403:
            assert told == [f"the API server does not let us (403): {self.sentence}"]
        else:
            assert len(told) <= 1, "one is told where the machine is slow"

    def _is_meant(self, call: Call) -> bool:
        is_ours = self.job.name in call.path or self.job.name.encode() in call.body
        return is_ours and f"{call.verb} {call.resource}" == self.call

    async def _refuse(self, exchange: Exchange) -> None:
        self.at.append(time.monotonic())
        await answer(self.code, self.sentence)(exchange)

    def _has_lasted(self) -> bool:
        return bool(self.at) and self.at[-1] - self.at[0] >= WHILE_SECONDS


@pytest.mark.parametrize("code", CODES)
def test_each_action_acts_once_afterwards(
    failed_jobs: FailedJobs, operators: Operators, code: int
) -> None:
    refused = [
        Refused(failed_jobs.create(f"shot-{number}"), call, code)
        for number, call in enumerate(CALLS)
    ]
    with FaultProxy(operators.kubeconfig) as proxy, ThreadPoolExecutor(len(refused)) as pool:
        operator = operator_that_watches(operators, proxy, "--resync-seconds=600")
        for _ in pool.map(partial(Refused.begins, proxy=proxy), refused):
            pass
        for each in refused:
            each.ends_well(operator)
