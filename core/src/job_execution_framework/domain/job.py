"""The job: a history that also decides; `next` says what happens now, `obey` does what people ask.

Everything that can happen to a job is an event, and only `apply` (`domain.history`) changes it.
Only `next` says what should happen now. The same class decides in three places: in the
coordinator, which opens sessions; inside a session, which starts only the scripts of its plan; and
in a single process, which starts all scripts. `service_layer.services` calls it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Protocol

from job_execution_framework.domain import checkpoint
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import InvalidAction
from job_execution_framework.domain.events import COORDINATOR
from job_execution_framework.domain.final import JobEnd, applies, has_failed
from job_execution_framework.domain.going_on import failed, is_past
from job_execution_framework.domain.history import History
from job_execution_framework.domain.losses import interrupted_script
from job_execution_framework.domain.retries import LONG_PAUSE_SECONDS
from job_execution_framework.domain.row import Row, ScriptState
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.steps import Finish, Open, Start, Step, Wait
from job_execution_framework.domain.transitions import ENDED, JobState


class Action(Protocol):
    """What somebody asks of a job; see `domain.action.Action`."""

    def why_not(self, job: Job) -> str: ...  # noqa: D102
    def do(self, job: Job, at: float) -> None: ...  # noqa: D102


@dataclass
class Job(History):
    """An ordered list of scripts, what happened to them, and what should happen next.

    Raises InvalidJob where the scripts and sessions do not make a job.
    """

    # Actions of people.

    def why_not(self, action: Action) -> str:
        """Return why an action is not possible now, as a sentence; empty if it is possible."""
        why = action.why_not(self)
        return f"job {self.id} {why}" if why else ""

    def obey(self, action: Action, at: float) -> None:
        """Do an action. Raises InvalidAction, and changes nothing, where it is not possible."""
        if why := self.why_not(action):
            raise InvalidAction(why)
        action.do(self, at)

    # Deciding what happens next.

    def next(self, now: float) -> Step:
        """Return what should happen at `now` (seconds since the epoch)."""
        if self.state in ENDED:
            return self._clean_up(now)
        deadline = self.deadline
        if deadline is not None and now >= deadline:
            goal = self.goal
            where = goal and f", at {goal.name}"
            message = f"the job took longer than its {self.deadline_seconds:g} s{where or ''}"
            return Finish(Cause(Reason.DEADLINE_EXCEEDED, message))
        if self.state in (JobState.NEW, JobState.WAITING):
            return Wait()
        if self.may_start is None and self.open_run:
            return Wait(deadline)
        step = self._advance(now)
        if self.state is JobState.SUSPENDED and not isinstance(step, Finish):
            return Wait(deadline)
        if isinstance(step, Wait) and step.until and deadline:
            return Wait(min(step.until, deadline))
        return step

    @property
    def deadline(self) -> float | None:
        """When the job will have taken too long, in seconds since the epoch; None for never."""
        since = self.resumed_at or self.started_at
        if self.state in ENDED:
            return None
        if self.origin != COORDINATOR or self.deadline_seconds is None or since is None:
            return None
        if self.standstill.since is not None:
            return None
        return since + self.deadline_seconds + self.standstill.seconds

    @property
    def goal(self) -> Script | None:
        """The script to go on with; None where there is none."""
        if self.state in ENDED:
            return next(iter(self.finally_to_come()), None)
        return checkpoint.first_undone(self.main, self.rows)

    def to_come(self) -> list[Script]:
        """Return what a fresh interpreter runs from here on to the job's end, in order."""
        return checkpoint.to_come(self.main, self._rows_to_come())

    def _rows_to_come(self) -> dict[str, Row]:
        """Return the rows as they are once scripts are skipped that shall be, and after a resume.

        Only a resume of a job that has ended lets anything come.
        """
        rows = {
            name: replace(row, done=True) if row.skip_requested else row
            for name, row in self.rows.items()
        }
        return self.resumed_rows(rows) if self.state in ENDED else rows

    def _advance(self, now: float) -> Step:
        """Return the next step towards the first script that is not done."""
        scripts, may_start = self.main, self.may_start
        if may_start is not None and len(may_start) < len(self.scripts):
            scripts = tuple(script for script in self.scripts if script.name in may_start)
        goal = checkpoint.first_undone(scripts, self.rows)
        if goal is None:
            return self._first_failure() or Finish()
        ahead = [goal]
        if not self.warm.issuperset(islice(self.rows, self._positions[goal.name])):
            replay = checkpoint.to_replay(self.main, self.rows, goal)
            ahead = [script for script in replay if script.name not in self.warm] + ahead
        for script in ahead:
            if failure := self.failure_at(script):
                return failure
        if any(self.rows[script.name].state is ScriptState.RUNNING for script in ahead):
            return Wait()
        if may_start is not None and any(script.name not in may_start for script in ahead):
            return Wait()  # a checkpoint failed in its replay: the next run begins before it
        pause = max(self._may_open_at(goal), *map(self._may_start_at, ahead))
        if now < pause:
            return Wait(None if self._leaves_waiting(ahead, now) else pause)
        if self.may_start is None:
            return self._open(checkpoint.to_run(self.main, self.rows, goal))
        return Start(ahead[0].name, self.rows[ahead[0].name].attempt + 1)

    def _open(self, plan: list[Script]) -> Open:
        session = plan[0].session
        run = f"{session}-{self.runs.get(session, 0) + 1}"
        return Open(run, session, tuple(script.name for script in plan))

    # The finally scripts.

    @property
    def finished(self) -> bool:
        """The job has ended, its finally scripts are over, and nothing of it runs any more."""
        return self.state in ENDED and self.open_run is None and not self.finally_to_come()

    @property
    def finished_at(self) -> float | None:
        """When it finished; `ended_at` is when its end was decided."""
        if not self.finished or self.ended_at is None:
            return None
        return max(self.ended_at, self.events[-1].at)

    @property
    def cleans_up(self) -> bool:
        """Whether the job's end is decided, and its finally scripts are not over."""
        return self.state in ENDED and (self.runs_finally or bool(self.finally_to_come()))

    @property
    def outcome(self) -> JobState:
        """The job's state; of one that fails only for a finally script that of before."""
        failure = self.failure
        is_final = failure and failure.script and self.script(failure.script).is_final
        return JobState.SUCCEEDED if is_final else self.state

    @property
    def end(self) -> JobEnd:
        """What finally scripts find out about the job's end."""
        if self.outcome not in ENDED:
            return JobEnd()
        failure = self.failure if self.outcome is JobState.FAILED else None
        if failure is None:
            return JobEnd(str(self.outcome))
        return JobEnd(str(self.outcome), failure.script, failure.cause.reason)

    def finally_to_come(self) -> list[Script]:
        """Return the finally scripts that are not over, of a job whose end is decided."""
        if self.state not in ENDED or self.finally_stopped:
            return []
        return [
            script
            for script in self.finals
            if applies(script, self.outcome)
            and not self.rows[script.name].done
            and not self._final_failed(script)
        ]

    def failed(self) -> list[Script]:
        """Return the scripts that failed for good, finally scripts among them, in order."""
        finals = [script for script in self.finals if self._final_failed(script)]
        return failed(self.main, self.rows) + (finals if self.state in ENDED else [])

    def _final_failed(self, script: Script) -> bool:
        lost, session = self.lost.get(script.session), self.session(script.session)
        return has_failed(script, self.rows[script.name], lost, session)

    def _clean_up(self, now: float) -> Step:
        """Return the next step of a job whose end is decided."""
        if self.may_start is None and self.open_run:
            return Wait()
        scripts = self.finally_to_come()
        if not scripts:
            return self._failure_of_finally() or Wait()
        goal = scripts[0]
        pause = max(self._may_open_at(goal), self._may_start_at(goal))
        if now < pause:
            return Wait(None if self._leaves_waiting([goal], now) else pause)
        if self.may_start is None:
            together = takewhile(lambda script: script.session == goal.session, scripts)
            return self._open([*together])
        return Start(goal.name, self.rows[goal.name].attempt + 1)

    def _failure_of_finally(self) -> Finish | None:
        """Return the end of a job that succeeded, and whose finally scripts did not."""
        names = [script.name for script in self.finals if self._final_failed(script)]
        if not names or self.state is not JobState.SUCCEEDED or self.finally_stopped:
            return None
        return Finish(self.rows[names[0]].latest.cause or Cause(Reason.SESSION_LOST), names[0])

    def failure_at(self, script: Script) -> Finish | None:
        """Return the end of the job as failed if `script` may not be started again, else None."""
        row = self.rows[script.name]
        if row.failed_for_good(script.retries) and not is_past(script, row):
            cause = row.latest.cause or Cause(Reason.SESSION_LOST)
            return self._first_failure() or Finish(cause, script.name)
        lost = self.lost.get(script.session)
        if lost and lost.exceed(self.session(script.session)):
            at = interrupted_script(self.main, self.rows, script.session)
            return Finish(lost.cause, at or script.name)
        return None

    def _leaves_waiting(self, ahead: list[Script], now: float) -> bool:
        """Whether a session ends here, because one of its scripts is to wait for long."""
        return self.origin != COORDINATOR and any(
            self.rows[script.name].pause(script.retries) >= LONG_PAUSE_SECONDS
            and self._may_start_at(script) > now
            for script in ahead
        )

    def _first_failure(self) -> Finish | None:
        """Return the end of the job as failed at the first script that failed for good, if any."""
        for script in failed(self.main, self.rows):
            cause = self.rows[script.name].latest.cause
            return Finish(cause or Cause(Reason.SESSION_LOST), script.name)
        return None

    def _may_open_at(self, goal: Script) -> float:
        """Return when the session of `goal`, where it was lost, may be opened again."""
        lost = self.lost.get(goal.session)
        if lost is None or self.rows[goal.name].retry_forced:
            return 0
        return lost.at + self.session(goal.session).lost_backoff_seconds

    def _may_start_at(self, script: Script) -> float:
        """Return when a script that failed may be started again."""
        # The session's clock may differ from ours.
        run_ended_at = self.run_ended_at if self.may_start is None else None
        return self.rows[script.name].may_start_at(script.retries, run_ended_at)
