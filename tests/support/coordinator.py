"""A coordinator that drives one job with simulated sessions, and records their starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Resume
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.steps import Open, Wait
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.records import from_log, only_events
from tests.support.jobs import FakeClock
from tests.support.sessions import SUCCEEDS, TIMES_OUT, Fate, SimulatedSession

LOST = Cause(Reason.SESSION_LOST, "the process is gone")


@dataclass
class Coordinator:
    """A coordinator, and sessions whose attempts end as in `fates`."""

    job: Job
    fates: dict[str, Fate]
    starts: list[str] = field(default_factory=list[str])
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.record(events.JobAdded(at=self.clock.now()))

    @property
    def record(self) -> Callable[[events.Event], None]:
        return self.job.record

    def act(self, text: str) -> None:
        """Act on the ended job as a person does: ``resume``, ``from NAME``, ``skip NAME``."""
        verb, _, name = text.partition(" ")
        now = self.clock.now()
        if verb == "skip":
            attempt = self.job.rows[name].attempt
            self.record(self.job.script_event(events.ScriptSkipped, name, attempt, now, by="ann"))
            return
        self.job.obey(Resume(from_script=name), now)
        self.drive()

    def drive(self) -> None:
        """Do the steps that the job decides, until it has no more."""
        observations = Observations()
        for _ in range(100):
            step = services.reconcile(self.job, observations, self.clock.now())
            observations = Observations()
            if isinstance(step, Open):
                observations = self.session(step)
            elif isinstance(step, Wait) and step.until is not None:
                self.clock.time = step.until
            else:
                break
        assert self.job.finished

    def session(self, step: Open) -> Observations:
        """Run a session to its end; return the observations."""
        session = SimulatedSession(Plan.of(self.job, step, ScriptLibrary([])))
        self.record(
            events.SessionOpened(
                at=self.clock.now(),
                run=step.run,
                session=step.session,
                uid=session.uid,
                scripts=step.scripts,
            )
        )
        self.starts.append("|")
        session.released = True
        while session.alive:
            session.run_one_script(self.start, self.clock)
        complete = session.ended_in_order
        return Observations(
            only_events(from_log(session.log)), Ended(complete, None if complete else LOST)
        )

    def start(self, script: Script, attempt: int) -> Fate:
        start = f"{script.name}:{attempt}"
        self.starts.append(start)
        fate = self.fates.get(start, SUCCEEDS)
        if fate is TIMES_OUT:
            self.starts.append("~")
        return fate
