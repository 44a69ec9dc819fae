"""How often a script that failed is started again, after which pause, and for which cause.

A script has a budget of retries for each cause that its `on_reasons` list, and one for all other
causes. A failure uses up one retry of one budget: that of the type of its exception, else that of
its reason, else that of all other causes. What another attempt does not mend is not retried, unless
`on_reasons` list it. The pause after the n-th failure of a budget is its
``backoff_seconds * factor ** (n - 1)``, at most `max_seconds`.
`domain.row` counts the failures, `domain.job` decides by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from job_execution_framework.domain.cause import Cause, Reason

LONG_PAUSE_SECONDS = 60
"""From this pause on a session ends meanwhile, so that no licence is held by a wait."""
LONGEST_PAUSE_SECONDS = 366 * 24 * 3600
LARGEST_FACTOR = 10
MOST_REASONS = 10
"""Causes of one script that have a budget of their own."""
LONGEST_REASON = 64
NOT_RETRIED = (
    Reason.NO_OUTPUT,
    Reason.SCRIPT_NOT_FOUND,
    Reason.NO_MAIN,
    Reason.BAD_PARAMETERS,
)
"""Causes that the next attempt would have, too: outputs, sources and arguments stay as they are.

A status counts by the places here (`Retries.of_reasons`): new ones stand at the end.
"""


@dataclass(frozen=True)
class Budget:
    """How often a script may fail for one cause and be started again, and after which pause."""

    reason: str
    """The reason of the failure, or the type of its exception; "" for all other causes."""
    limit: int = 0
    backoff_seconds: float = 0


@dataclass(frozen=True)
class Retries:
    """How often a script may fail and be started again (`limit`), and after which pause."""

    limit: int = 0
    backoff_seconds: float = 0
    factor: float = 1
    """By what each pause of a budget is longer than the one before it."""
    max_seconds: float | None = None
    """How long a pause is at most."""
    on_reasons: tuple[Budget, ...] = ()
    """Budgets for failures of these causes, which do not count against `limit`."""

    @property
    def of_reasons(self) -> tuple[Budget, ...]:
        """The budgets of single reasons; empty ones of what is listed nowhere and not retried."""
        listed = {budget.reason for budget in self.on_reasons}
        return (
            *self.on_reasons,
            *(Budget(reason) for reason in NOT_RETRIED if reason not in listed),
        )

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """All budgets; the last is that of all other causes."""
        return (*self.of_reasons, Budget("", self.limit, self.backoff_seconds))

    @property
    def most(self) -> int:
        """How often the script may be started again in all."""
        return self.limit + sum(budget.limit for budget in self.on_reasons)

    def reason_for(self, cause: Cause | None) -> str:
        """Return the reason of the budget that a failure uses up; "" for that of other causes."""
        if cause is None:
            return ""
        listed = {budget.reason for budget in self.on_reasons}
        kinds = (cause.error, cause.error.rpartition(".")[2], cause.reason)
        unlisted = cause.reason if cause.reason in NOT_RETRIED else ""
        return next((kind for kind in kinds if kind in listed), unlisted)

    def completed(self, reason: str, length: int) -> str:
        """Return the listed reason of which only the first `length` characters are known."""
        fitting = (on.reason for on in self.on_reasons if on.reason[:length] == reason)
        return next(fitting, reason)

    def budget(self, reason: str) -> Budget:
        """Return the budget of this reason; that of other causes where there is no such budget."""
        return next(b for b in self.budgets if b.reason in (reason, ""))

    def pause(self, reason: str, failures: int) -> float:
        """Return how long to wait after so many failures of a budget, in seconds."""
        longest = LONGEST_PAUSE_SECONDS if self.max_seconds is None else self.max_seconds
        seconds = self.budget(reason).backoff_seconds
        for _ in range(failures - 1):
            if seconds >= longest or self.factor == 1:
                break
            seconds *= self.factor
        return min(seconds, longest)


NO_RETRIES = Retries()


@dataclass(frozen=True)
class Spent:
    """How often a script failed for one of the reasons that have a budget of their own."""

    reason: str
    failures: int


def next_retry(number: int, limit: int, reason: str = "") -> str:
    """Return which retry of which budget comes next: ``retry 3 of 100 for LicenseUnavailable``."""
    return f"retry {number} of {limit}" + (f" for {reason}" if reason else "")


def more(spent: tuple[Spent, ...], reason: str) -> tuple[Spent, ...]:
    """Return `spent` with one more failure of this reason."""
    failures = {one.reason: one.failures for one in spent}
    failures[reason] = failures.get(reason, 0) + 1
    return tuple(Spent(*item) for item in sorted(failures.items()))


def counted(retries: Retries, failures: int, spent: tuple[Spent, ...]) -> dict[str, int]:
    """Return how many of all `failures` count for each budget, by its reason.

    Those of a reason that had a budget and has none any more count as for any other cause.
    """
    of_reason = {one.reason: one.failures for one in spent}
    counts = {budget.reason: of_reason.get(budget.reason, 0) for budget in retries.of_reasons}
    return {**counts, "": failures - sum(counts.values())}


def wrong_limits(retries: Retries) -> Iterator[str]:
    """Yield what is wrong, each to follow "script NAME: "."""
    numbers: list[tuple[str, float]] = [
        ("retries.limit", retries.limit),
        ("retries.backoffSeconds", retries.backoff_seconds),
        ("retries.maxSeconds", retries.max_seconds or 0),
    ]
    for budget in retries.on_reasons:
        place = f"retries.onReasons[{budget.reason}]"
        numbers += [
            (f"{place}.limit", budget.limit),
            (f"{place}.backoffSeconds", budget.backoff_seconds),
        ]
    for what, value in numbers:
        if value < 0:
            yield f"{what} is {value:g}, but must be positive"
    if not 1 <= retries.factor <= LARGEST_FACTOR:
        yield f"retries.factor is {retries.factor:g}, but must be from 1 to {LARGEST_FACTOR}"
    reasons = [budget.reason for budget in retries.on_reasons]
    if len(reasons) > MOST_REASONS:
        yield f"retries.onReasons has {len(reasons)} entries: use at most {MOST_REASONS}"
    for reason in dict.fromkeys(reasons):
        if not reason or len(reason) > LONGEST_REASON:
            yield (
                f"retries.onReasons has the reason {reason!r}: write the reason of a failure, or "
                f"the type of an exception, of at most {LONGEST_REASON} characters"
            )
        if reasons.count(reason) > 1:
            yield f"retries.onReasons has {reason} more than once: remove all but one"
