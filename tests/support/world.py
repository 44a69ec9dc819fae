"""A simulated world for one job: what really runs, what is recorded, what must never happen.

It stands for nodes, Pods and logs. It keeps its own account of what scripts really did, apart from
what the job believes, and asserts at every start that the start is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from zlib import crc32

from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Action, Resume, Retry
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import control_of, retrying
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import Row, ScriptState
from job_execution_framework.domain.script import Script, Session
from job_execution_framework.domain.steps import Open
from job_execution_framework.domain.transitions import ENDED
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.records import from_log, only_events
from job_execution_framework.service_layer.unit_of_work import (
    InMemoryJobUnitOfWork,
    InMemoryRepository,
)
from tests.support.jobs import FakeClock
from tests.support.sessions import Fate, SimulatedSession, SupervisorDied

LOST = Cause(Reason.SESSION_LOST, "its process is gone")


class World:
    """One job's coordinator, sessions and user; each public method is something that can happen."""

    def __init__(
        self, scripts: Sequence[Script], sessions: Sequence[Session], deadline: float | None
    ) -> None:
        self.clock = FakeClock()
        self.repository = InMemoryRepository()
        self.scripts = {script.name: script for script in scripts}
        self.sessions: dict[tuple[str, str], SimulatedSession] = {}
        self.starts: dict[tuple[str, int], list[str]] = {}
        """Each attempt that really started, with the session runs that started it."""
        self.started: list[str] = []
        """The scripts in the order in which they really started."""
        self.succeeded: set[str] = set()
        """Scripts that really succeeded, recorded or not, and that nobody wants to run again."""
        self.made_from: dict[str, Mapping[str, object]] = {}
        """For each succeeded script, the definitions of the scripts before it in its session."""
        self.failed_at: dict[tuple[str, str], float] = {}
        self.acted: list[str] = []
        """The ids of the actions that were done, in order."""
        self.forced: set[tuple[str, int]] = set()
        """Attempts that had failed when somebody wanted the next one at once."""
        self.losses: dict[str, int] = {}
        """Number of runs with unknown outcomes, by session, since the latest start or resume."""
        self.done: set[str] = set()
        services.add(
            scripts,
            job_uow=InMemoryJobUnitOfWork(self.repository),
            job_id="job",
            sessions=sessions,
            deadline_seconds=deadline,
            clock=self.clock,
        )

    def job(self) -> Job:
        """Return the job as it was committed."""
        return self.repository.jobs["job"]

    def live(self) -> list[SimulatedSession]:
        return [session for session in self.sessions.values() if session.alive]

    def open_session(self) -> SimulatedSession | None:
        run = self.job().open_run
        return self.sessions[run.run, run.uid] if run else None

    # Sessions.

    def run_one_script(self, fate: Fate) -> None:
        for session in self.live():
            session.run_one_script(
                lambda script, attempt: self._start(session, script, attempt, fate),  # noqa: B023  # called at once
                self.clock,
            )
            self._forget_skipped(session.rows)

    def _start(self, session: SimulatedSession, script: Script, attempt: int, fate: Fate) -> Fate:
        run = self.job().open_run
        assert session.alive
        assert run
        assert (run.run, run.uid) == (session.run, session.uid), "a session nobody committed runs"
        assert script.name in run.scripts, "it is not in the plan"
        earlier = self.starts.setdefault((script.name, attempt), [])
        assert session.run not in earlier, "the same attempt starts twice in one session run"
        assert all(self._in_doubt(other, script.name) for other in earlier), "it silently ran again"
        self._assert_memory(session, script)
        self._assert_not_behind_a_checkpoint(session, script)
        self._assert_checkpoints_vouch(session, script)
        pause = self.failed_at.get((session.run, script.name), 0) + script.retries.backoff_seconds
        is_forced = (script.name, attempt - 1) in self.forced
        assert self.clock.now() >= pause or is_forced, "it did not wait"
        earlier.append(session.run)
        self.started.append(script.name)
        if not isinstance(fate, SupervisorDied) and fate.cause:
            self.failed_at[session.run, script.name] = self.clock.now()
        if not isinstance(fate, SupervisorDied) and not fate.cause:
            self.succeeded.add(script.name)
            self.made_from[script.name] = self._described_before(script, session.described)
        return fate

    def _forget_skipped(self, rows: Mapping[str, Row]) -> None:
        """Drop skipped scripts: they are done, but have made nothing."""
        self.succeeded -= {name for name, row in rows.items() if row.state is ScriptState.SKIPPED}

    def _described_before(
        self, script: Script, described: Mapping[str, Script]
    ) -> dict[str, object]:
        names = [earlier.name for earlier in self._before(script)]
        return {name: dict(described[name].parameters) for name in names}

    def _before(self, script: Script) -> list[Script]:
        """Return the scripts before it in its session."""
        names = list(self.scripts)
        before = [self.scripts[name] for name in names[: names.index(script.name)]]
        return [earlier for earlier in before if earlier.session == script.session]

    def _assert_memory(self, session: SimulatedSession, script: Script) -> None:
        """Assert that the scripts that this one needs ran in the present interpreter."""
        before = [earlier for earlier in self._before(script) if earlier.name in self.succeeded]
        behind = max((i for i, earlier in enumerate(before) if earlier.checkpoint), default=-1)
        if script.setup and self._checkpoints_ahead(session, script):
            behind = len(before)  # a setup may need only earlier setups
        needed = {earlier.name for i, earlier in enumerate(before) if earlier.setup or i > behind}
        assert needed <= session.memory, f"{script.name} starts without {needed - session.memory}"

    def _assert_not_behind_a_checkpoint(self, session: SimulatedSession, script: Script) -> None:
        ahead = self._checkpoints_ahead(session, script)
        assert script.setup or not ahead, f"{script.name} runs again, though {ahead} succeeded"

    def _checkpoints_ahead(self, session: SimulatedSession, script: Script) -> list[str]:
        """Return the succeeded checkpoints from the script on, where it is a replay."""
        ahead = list(self.scripts)[list(self.scripts).index(script.name) :]
        undone = next(i for i, name in enumerate(ahead) if not session.rows[name].done)
        return [
            name
            for name in ahead[:undone]
            if self.scripts[name].checkpoint and session.rows[name].succeeded
        ]

    def _assert_checkpoints_vouch(self, session: SimulatedSession, script: Script) -> None:
        """Assert that kept checkpoints were made from the present definitions."""
        for kept_script in self.scripts.values():
            kept = (
                kept_script.checkpoint
                and kept_script.name in self.succeeded
                and kept_script.name not in session.lease
            )
            if kept and kept_script.session == script.session:
                now = self._described_before(kept_script, session.described)
                then = self.made_from[kept_script.name]
                assert now == then, (
                    f"{kept_script.name} is kept, which was made from {then}, not {now}"
                )

    def _in_doubt(self, run: str, script: str) -> bool:
        """Whether an event says that it is unknown what `run` did to the script."""
        told = self.job().events
        opened = next(i for i, e in enumerate(told) if _is_opening(e, run))
        return any(
            isinstance(e, events.ScriptInterrupted) and e.script == script for e in told[opened:]
        )

    # The coordinator.

    def read(self, start: int, end: int | None, *, look_for_end: bool = False) -> Observations:
        """Read the open session's log, up to any byte, from any record that is already known."""
        session, job = self.open_session(), self.job()
        if session is None:
            return Observations()
        log = session.log
        cut = len(log) if end is None else end % (len(log) + 1)
        records = only_events(from_log(log[:cut]))
        known = min(job.cursors.get(session.run, 0), len(records))
        whole = cut == len(log)
        ended = None
        if look_for_end and session.dead and not session.released:
            ended = Ended(log_is_complete=True, cause=LOST)
        elif look_for_end and session.dead and session.ended_in_order and whole:
            ended = Ended(log_is_complete=True)
        elif look_for_end and session.dead:
            ended = Ended(log_is_complete=False, cause=LOST if cut % 3 else None)
        return Observations(records[start % (known + 1) :], ended, run=session.run)

    def coordinate(
        self, seen: Observations, *asked: Action, commits: bool = True, acts: bool = True
    ) -> None:
        """Do the actions, reconcile, commit, act; crash before or after the commit if told to."""
        with InMemoryJobUnitOfWork(self.repository) as uow:
            job = uow.jobs.get("job")
            open_run, is_closing = job.open_run, job.closing is not None
            for action in asked:
                if not job.why_not(action):
                    job.obey(action, self.clock.now())
            self.reconcile(job, seen)
            if commits:
                uow.commit()
        if commits and open_run and seen.run == open_run.run:
            self._assert_folded(open_run, seen, is_closing=is_closing)
        self._forget_skipped(self.job().rows)
        if commits and acts:
            self.act(job)

    def reconcile(self, job: Job, seen: Observations) -> None:
        """Reconcile the job; prepare a session that the step opens, without starting it."""
        step = services.reconcile(job, seen, self.clock.now())
        if not isinstance(step, Open):
            return
        self._assert_waited(job, step.session)
        plan = Plan.of(job, step, ScriptLibrary([]))
        uid = f"uid-{crc32(plan.to_json().encode())}"
        session = self.sessions.setdefault((step.run, uid), SimulatedSession(plan, uid))
        session.described = {script.name: script for script in job.scripts}
        at, scripts = self.clock.now(), step.scripts
        opened = events.SessionOpened(
            at=at, run=step.run, session=step.session, uid=uid, scripts=scripts
        )
        job.record(opened)

    def _assert_waited(self, job: Job, session: str) -> None:
        """Assert that a session that was lost had its pause, unless its job was resumed since."""
        lost_at, opened, before = 0.0, "", ""
        for event in job.events:
            if isinstance(event, events.SessionOpened):
                opened = event.run
            elif isinstance(event, (events.JobResumed, events.ScriptRetryForced)):
                lost_at = 0.0
            elif isinstance(event, events.SessionEnded) and event.cause and event.run != before:
                of = event.run.rpartition("-")[0]
                lost_at = event.at if of == session else lost_at
            if isinstance(event, (events.JobResumed, events.JobUnpaused)):
                before = opened  # it belongs to what was before, and was to end
        if lost_at:
            pause = job.session(session).lost_backoff_seconds
            assert self.clock.now() >= lost_at + pause, "it did not wait after its loss"

    def act(self, job: Job) -> None:
        """Release the session that was committed, and send it its control."""
        if job.open_run is None:
            return
        session = self.sessions[job.open_run.run, job.open_run.uid]
        if not session.released and not session.dead:
            allowed = job.session(job.open_run.session).retry_lost
            assert self.losses.get(job.open_run.session, 0) <= allowed, (
                "a loss is silently made good"
            )
            session.released = True
        session.control = control_of(job)

    def _assert_folded(
        self, opened: events.SessionOpened, seen: Observations, *, is_closing: bool
    ) -> None:
        """Assert that read records are in the job, and that unknown outcomes are recorded."""
        job, run = self.job(), opened.run
        assert all(job.cursors[run] >= record.seq for record in seen.records), "a record is lost"
        if not seen.ended:
            return
        assert job.open_run is None or job.open_run.run != run
        outcome = (events.ScriptSucceeded, events.ScriptFailed)
        known = {
            (e.script, e.attempt) for e in job.events if isinstance(e, outcome) and e.origin == run
        }
        started = {start for start, runs in self.starts.items() if run in runs}
        for script, _ in started - known:
            assert self._in_doubt(run, script), f"{script} ran, nobody knows how, nobody says so"
        if not is_closing:  # else somebody has resumed the job meanwhile
            lost = self.losses.get(opened.session, 0) + bool(started - known)
            self.losses[opened.session] = lost

    # The user.

    def ask(self, action: Action, *, commits: bool = True) -> str:
        """Do an action and commit, or crash before the commit; return why it was refused."""
        with InMemoryJobUnitOfWork(self.repository) as uow:
            job = uow.jobs.get("job")
            before = job.copy()
            if why := job.why_not(action):
                return why
            job.obey(action, self.clock.now())
            if not commits:
                return "it crashed"
            uow.commit()
        assert action.action_id not in self.acted, "the action was done twice"
        self.acted += [action.action_id] if action.action_id else []
        self._account_for(action, before)
        return ""

    def _account_for(self, action: Action, before: Job) -> None:
        """Update the expectations of this world after an action."""
        if isinstance(action, Retry):
            script = retrying(before)
            assert script
            self.forced.add((script.name, before.rows[script.name].attempt))
        if isinstance(action, Resume) and before.state in ENDED:
            names = list(self.scripts)
            begin = action.from_script
            again = set(names[names.index(begin) :]) if begin else set[str]()
            self.succeeded -= again
            self.done -= again
            self.losses = {}
        self.scripts = {script.name: script for script in self.job().scripts}
        self._forget_skipped(self.job().rows)

    def changed(self, name: str) -> Definition:
        """Return the job's definition with other arguments for one script."""
        job = self.job()
        scripts = tuple(
            replace(script, parameters={"version": len(job.events)})
            if script.name == name
            else script
            for script in job.scripts
        )
        return replace(job.definition, scripts=scripts)

    # What holds at any time.

    def check(self) -> None:
        job = self.job()
        done = {name for name, row in job.rows.items() if row.done}
        assert done >= self.done, f"{self.done - done} was done and is not any more"
        self.done = done
        assert len(self.live()) <= 1, "two sessions live"
        if str(job.state) == "Succeeded":
            assert len(done) == len(self.scripts)
        if job.open_run is None:
            states = {row.state for row in job.rows.values()}
            assert ScriptState.RUNNING not in states, "it is said to run, and nothing does"

    def check_history(self) -> None:
        """Assert that the events alone give the same job."""
        job = self.job()
        again = Job(job.id, job.scripts, job.sessions, job.deadline_seconds)
        for event in job.events:
            again.apply(event)
        assert again == job


def _is_opening(event: events.Event, run: str) -> bool:
    return isinstance(event, events.SessionOpened) and event.run == run
