"""What happened to a job: every change of it is an event that `apply` or `record` applies.

`domain.job.Job` is a history that also decides what happens next. The scripts, the sessions and
the deadline stand here, too, as events are about them.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TypeVar

from job_execution_framework.domain import checkpoint, events, going_on, secret, transitions
from job_execution_framework.domain.definition import Arguments, Definition, shown_arguments
from job_execution_framework.domain.errors import GapInLog, NoOutput
from job_execution_framework.domain.events import (
    COORDINATOR,
    Event,
    JobResumed,
    JobUnpaused,
    ScriptEvent,
    SessionEnded,
)
from job_execution_framework.domain.final import session_of_finally
from job_execution_framework.domain.losses import Losses
from job_execution_framework.domain.outputs import Output, handed, references
from job_execution_framework.domain.progress import Progress
from job_execution_framework.domain.row import Row, ScriptState
from job_execution_framework.domain.script import Script, Session, check, session_of_container
from job_execution_framework.domain.standstill import Standstill
from job_execution_framework.domain.transitions import ENDED, RULES, JobState

ACTIONS_KEPT = 64
"""How many ids of actions a job remembers, to do none of them twice."""
ScriptEventT = TypeVar("ScriptEventT", bound=ScriptEvent)
HistoryT = TypeVar("HistoryT", bound="History")


@dataclass
class History:
    """An ordered list of scripts, and what happened to them.

    Raises InvalidJob where the scripts and sessions do not make a job.
    """

    id: str
    scripts: tuple[Script, ...]
    sessions: tuple[Session, ...] = (Session(),)
    deadline_seconds: float | None = None
    """How long the job may take in all, from its start or its last resume, without the time in
    which it stood still (`domain.standstill`)."""

    origin: str = field(default=COORDINATOR, init=False)
    may_start: frozenset[str] | None = field(default=None, init=False)
    """The scripts that this process may start; None where it only coordinates sessions."""
    state: JobState = field(default=JobState.NEW, init=False)
    main: tuple[Script, ...] = field(default=(), init=False, compare=False)
    """The job's scripts without its finally scripts."""
    finals: tuple[Script, ...] = field(default=(), init=False, compare=False)
    """Its finally scripts, which run when its end is decided."""
    finally_stopped: bool = field(default=False, init=False)
    """Somebody stopped the finally scripts: none is started any more at this end."""
    rows: dict[str, Row] = field(default_factory=dict[str, Row], init=False)
    warm: frozenset[str] = field(default=frozenset(), init=False)
    """The scripts that succeeded in the running interpreter: its memory holds their work."""
    suspended: bool = field(default=False, init=False)
    """Whether its spec suspends it (`spec.suspend`)."""
    paused: events.JobPaused | None = field(default=None, init=False)
    """The pause that somebody asked for; with `after`, it takes effect after that script."""
    acted: tuple[str, ...] = field(default=(), init=False)
    """The ids of the latest actions that were done."""
    open_run: events.SessionOpened | None = field(default=None, init=False)
    """The session run that is open, if one is."""
    closing: JobResumed | JobUnpaused | None = field(default=None, init=False)
    """The resume or unpause that waits until the open run, which began before it, has ended."""
    again: frozenset[str] = field(default=frozenset(), init=False)
    """The scripts to run again even if the open run, from before `closing`, completes them."""
    run_ended_at: float | None = field(default=None, init=False)
    """When the latest run that ended was found to have ended, by the coordinator's clock."""
    # No event says of which definition things are: whoever stores the job keeps it.
    definition_number: int = field(default=1, init=False, compare=False)
    """Number of the present definition; the first is what the job was added with."""
    run_definition: int = field(default=1, init=False, compare=False)
    """Number of the definition that the plan of the open run was made of."""
    arguments: dict[int, Arguments] = field(
        default_factory=dict[int, Arguments], init=False, compare=False
    )
    """The arguments of scripts by the number of the definition, secrets hidden, where known."""
    progress: Progress | None = field(default=None, init=False, compare=False)
    """What an attempt said of its progress last, as whoever drives the job shows it."""
    runs: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """How many runs each session has had."""
    lost: dict[str, Losses] = field(default_factory=dict[str, Losses], init=False)
    """The runs that each session lost since the job started or was resumed."""
    started_at: float | None = field(default=None, init=False)
    resumed_at: float | None = field(default=None, init=False)
    standstill: Standstill = field(default=Standstill(), init=False)
    """The time since the job started or was resumed that does not count for the deadline."""
    ended_at: float | None = field(default=None, init=False)
    failure: events.JobFailed | None = field(default=None, init=False)
    resumes: int = field(default=0, init=False)
    cursors: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """The number of the last event that was applied, for each origin."""
    events: list[Event] = field(default_factory=list[Event], init=False)

    def __post_init__(self) -> None:
        check(self.scripts, self.sessions)
        self.rows = {script.name: Row() for script in self.scripts}
        self._index()

    def _index(self) -> None:
        self._positions = {script.name: i for i, script in enumerate(self.scripts)}
        self.main = tuple(script for script in self.scripts if not script.is_final)
        self.finals = self.scripts[len(self.main) :]
        self.arguments = {**self.arguments, self.definition_number: shown_arguments(self.scripts)}

    def copy(self: HistoryT) -> HistoryT:
        """Return a copy that can change without changing this job."""
        twin = copy(self)
        twin.rows, twin.runs, twin.lost = self.rows.copy(), self.runs.copy(), self.lost.copy()
        twin.cursors, twin.events = self.cursors.copy(), self.events.copy()
        return twin

    @property
    def definition(self) -> Definition:
        """The present scripts, sessions and deadline."""
        return Definition(self.scripts, self.sessions, self.deadline_seconds)

    def redefine(self, wanted: Definition | History) -> None:
        """Replace scripts, sessions and deadline; the names of scripts must be the same."""
        self.deadline_seconds = wanted.deadline_seconds
        if wanted.scripts is not self.scripts or wanted.sessions is not self.sessions:
            self.scripts, self.sessions = wanted.scripts, wanted.sessions
            self.definition_number += 1
            self._index()

    def redefined(self: HistoryT, definition: Definition) -> HistoryT:
        """Return a copy of this job, with its history, and with another definition."""
        twin = self.copy()
        twin.redefine(definition)
        return twin

    def script(self, name: str) -> Script:
        """Return the script of this name."""
        return self.scripts[self._positions[name]]

    def is_running(self, script: str, attempt: int) -> bool:
        """Whether this attempt of a script runs, as far as is known."""
        row = self.rows.get(script)
        return row is not None and (row.state, row.attempt) == (ScriptState.RUNNING, attempt)

    def progress_of(self, script: str) -> Progress | None:
        """Return the progress of a script that runs; of its earlier attempts nothing is left."""
        said = self.progress
        is_so = said and said.script == script and self.is_running(script, said.attempt)
        return said if is_so else None

    def place(self, name: str) -> str:
        """Return where the script stands: ``2 of 4``, or ``finally, 1 of 2``."""
        position, total = self._positions[name] + 1, len(self.main)
        if position <= total:
            return f"{position} of {total}"
        return f"finally, {position - total} of {len(self.finals)}"

    def session(self, name: str) -> Session:
        """Return the session of this name; a container script is one of its own.

        So are the finally scripts that name none.
        """
        of_finally = [session_of_finally(self.sessions[0])] if self.finals else []
        known = chain(self.sessions, of_finally, map(session_of_container, self.scripts))
        return next((session for session in known if session.name == name), Session(name))

    @property
    def outputs(self) -> dict[str, Output]:
        """The newest output of each script that has one."""
        return {name: row.output for name, row in self.rows.items() if row.output}

    @property
    def runs_finally(self) -> bool:
        """Whether the open session run is one of finally scripts."""
        started = self.open_run.scripts if self.open_run else ()
        return any(self.script(name).is_final for name in started)

    def is_done(self, name: str) -> bool:
        """Whether a resume need not run the script."""
        return going_on.is_done(self.script(name), self.rows[name])

    def is_over(self, name: str) -> bool:
        """Whether the script is done, or failed and the job goes on past it."""
        return going_on.is_over(self.script(name), self.rows[name])

    def resumed_rows(self, rows: Mapping[str, Row], from_script: str = "") -> dict[str, Row]:
        """Return the rows after a resume, where all from `from_script` on runs again."""
        begin = self._positions.get(from_script, len(rows))
        return {
            name: row.resumed(again=place >= begin or not self.is_done(name))
            if not self.script(name).is_final
            else row.anew()
            for place, (name, row) in enumerate(rows.items())
        }

    def apply(self, event: Event) -> None:
        """Change the job as an event says; an event that was applied before changes nothing.

        Raises GapInLog where an event of the same origin is missing before this one, and
        IllegalTransition where the event cannot happen now. Both leave the job unchanged.
        """
        have = self.cursors.get(event.origin, 0)
        if event.seq <= have:
            return
        if event.seq > have + 1:
            raise GapInLog(f"{event.origin} wrote event {event.seq}, but {have + 1} was never seen")
        transitions.check(event, self.state, self.open_run, self.rows)
        self._fold(event)
        self.cursors[event.origin] = event.seq
        self.events.append(event)

    def record(self, event: Event) -> None:
        """Apply a new event of this process, with the next `seq` of its origin."""
        seq = self.cursors.get(self.origin, 0) + 1
        self.apply(replace(event, origin=self.origin, seq=seq))

    def script_event(
        self, kind: type[ScriptEventT], script: str, attempt: int, at: float, **details: object
    ) -> ScriptEventT:
        """Return an event about one attempt, with the fields that all of them have."""
        is_final = self.script(script).is_final
        parameters, given = self.shown(script, attempt), self.given(script)
        return kind(
            at=at,
            script=script,
            number=self._positions[script] + 1 - (len(self.main) if is_final else 0),
            of=len(self.finals if is_final else self.main),
            is_final=is_final,
            attempt=attempt,
            parameters={**parameters, **given} if given else parameters,
            **details,  # type: ignore[arg-type]  # the kind's own fields
        )

    def shown(self, script: str, attempt: int) -> Mapping[str, object]:
        """Return the arguments that an attempt was started with, or will be, secrets hidden."""
        latest = self.rows[script].latest
        is_known = latest.number > 0 and attempt == latest.number
        number = latest.definition if is_known else self._definition_that_runs
        return self.arguments.get(number, {}).get(script, {})

    def given(self, script: str) -> dict[str, object]:
        """Return the arguments of a script that are outputs of others, as people may see them."""
        if not (needed := references(self.script(script).parameters)):
            return {}
        try:
            return secret.shown(handed(needed, self.outputs))
        except NoOutput:  # it is not called: its failure says what is missing
            return {}

    @property
    def _definition_that_runs(self) -> int:
        return self.run_definition if self.open_run else self.definition_number

    def _fold(self, event: Event) -> None:
        """Change the job as `event` says, which was checked to be possible now."""
        rule = RULES[type(event)]
        if isinstance(event, events.Asked) and event.action_id:
            self.acted = (*self.acted, event.action_id)[-ACTIONS_KEPT:]
        if isinstance(event, ScriptEvent):
            self.rows[event.script] = self._row_after(event, rule.script_then)
            if rule.script_then is ScriptState.SUCCEEDED:
                self.warm |= {event.script}
        elif rule.job_then:
            self._fold_job(event, rule.job_then)
        elif isinstance(event, events.SessionOpened):
            self.open_run, self.warm = event, frozenset()
            self.run_definition = self.definition_number
            self.runs[event.session] = self.runs.get(event.session, 0) + 1
            self.standstill = self.standstill.ended(event.at)
        elif isinstance(event, SessionEnded):
            self._fold_end(event)
        elif isinstance(event, events.InterpreterLost):
            self.warm = frozenset()
        elif isinstance(event, events.FinallyCancelled):
            self.finally_stopped = True

    def _row_after(self, event: ScriptEvent, state: ScriptState | None) -> Row:
        """Return the script's row after the event."""
        before = self.rows[event.script]
        if state is None:
            return before.asked(event)
        script = self.script(event.script)
        row = before.after(event, state, script.retries, self._definition_that_runs)
        if state is ScriptState.SUCCEEDED and script.checkpoint:
            row = replace(row, partial=checkpoint.is_partial(self.main, self.rows, script))
        if event.origin != COORDINATOR and (self.closing or self.again):  # a run of before a resume
            return row.told_late(before, again=event.script in self.again)
        return row

    def _fold_end(self, event: SessionEnded) -> None:
        """Close the open run; count it as lost if it has a cause, unless it had to end anyway."""
        is_before_finally = bool(self.finals) and self.state in ENDED and not self.runs_finally
        had_to_end = self.closing is not None or is_before_finally
        if self.open_run and event.cause and not had_to_end:
            before = self.lost.get(self.open_run.session)
            count = before.count + 1 if before else 1
            self.lost[self.open_run.session] = Losses(count, event.cause, event.at)
            for name in self.open_run.scripts:  # a retry that was forced waits after this loss
                self.rows[name] = replace(self.rows[name], retry_forced=False)
        self.open_run, self.run_ended_at, self.warm = None, event.at, frozenset()
        self.closing, self.again = None, frozenset()
        if self.state is JobState.SUSPENDED:
            self.standstill = self.standstill.begun(event.at)

    def _fold_job(self, event: Event, state: JobState) -> None:
        self._fold_pause(event)
        is_held = self.suspended or (self.paused is not None and not self.paused.after)
        if state is JobState.RUNNING and is_held:
            state = JobState.SUSPENDED
        elif state in (JobState.SUSPENDED, JobState.RUNNING) and not is_held:
            # Resumed without a start: it had been cancelled before.
            has_started = self.started_at is not None or self.state is JobState.RUNNING
            is_begin = isinstance(event, (events.JobStarted, JobResumed))
            state = JobState.RUNNING if has_started or is_begin else JobState.WAITING
        if state in ENDED and self.state not in ENDED:
            self.finally_stopped = False
            if self.finals:  # they have losses of their own
                self.lost = {}
        self.state = state
        self.ended_at = event.at if state in ENDED else None
        self.failure = event if isinstance(event, events.JobFailed) else None
        self._fold_deadline(event)
        if isinstance(event, (events.JobStarted, JobResumed)):
            # Resumed without a start: it had been cancelled before.
            self.started_at = self.started_at or event.at
        if self.open_run and isinstance(event, (JobResumed, JobUnpaused)):
            begin = event.from_script if isinstance(event, JobResumed) else ""
            if event.changed or isinstance(event, JobResumed):
                self.closing = event  # the open run began before it
                self.again |= checkpoint.outdated(self.main, event.changed, begin)
        if isinstance(event, JobResumed):
            # Failures and losses are counted anew. From `from_script` on all scripts run again.
            self.warm, self.lost = frozenset(), {}
            self.resumed_at, self.resumes = event.at, self.resumes + 1
            self.rows = self.resumed_rows(self.rows, event.from_script)

    def _fold_pause(self, event: Event) -> None:
        """Remember why the job is held: by its description, by somebody, or by both."""
        if isinstance(event, (events.JobSuspended, events.JobUnsuspended)):
            self.suspended = isinstance(event, events.JobSuspended)
        elif isinstance(event, events.JobPaused):
            self.paused = event
        elif isinstance(event, (JobUnpaused, JobResumed)):
            self.paused = None
        elif RULES[type(event)].job_then in ENDED:
            self.suspended, self.paused = False, None  # a resumed job may get new ones
            self.closing = None

    def _fold_deadline(self, event: Event) -> None:
        """Stop or reset the counting of time for the deadline; a session that opens starts it."""
        if isinstance(event, (events.JobStarted, JobResumed)):
            self.standstill = Standstill()
        if self.state is JobState.SUSPENDED and self.open_run is None:
            self.standstill = self.standstill.begun(event.at)
        elif self.state is not JobState.RUNNING:
            self.standstill = self.standstill.ended(event.at)
