"""One actor per live job: the side effects around the pure decisions of `services.reconcile`.

An actor folds what it observes into the job, commits, and only then acts. `enso run`,
`enso serve` and the operator all drive their jobs with it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from enso_operator.blocking import in_thread
from enso_operator.coordinator.folding import Folding
from enso_operator.coordinator.inbox import Broken, JobGone, Message, SessionSaid, Wake
from enso_operator.coordinator.job_progress import JobProgress
from enso_operator.coordinator.obstacles import Obstacles, is_same, pause_after
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.progress_budget import ProgressBudget
from enso_operator.coordinator.publisher import Publisher
from enso_operator.coordinator.run_follower import RunFollower, is_full
from enso_operator.coordinator.sessions import Sessions
from job_execution_framework.domain.actions import Action
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import GO_ON, SessionControl, control_of
from job_execution_framework.domain.errors import (
    Conflict,
    InvalidJob,
    JobNotFound,
    NoAnswer,
    NotYet,
    ScriptNotFound,
    Unavailable,
)
from job_execution_framework.domain.events import Event, SessionOpened
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.steps import Open, Step, Wait
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.observations import Observations
from job_execution_framework.service_layer.unit_of_work import JobUnitOfWork

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 5.0
"""Bounds of the pause before the job is loaded or committed again after a failure."""
STORE, OPEN, RELEASE, TELL = "store", "open", "release", "tell"
"""Names of the calls that may fail and are tried again; keys of `Obstacles`."""

_log = logging.getLogger(__name__)


@dataclass
class Actor:
    """Drives one job until the job has ended, or until the task of `drive` is cancelled."""

    job_id: str
    job_uow: JobUnitOfWork
    sessions: Sessions
    planner: Planner
    clock: Clock
    publisher: Publisher
    pace_seconds: float = 0.0
    """How long, in seconds, a commit that nothing waits for is delayed, to write more at once."""
    progress_budget: ProgressBudget | None = None
    """The budget of commits of progress alone; without one the job's progress is not committed."""
    make_commit: Callable[[Callable[[], None]], Awaitable[None]] = in_thread
    """Makes the commit, which may block."""
    committed_waits: Cause | None = field(default=None, init=False)
    """The cause of waiting that the stored job has; people were told of it before."""
    _inbox: asyncio.Queue[Message] = field(default_factory=asyncio.Queue[Message], init=False)
    _pending: list[Observations] = field(default_factory=list[Observations], init=False)
    """Observations of sessions since the last commit."""
    _requested_actions: list[Action] = field(default_factory=list[Action], init=False)
    """Actions that people requested since the last commit."""
    _spec_actions: tuple[Action, ...] = field(default=(), init=False)
    """Actions that the job's spec asks for, such as suspend, as long as the spec says so."""
    _broken: Cause | None = field(default=None, init=False)
    """Why the job cannot go on with its present spec."""
    _job: Job | None = field(default=None, init=False)
    """The loaded job; the next three fields count its events or pending observations."""
    _folded: int = field(default=0, init=False)
    _announced: int = field(default=0, init=False)
    _committed: int = field(default=0, init=False)
    _committed_at: float = field(default=0.0, init=False)
    _uncommitted_since: float | None = field(default=None, init=False)
    """When the oldest uncommitted change was folded."""
    _step: Step | None = field(default=None, init=False)
    """The step that the last commit decided."""
    _follower: RunFollower = field(init=False)
    _sent_control: tuple[str, SessionControl] | None = field(default=None, init=False)
    """Session run and control that were sent last; None where that is not known."""
    _folding: Folding = field(init=False)
    _obstacles: Obstacles = field(default_factory=Obstacles, init=False)

    def __post_init__(self) -> None:
        self._follower = RunFollower(self.job_id, self.sessions, self._inbox)
        self._progress = JobProgress(self.progress_key, self.progress_budget, self.wake)
        self._folding = Folding(self.sessions, self.clock)

    @property
    def progress_key(self) -> str:
        """What tells the job from others in the budget."""
        return self.job_id

    def ask(self, action: Action) -> None:
        """Queue an action; it is applied with the next turn if the job allows it then."""
        self._inbox.put_nowait(action)

    def wake(self) -> None:
        """Load and decide again: the stored job may be newer."""
        self._inbox.put_nowait(Wake())

    def gone(self, why: str) -> None:
        """Stop with JobNotFound: the job was removed from the store."""
        self._inbox.put_nowait(JobGone(why))

    async def drive(self) -> None:
        """Return when the job has ended and none of its sessions runs, or when it `may_rest`."""
        try:
            with self.job_uow:
                while True:
                    self._take_all()
                    job, step = await self._decide()
                    await self.act(job)
                    if self.may_end(job) or self.may_rest(job, step):
                        return
                    await self._hear(job, step)
        finally:
            self._obstacles.passed(OPEN)
            self._follower.stop()
            self._progress.stop()

    async def load(self) -> Job:
        """Return the job, the same one until it is rolled back."""
        jobs, name = self.job_uow.jobs, self.job_id
        job = jobs.get(name) if name in jobs else await in_thread(jobs.get, name)
        if job is not self._job:
            self._job, self._folded = job, 0
            self._announced = self._committed = len(job.events)
        return job

    async def commit(self, job: Job, step: Step, waits: Cause | None) -> None:
        """Store the folded events and the cause of waiting, then notify the publisher."""
        with self.publisher.committing():
            await self.make_commit(self.job_uow.commit)
        new = job.events[self._committed :]
        self.committed_waits = waits
        self._step, self._committed, self._folded = step, len(job.events), 0
        self._pending.clear()
        self._requested_actions.clear()
        self._follower.was_committed()
        self._committed_at, self._uncommitted_since = self.clock.now(), None
        self.publisher.committed(job, new)

    async def report_blocked(self, why: str) -> None:
        """Publish what keeps the job from going on; called again with each later failure."""
        await self.publisher.report_blocked(self._job, why)

    def set_spec_actions(self, actions: tuple[Action, ...], broken: Cause | None) -> None:
        """Take the actions that the spec asks for, and why the job cannot go on, if it cannot."""
        self._spec_actions, self._broken = actions, broken

    def keep_events(self, job: Job, events: list[Event]) -> None:
        """Keep only these events of a fully committed job in memory."""
        self.job_uow.jobs.keep(job.id, events)
        self._committed = self._announced = len(events)

    def waits(self, job: Job) -> Cause | None:
        """Return what keeps the job from going on, if anything: a failing call, or its session."""
        met = self._obstacles.why(OPEN, RELEASE, TELL)
        return met or (self.sessions.location.waits if job.open_run else None)

    async def obey(self, job: Job) -> None:
        """Do the actions that are asked for and possible now, before the next step is decided."""
        for action in (*self._spec_actions, *self._requested_actions):
            if not job.why_not(action):
                job.obey(action, self.clock.now())

    def has_news(self, job: Job) -> bool:
        """Whether there are uncommitted events, or the cause of waiting has changed."""
        return self._uncommitted(job) > 0 or not is_same(self.waits(job), self.committed_waits)

    def has_messages(self) -> bool:
        """Whether the inbox has unread messages."""
        return not self._inbox.empty()

    def may_end(self, job: Job) -> bool:
        """Whether the job has ended, and nothing more is to be done."""
        return job.finished

    def may_rest(self, job: Job, step: Step) -> bool:
        """Whether the actor may return before the end, as its owner will start another in time."""
        del job, step
        return False

    def last_known_job(self) -> Job | None:
        """Return the job as last known; None where the open session was never committed."""
        is_known = self._job and self._job.open_run not in self._job.events[self._committed :]
        return self._job if is_known else None

    def hand_over(self, heir: Actor) -> None:
        """Pass the uncommitted observations of sessions to another actor of the job."""
        for observations in self._pending:
            heir.take(SessionSaid(observations))
        while not self._inbox.empty():
            if isinstance(message := self._inbox.get_nowait(), SessionSaid):
                heir.take(message)

    # Decide.

    async def _decide(self) -> tuple[Job, Step]:
        """Fold and commit; after a conflicting commit by another writer load and fold again."""
        conflicts = 0
        while True:
            try:
                decided = await self._turn()
            except Conflict:
                self.job_uow.rollback()
                conflicts += 1
                if conflicts > 1:  # one is usual: what is loaded next is newer
                    await _pause(conflicts)
            except Unavailable as error:
                self.job_uow.rollback()
                await _pause(await self._on_unavailable(STORE, error))
            else:
                self._obstacles.passed(STORE)
                return decided

    async def _on_unavailable(self, trying: str, error: Unavailable) -> int:
        """Record a failed call, and report it once it has lasted; return the number of tries."""
        now = self.clock.now()
        obstacle = self._obstacles.met(trying, error, now)
        obstacle.when_its_turn(self.wake)
        # An API server that does not answer concerns all jobs: no job reports it.
        is_news = trying != STORE or not isinstance(error, NoAnswer)
        is_told = isinstance(error, NotYet) and is_same(obstacle.cause, self.committed_waits)
        if is_news and not is_told and now >= obstacle.tell_at:
            with suppress(Unavailable):  # the next try reports it
                await self.report_blocked(str(error))
        return obstacle.tries

    async def _turn(self) -> tuple[Job, Step]:
        job = await self.load()
        while self._folded < len(self._pending):
            await self._fold(job, self._pending[self._folded])
            self._folded += 1
            await asyncio.sleep(0)  # lets other jobs run between two folds
        self._follower.was_folded(self._uncommitted(job))
        await self.obey(job)
        step = await self._fold(job, Observations(broken=self._broken, waits=self.waits(job)))
        if isinstance(step, Open):
            while isinstance(step, Open):  # where one cannot be opened another may be next
                step = await self._open(job, step)
        else:
            self._obstacles.passed(OPEN)
        await self.publisher.announce(job, job.events[self._announced :])
        self._announced = len(job.events)
        if self._uncommitted_since is None and self.has_news(job):
            self._uncommitted_since = self.clock.now()
        has_turn = self._progress.take_turn(job)
        if has_turn or self.is_urgent(job, step) or self._wait_for_commit() <= 0:
            if has_turn or self.has_news(job):
                self._progress.bring_up_to_date(job, self.clock.now())
            if has_turn:
                self.job_uow.jobs.touch(job.id)
            waits = self.waits(job)
            is_known = is_same(waits, self.committed_waits)
            await self.commit(job, step, self.committed_waits if is_known else waits)
        return job, step

    def _uncommitted(self, job: Job) -> int:
        return len(job.events) - self._committed

    def is_urgent(self, job: Job, step: Step) -> bool:
        """Whether an action, or the next step, waits for this commit."""
        is_to_act = job.open_run is not None and (
            job.open_run.run != self._follower.run or self._must_send_control(job, job.open_run)
        )
        return job.finished or is_to_act or step != self._step or is_full(self._uncommitted(job))

    def _wait_for_commit(self) -> float:
        since = self._committed_at if self._uncommitted_since is None else self._uncommitted_since
        return self.pace_seconds - (self.clock.now() - since)

    async def _fold(self, job: Job, seen: Observations) -> Step:
        with self.publisher.reconciling():
            return await self._folding.fold(job, seen)

    async def _open(self, job: Job, step: Open) -> Step:
        """Create the session without starting it; the same commit records its uid."""
        now = self.clock.now()
        if now < self._obstacles.until(OPEN):
            return self._wait_to_open(job)
        try:
            uid = await self.sessions.open(await self.planner.plan(job, step))
        except Unavailable as error:
            await self._on_unavailable(OPEN, error)
            return self._wait_to_open(job)
        except (ScriptNotFound, InvalidJob, OSError) as error:
            return services.fail_to_open(job, step, Cause(_reason(error), str(error)), now)
        self._obstacles.passed(OPEN)
        self._sent_control = step.run, GO_ON
        job.record(
            SessionOpened(at=now, run=step.run, session=step.session, uid=uid, scripts=step.scripts)
        )
        return job.next(now)

    def _wait_to_open(self, job: Job) -> Wait:
        """Wait for the next try, or for the turn to make it; a deadline may come before it."""
        until = min(self._obstacles.until(OPEN), math.inf if job.deadline is None else job.deadline)
        return Wait(None if until == math.inf else until)

    # Act, after the commit.

    async def act(self, job: Job) -> None:
        """Send the control and start the session; a call that fails is tried again later."""
        if run := job.open_run:
            await self.attempt(TELL, partial(self._send_control, job, run))
            await self.attempt(RELEASE, partial(self._begin, job, run))
        else:
            self._obstacles.passed(TELL)
            self._obstacles.passed(RELEASE)

    async def attempt(self, trying: str, call: Callable[[], Awaitable[None]]) -> None:
        """Make a call, unless it has failed and is not to be tried again yet."""
        if self.clock.now() < self._obstacles.until(trying):
            return
        try:
            await call()
        except Unavailable as error:
            await self._on_unavailable(trying, error)
        else:
            self._obstacles.passed(trying)

    def _must_send_control(self, job: Job, run: SessionOpened) -> bool:
        """Whether the run has not received the present control yet."""
        return self._sent_control != (run.run, control_of(job))

    async def _send_control(self, job: Job, run: SessionOpened) -> None:
        if self._must_send_control(job, run):
            control = control_of(job)
            await self.sessions.tell(run.run, run.uid, control)
            self._sent_control = run.run, control

    async def _begin(self, job: Job, run: SessionOpened) -> None:
        """Let the session start, and follow it."""
        if run.run != self._follower.run:
            await self._follower.start(run, job.cursors.get(run.run, 0))
            self._folding.a_run_begins()

    # Hear.

    async def _hear(self, job: Job, step: Step) -> None:
        """Wait for a message, or until the next step, try or delayed commit is due."""
        waits = [self._wait_for_commit()] if self.has_news(job) else []
        ask_in = self._progress.ask_in(job, self.clock.now())
        waits += [] if ask_in is None else [ask_in]
        if isinstance(step, Wait) and step.until is not None:
            waits.append(step.until - self.clock.now())
        due = [*self._obstacles.due(), *filter(None, [self.publisher.due])]
        waits += [when - self.clock.now() for when in due]
        try:
            async with asyncio.timeout(max(0.0, min(waits)) if waits else None):
                self.take(await self._inbox.get())
        except TimeoutError:
            return

    def _take_all(self) -> None:
        while not self._inbox.empty():
            self.take(self._inbox.get_nowait())

    def take(self, message: Message) -> None:
        """Keep observations and actions until they are committed."""
        match message:
            case SessionSaid(observations):
                self._progress.heard(observations.progress)
                if observations.records or observations.ended:
                    self._pending.append(observations)
            case Action():
                self._requested_actions.append(message)
            case Wake():
                pass
            case JobGone(why):
                raise JobNotFound(why)
            case Broken(error):
                raise error


async def _pause(tries: int) -> None:
    await asyncio.sleep(pause_after(tries, SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))


def _reason(error: Exception) -> str:
    """Return the reason with which a job fails whose session cannot be opened."""
    if isinstance(error, OSError):
        return Reason.SESSION_LOST
    return Reason.SCRIPT_NOT_FOUND if isinstance(error, ScriptNotFound) else Reason.INVALID_JOB
