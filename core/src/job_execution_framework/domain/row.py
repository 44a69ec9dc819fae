"""What is known of one script of a job: its attempts, whether it is done, the retries it has left.

`Job` keeps a row for each script; plans and the status of an EnsoJob carry them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from job_execution_framework.domain import events
from job_execution_framework.domain import retries as budgets
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.outputs import Output
from job_execution_framework.domain.retries import Retries, Spent

ATTEMPTS_KEPT = 10
"""How many earlier attempts a row remembers."""


class ScriptState(str, Enum):
    """The state of a script's latest attempt."""

    NOT_STARTED = "NotStarted"
    """No attempt has begun."""
    RUNNING = "Running"
    """An attempt has begun, and has not ended."""
    SUCCEEDED = "Succeeded"
    """`main` returned, or the container's exit code was 0."""
    FAILED = "Failed"
    """It failed for a known reason."""
    INTERRUPTED = "Interrupted"
    """It is not known how it ended."""
    SKIPPED = "Skipped"
    """Somebody skipped it: it counts as done, though it did not run."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Attempt:
    """One start of a script. Times are in seconds since the epoch."""

    number: int = 0
    state: ScriptState = ScriptState.NOT_STARTED
    started_at: float | None = None
    ended_at: float | None = None
    seconds: float = 0
    cause: Cause | None = None
    parameters: Mapping[str, object] | None = None
    """Its parameters as people may see them, secrets hidden; None where not kept."""
    definition: int = field(default=1, compare=False)
    """Number of the job's definition that it was started with; no event says it."""
    output_lost: str = field(default="", compare=False)
    """Why not all of its output is in the file that its session keeps; no status has it."""


@dataclass(frozen=True)
class Row:
    """One script's latest attempt, those before it, and what follows from them."""

    latest: Attempt = Attempt()
    earlier: tuple[Attempt, ...] = ()
    done: bool = False
    """The script need not run again. Stays true when a replay of the script fails."""
    succeeded: bool = False
    """The script is done because it ran, not because somebody skipped it."""
    failures: int = 0
    """Failed attempts since the job started or was last resumed."""
    spent: tuple[Spent, ...] = ()
    """How many of them used up a budget of a reason, by that reason."""
    budget: str = ""
    """The reason of the budget that the last of them used up; "" for that of all other causes."""
    partial: bool = False
    """It is a checkpoint that succeeded while a script before it in its session was not done, or
    failed in its replay: it vouches for nothing."""
    skip_requested: bool = False
    """Somebody wants the script skipped; the open session has not confirmed it yet."""
    retry_forced: bool = False
    """Somebody asked for the next attempt at once, without a pause."""
    output: Output | None = None
    """What it returned in its latest attempt that succeeded, which later scripts may be given."""

    @property
    def state(self) -> ScriptState:
        """The state of the latest attempt."""
        return self.latest.state

    @property
    def is_settled(self) -> bool:
        """Whether the script is not started any more, but perhaps to prepare for a later one."""
        return self.done or self.skip_requested

    @property
    def attempt(self) -> int:
        """The number of the latest attempt, 0 where there was none."""
        return self.latest.number

    def may_be_retried(self, retries: Retries) -> bool:
        """Whether the script may still be started again after a failure of its latest attempt."""
        if self.state is ScriptState.FAILED:  # the retry of this failure is still to come
            return not self.failed_for_good(retries)
        return max(self._left(retries)) > 0

    def failed_for_good(self, retries: Retries) -> bool:
        """Whether the script failed more often than it may be retried: it is not started again."""
        return min(self._left(retries)) < 0

    def _left(self, retries: Retries) -> list[int]:
        """Return of each budget how many retries it has left; negative where it is overdrawn."""
        counts = budgets.counted(retries, self.failures, self.spent)
        return [budget.limit - counts[budget.reason] for budget in retries.budgets]

    def budget_of(self, retries: Retries) -> tuple[budgets.Budget, int]:
        """Return the budget that the last failure used up, and how many failures used it up."""
        budget = retries.budget(self.budget)
        return budget, budgets.counted(retries, self.failures, self.spent)[budget.reason]

    def next_retry(self, retries: Retries) -> str:
        """Return which retry of which budget comes next, in words."""
        budget, failures = self.budget_of(retries)
        return budgets.next_retry(failures, budget.limit, budget.reason)

    def pause(self, retries: Retries) -> float:
        """Return how long its last failure makes it wait, in seconds; 0 where it did not fail."""
        if self.state is not ScriptState.FAILED or not self.failures or self.retry_forced:
            return 0
        budget, failures = self.budget_of(retries)
        return retries.pause(budget.reason, failures)

    def asked(self, event: events.ScriptEvent) -> Row:
        """Return the row after a request for the script: a skip or a forced retry."""
        if isinstance(event, events.ScriptRetryForced):
            return replace(self, retry_forced=True)
        if isinstance(event, events.SkipRequested):
            return replace(self, skip_requested=True)
        return self

    def may_start_at(self, retries: Retries, run_ended_at: float | None) -> float:
        """Return when it may be started again after a failure; 0 where nothing has to be awaited.

        Its pause begins with the end of its session run, where that has ended.
        """
        if not (pause := self.pause(retries)) or self.latest.ended_at is None:
            return 0
        return (self.latest.ended_at if run_ended_at is None else run_ended_at) + pause

    def after(
        self, event: events.ScriptEvent, state: ScriptState, retries: Retries, definition: int = 1
    ) -> Row:
        """Return the row after `event`, which brings the script into `state`.

        A new attempt is one of this `definition`. A failure uses up one of these `retries`.
        """
        latest, earlier = self.latest, self.earlier
        if event.attempt != latest.number:
            is_one = latest.number and self.has_attempt
            earlier = (*earlier, latest)[-ATTEMPTS_KEPT:] if is_one else earlier
            latest = Attempt(event.attempt, parameters=event.parameters, definition=definition)
        begins = state is ScriptState.RUNNING
        latest = replace(
            latest,
            state=state,
            started_at=event.at if begins else latest.started_at,
            ended_at=None if begins else event.at,
            seconds=getattr(event, "seconds", event.at - (latest.started_at or event.at)),
            cause=getattr(event, "cause", None),
            output_lost=getattr(event, "output_lost", ""),
        )
        succeeded, skipped = state is ScriptState.SUCCEEDED, state is ScriptState.SKIPPED
        spent, budget = self.spent, self.budget
        if state is ScriptState.FAILED:
            budget = retries.reason_for(latest.cause)
            spent = budgets.more(spent, budget) if budget else spent
        return Row(
            latest,
            earlier,
            done=self.done or succeeded or skipped,
            succeeded=succeeded or (self.succeeded and not skipped),
            failures=self.failures + (state is ScriptState.FAILED),
            spent=spent,
            budget=budget,
            partial=self.partial and not succeeded,
            skip_requested=self.skip_requested and not succeeded and not skipped,
            retry_forced=self.retry_forced and not begins and not skipped,
            output=self._output_after(event),
        )

    def _output_after(self, event: events.ScriptEvent) -> Output | None:
        if isinstance(event, events.ScriptSucceeded):
            return None if event.output is None else Output(event.output, event.attempt)
        return None if isinstance(event, events.ScriptSkipped) else self.output

    def resumed(self, *, again: bool) -> Row:
        """Return the row after a resume; `again` where the script has to run once more."""
        kept = not again
        return replace(
            self,
            failures=0,
            spent=(),
            budget="",
            done=self.done and kept,
            succeeded=self.succeeded and kept,
            output=self.output if kept else None,
            partial=self.partial and kept,
            skip_requested=False,
            retry_forced=False,
        )

    def anew(self) -> Row:
        """Return the row of a finally script once its job was resumed: it runs at the next end."""
        started = (self.latest,) if self.has_attempt else ()
        return Row(Attempt(self.attempt), (*self.earlier, *started)[-ATTEMPTS_KEPT:])

    @property
    def has_attempt(self) -> bool:
        """Whether its latest attempt is one that was started, or is counted as if it was."""
        return self.state is not ScriptState.NOT_STARTED

    def told_late(self, before: Row, *, again: bool) -> Row:
        """Return this row, which follows `before`, for an event of a run from before a resume.

        Its failures count no more; nor does its success where the script has to run once more.
        """
        done = self.done and (before.done or not again)
        return replace(
            self,
            failures=before.failures,
            spent=before.spent,
            budget=before.budget,
            done=done,
            succeeded=self.succeeded and done,
            output=self.output if done else None,
            skip_requested=before.skip_requested and not done,
        )

    def summary(self) -> Row:
        """Return the row without texts and earlier attempts, as plans carry it."""
        latest = replace(self.latest, cause=None, parameters=None, definition=1, output_lost="")
        return replace(self, latest=latest, earlier=())
