"""Simulates everything around one job: nodes, Pods and logs, its coordinator and its user.

Tests of the domain with random steps use it. It records what scripts really did, independently of
the job's own state, and asserts at every start of a script that the start is allowed.
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
from job_execution_framework.domain.final import applies
from job_execution_framework.domain.going_on import failed, is_done, is_past
from job_execution_framework.domain.history import ACTIONS_KEPT
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
from job_execution_framework.service_layer.runner import Result
from job_execution_framework.service_layer.unit_of_work import (
    InMemoryJobUnitOfWork,
    InMemoryRepository,
)
from tests.support.budgets import assert_may_start, assert_nothing_hopeless_was_retried
from tests.support.handed_on import HandedOn
from tests.support.jobs import FakeClock
from tests.support.losses import assert_waited_after_loss, in_doubt
from tests.support.sessions import Fate, SimulatedSession, SupervisorDied

LOST = Cause(Reason.SESSION_LOST, "its process is gone")


class World:
    """One job with its coordinator, sessions and user; each public method is a step of a test."""

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
        """Scripts that really succeeded, recorded or not, and that no resume runs again."""
        self.cleaned: dict[str, str] = {}
        """Finally scripts that really succeeded at the present end, with their session runs."""
        self.partial: set[str] = set()
        """Checkpoints that really succeeded without a script before them in their session."""
        self.produced_with: dict[str, Mapping[str, object]] = {}
        """For each succeeded script, the definitions of the scripts before it in its session."""
        self.done_actions: list[str] = []
        """The ids of the actions that were done, in order."""
        self.forced: set[tuple[str, int]] = set()
        """Failed attempts after which a retry action requested the next one at once."""
        self.losses: dict[str, int] = {}
        """Number of runs with unknown outcomes, by session, since the latest start or resume."""
        self.done: set[str] = set()
        self.handed_on = HandedOn()
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
                lambda script, attempt: self._give(session, script, attempt, fate),  # noqa: B023  # called at once
                self.clock,
            )
            self._drop_skipped(session.rows)

    def _give(self, session: SimulatedSession, script: Script, attempt: int, fate: Fate) -> Fate:
        self.handed_on.check(script, session.scripts_at_open[script.name])
        fate = self._start(session, script, attempt, fate)
        by = f"attempt {attempt} in {session.run}"
        return self.handed_on.returned(script, fate, by) if isinstance(fate, Result) else fate

    def _start(self, session: SimulatedSession, script: Script, attempt: int, fate: Fate) -> Fate:
        run = self.job().open_run
        assert session.alive
        assert run
        assert (run.run, run.uid) == (session.run, session.uid), "a session nobody committed runs"
        assert script.name in run.scripts, "it is not in the plan"
        earlier = self.starts.setdefault((script.name, attempt), [])
        assert session.run not in earlier, "the same attempt starts twice in one session run"
        assert all(in_doubt(self.job(), other, script.name) for other in earlier), (
            "it silently ran again"
        )
        self._drop_skipped(session.rows)  # the control may have skipped some in this very moment
        if script.when is not None:
            self._assert_cleans_up_once(script)
        else:
            self._assert_memory(session, script)
            self._assert_not_behind_a_checkpoint(session, script)
            self._assert_kept_checkpoints_are_valid(session, script)
        is_forced = (script.name, attempt - 1) in self.forced
        assert_may_start(self.job(), session, script, self.clock.now(), is_forced=is_forced)
        earlier.append(session.run)
        self.started.append(script.name)
        has_succeeded = not isinstance(fate, SupervisorDied) and not fate.cause
        if has_succeeded and script.when is not None:
            self.cleaned[script.name] = session.run
        elif has_succeeded:
            self.succeeded.add(script.name)
            self.partial.discard(script.name)
            if any(not is_done(one, session.rows[one.name]) for one in self._before(script)):
                self.partial.add(script.name)
            self.produced_with[script.name] = self._arguments_before(
                script, session.scripts_at_open
            )
        return fate

    def _assert_cleans_up_once(self, script: Script) -> None:
        job = self.job()
        assert job.state in ENDED, "it cleans up what still runs"
        assert applies(script, job.outcome), "it is not wanted after this end"
        run = self.cleaned.get(script.name)
        assert run is None or in_doubt(self.job(), run, script.name), "it cleaned up already"

    def _drop_skipped(self, rows: Mapping[str, Row]) -> None:
        """Drop skipped scripts: they are done, but have produced nothing."""
        self.succeeded -= {name for name, row in rows.items() if row.state is ScriptState.SKIPPED}

    def _arguments_before(
        self, script: Script, scripts_at_open: Mapping[str, Script]
    ) -> dict[str, object]:
        names = [earlier.name for earlier in self._before(script)]
        return {name: dict(scripts_at_open[name].parameters) for name in names}

    def _before(self, script: Script) -> list[Script]:
        """Return the scripts before it in its session."""
        names = list(self.scripts)
        before = [self.scripts[name] for name in names[: names.index(script.name)]]
        return [earlier for earlier in before if earlier.session == script.session]

    def _assert_memory(self, session: SimulatedSession, script: Script) -> None:
        """Assert that the scripts that this one needs have run in the present interpreter."""
        before = [
            earlier
            for earlier in self._before(script)
            if earlier.name in self.succeeded and not is_past(earlier, session.rows[earlier.name])
        ]
        vouching = [i for i, earlier in enumerate(before) if self._vouches(session, earlier)]
        behind = max(vouching, default=-1)
        if script.setup and self._checkpoints_ahead(session, script):
            behind = len(before)  # a setup may need only earlier setups
        needed = {earlier.name for i, earlier in enumerate(before) if earlier.setup or i > behind}
        assert needed <= session.memory, f"{script.name} starts without {needed - session.memory}"

    def _assert_not_behind_a_checkpoint(self, session: SimulatedSession, script: Script) -> None:
        ahead = self._checkpoints_ahead(session, script)
        assert script.setup or not ahead, f"{script.name} runs again, though {ahead} succeeded"

    def _checkpoints_ahead(self, session: SimulatedSession, script: Script) -> list[str]:
        """Return the succeeded checkpoints after the script, if the script is replayed."""
        ahead = list(self.scripts)[list(self.scripts).index(script.name) :]
        undone = next(i for i, name in enumerate(ahead) if not session.rows[name].done)
        return [
            name
            for name in ahead[:undone]
            if self._vouches(session, self.scripts[name]) and session.rows[name].succeeded
        ]

    def _assert_kept_checkpoints_are_valid(self, session: SimulatedSession, script: Script) -> None:
        """Assert that kept checkpoints were produced with the present definitions."""
        for kept_script in self.scripts.values():
            kept = (
                self._vouches(session, kept_script)
                and kept_script.name in self.succeeded
                and kept_script.name not in session.lease
            )
            if kept and kept_script.session == script.session:
                now = self._arguments_before(kept_script, session.scripts_at_open)
                then = self.produced_with[kept_script.name]
                assert now == then, (
                    f"{kept_script.name} is kept, which was made from {then}, not {now}"
                )

    def _vouches(self, session: SimulatedSession, script: Script) -> bool:
        is_kept = script.name not in self.partial and not is_past(script, session.rows[script.name])
        return script.checkpoint and is_kept

    # The coordinator.

    def read(self, start: int, end: int | None, *, detect_end: bool = False) -> Observations:
        """Read the open session's log: from any known record on, and up to any byte."""
        session, job = self.open_session(), self.job()
        if session is None:
            return Observations()
        log = session.log
        cut = len(log) if end is None else end % (len(log) + 1)
        records = only_events(from_log(log[:cut]))
        known = min(job.cursors.get(session.run, 0), len(records))
        whole = cut == len(log)
        ended = None
        if detect_end and session.dead and not session.released:
            ended = Ended(log_is_complete=True, cause=LOST)
        elif detect_end and session.dead and session.ended_in_order and whole:
            ended = Ended(log_is_complete=True)
        elif detect_end and session.dead:
            ended = Ended(log_is_complete=False, cause=LOST if cut % 3 else None)
        return Observations(records[start % (known + 1) :], ended, run=session.run)

    def coordinate(
        self, observations: Observations, *actions: Action, commits: bool = True, acts: bool = True
    ) -> None:
        """Do the actions, reconcile, commit, act.

        Without `commits` the coordinator crashes before the commit, without `acts` after it.
        """
        with InMemoryJobUnitOfWork(self.repository) as uow:
            job = uow.jobs.get("job")
            open_run, is_closing = job.open_run, job.closing is not None
            for action in actions:
                if not job.why_not(action):
                    job.obey(action, self.clock.now())
            self.reconcile(job, observations)
            if commits:
                uow.commit()
        if commits and open_run and observations.run == open_run.run:
            self._assert_recorded(open_run, observations, is_closing=is_closing)
        self._drop_skipped(self.job().rows)
        if commits and acts:
            self.act(job)

    def reconcile(self, job: Job, observations: Observations) -> None:
        """Reconcile the job; create the session that the step opens, without starting it."""
        step = services.reconcile(job, observations, self.clock.now())
        if not isinstance(step, Open):
            return
        assert_waited_after_loss(job, step.session, self.clock.now())
        plan = Plan.of(job, step, ScriptLibrary([]))
        uid = f"uid-{crc32(plan.to_json().encode())}"
        session = self.sessions.setdefault((step.run, uid), SimulatedSession(plan, uid))
        session.scripts_at_open = {script.name: script for script in job.scripts}
        at, scripts = self.clock.now(), step.scripts
        opened = events.SessionOpened(
            at=at, run=step.run, session=step.session, uid=uid, scripts=scripts
        )
        job.record(opened)

    def act(self, job: Job) -> None:
        """Release the session that was committed, and send it its control."""
        if job.open_run is None:
            return
        session = self.sessions[job.open_run.run, job.open_run.uid]
        if not session.released and not session.dead:
            allowed = job.session(job.open_run.session).retry_lost
            assert job.runs_finally or self.losses.get(job.open_run.session, 0) <= allowed, (
                "a loss is silently made good"
            )
            session.released = True
        session.control = control_of(job)

    def _assert_recorded(
        self, opened: events.SessionOpened, observations: Observations, *, is_closing: bool
    ) -> None:
        """Assert that the job has all records that were read, and records unknown outcomes."""
        job, run = self.job(), opened.run
        assert all(job.cursors[run] >= record.seq for record in observations.records), (
            "a record is lost"
        )
        if not observations.ended:
            return
        assert job.open_run is None or job.open_run.run != run
        outcome = (events.ScriptSucceeded, events.ScriptFailed)
        known = {
            (event.script, event.attempt)
            for event in job.events
            if isinstance(event, outcome) and event.origin == run
        }
        started = {start for start, runs in self.starts.items() if run in runs}
        for script, _ in started - known:
            assert in_doubt(self.job(), run, script), (
                f"{script} ran, nobody knows how, nobody says so"
            )
        if not is_closing:  # else the job was resumed meanwhile
            lost = self.losses.get(opened.session, 0) + bool(started - known)
            self.losses[opened.session] = lost

    # The user.

    def do_action(self, action: Action, *, commits: bool = True) -> str:
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
        assert action.action_id not in self.done_actions, "the action was done twice"
        self.done_actions += [action.action_id] if action.action_id else []
        self._update_expectations(action, before)
        return ""

    def _update_expectations(self, action: Action, before: Job) -> None:
        """Update what is expected after an action."""
        if isinstance(action, Retry):
            script = retrying(before)
            assert script
            self.forced.add((script.name, before.rows[script.name].attempt))
        if isinstance(action, Resume) and before.state in ENDED:
            names = list(self.scripts)
            begin = action.from_script
            again = set(names[names.index(begin) :]) if begin else set[str]()
            again |= {name for name in names if not before.is_done(name)}
            again |= {script.name for script in before.finals}
            self.cleaned = {}
            self.succeeded -= again
            self.done -= again
            self.losses = {}
            self.handed_on.forget(names[names.index(begin) :] if begin else ())
        self.scripts = {script.name: script for script in self.job().scripts}
        self._drop_skipped(self.job().rows)

    def changed(self, name: str) -> Definition:
        """Return the job's definition with other arguments for one script."""
        job = self.job()
        scripts = tuple(
            replace(script, parameters={**script.parameters, "version": len(job.events)})
            if script.name == name
            else script
            for script in job.scripts
        )
        return replace(job.definition, scripts=scripts)

    # Invariants.

    def check(self) -> None:
        job = self.job()
        done = {name for name, row in job.rows.items() if row.done}
        assert done >= self.done, f"{self.done - done} was done and is not any more"
        self.done = done
        assert len(self.live()) <= 1, "two sessions live"
        assert job.acted == tuple(self.done_actions[-ACTIONS_KEPT:]), (
            "actions were done in another order"
        )
        if str(job.state) == "Succeeded":
            assert done >= {script.name for script in job.main}
            assert not failed(job.main, job.rows), "it went on past a failure, and forgot it"
        if job.finished and not job.finally_stopped:
            left = {script.name for script in job.finals if applies(script, job.outcome)} - done
            assert left <= {script.name for script in job.failed()}, "it did not clean up"
            assert not left or str(job.state) != "Succeeded", "what did not clean up is hidden"
        assert_nothing_hopeless_was_retried(job)
        if job.open_run is None:
            states = {row.state for row in job.rows.values()}
            assert ScriptState.RUNNING not in states, "it is said to run, and nothing does"

    def check_history(self) -> None:
        """Assert that folding the events again gives the same job."""
        job = self.job()
        again = Job(job.id, job.scripts, job.sessions, job.deadline_seconds)
        for event in job.events:
            again.apply(event)
        assert again == job
