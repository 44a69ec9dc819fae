"""Session runs without processes, which execute the plan that they read from JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import GO_ON, SessionControl
from job_execution_framework.domain.final import JobEnd
from job_execution_framework.domain.row import Row
from job_execution_framework.domain.script import Script
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.records import to_line
from job_execution_framework.service_layer.runner import Result
from job_execution_framework.service_layer.services import execute
from job_execution_framework.service_layer.unit_of_work import (
    InMemoryJobUnitOfWork,
    InMemoryRepository,
)
from tests.support.jobs import FakeClock

FAILS = Result(cause=Cause(Reason.EXCEPTION, "it broke", error="ValueError"))
LACKS_A_LICENCE = Result(cause=Cause("LicenseUnavailable", "no licence"))
TIMES_OUT = Result(cause=Cause(Reason.TIMEOUT, "1 s"), interpreter_lost=True)
SUCCEEDS = Result()


class SupervisorDied(Exception):
    """The process that writes the log has died."""


DIES = SupervisorDied()
Fate = Result | SupervisorDied
"""How one attempt ends."""


@dataclass
class OneScriptRunner:
    """Runs one script and stops, so that a test can do something before the next one."""

    start: Callable[[Script, int], Fate]
    control: SessionControl = GO_ON

    def check(self, scripts: Sequence[Script]) -> None:
        del scripts

    def announce(self, script: Script, attempt: int) -> None:
        del script, attempt

    def job_ended(self, end: JobEnd) -> None:
        del end

    def run(self, script: Script, attempt: int) -> Result:
        self.control = replace(self.control, pause=True, after="")
        fate = self.start(script, attempt)
        if isinstance(fate, SupervisorDied):
            raise fate
        return fate


class SimulatedSession:
    """One session run, which executes its plan one script at a time and keeps a log."""

    def __init__(self, plan: Plan, uid: str = "uid") -> None:
        plan = Plan.from_json(plan.to_json(), plan.secrets())
        self.run, self.uid, self.lease = plan.run, uid, plan.lease
        self.control = GO_ON
        self.released = self.dead = self.ended_in_order = False
        self.scripts_at_open: Mapping[str, Script] = {}
        """The job's scripts by name when the run was opened."""
        self.memory: set[str] = set()
        """The scripts that succeeded in the present interpreter."""
        self._job_id = plan.job_id
        self._uow = InMemoryJobUnitOfWork(InMemoryRepository({plan.job_id: plan.job()}))

    @property
    def alive(self) -> bool:
        return self.released and not self.dead

    @property
    def rows(self) -> Mapping[str, Row]:
        """The rows of the job's scripts inside the session."""
        return self._uow.jobs.get(self._job_id).rows

    @property
    def log(self) -> bytes:
        """All records, as the bytes of the log."""
        return b"".join(to_line(event) for event in self._uow.jobs.get(self._job_id).events)

    def run_one_script(self, start: Callable[[Script, int], Fate], clock: FakeClock) -> None:
        """Run the next script as the control says; where there is none, end in order."""
        ran: list[str] = []

        def started(script: Script, attempt: int) -> Fate:
            ran.append(script.name)
            fate = start(script, attempt)
            if isinstance(fate, Result) and fate.interpreter_lost:
                self.memory.clear()
            elif isinstance(fate, Result) and not fate.cause:
                self.memory.add(script.name)
            return fate

        try:
            runner = OneScriptRunner(started, self.control)
            execute(self._job_id, job_uow=self._uow, runner=runner, clock=clock)
        except SupervisorDied:
            self.dead = True
        else:
            self.dead = self.ended_in_order = not ran
