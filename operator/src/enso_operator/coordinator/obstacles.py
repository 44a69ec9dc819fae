"""Calls that fail and keep a job from going on: since when, how often, when to try again.

A failed call is tried again after a growing pause. Meanwhile the actor still receives messages,
commits and respects deadlines.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from enso_operator.blocking import pause_of
from enso_operator.coordinator.turns import Queued, Turn
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import NotYet, Unavailable

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
"""Bounds of the pause before a failed call is tried again."""
PATIENCE_SECONDS = 10.0
"""How long a call must fail with Unavailable before people see it. NotYet (something is missing
that a person may have to add) is reported at once."""


@dataclass
class Obstacle:
    """Why one call fails."""

    cause: Cause
    since: float
    tell_at: float
    again_at: float
    """Infinite where its turn in a queue is waited for."""
    tries: int = 1
    turn: Turn | None = None

    def when_its_turn(self, call: Callable[[], None]) -> None:
        """Have the call be due, and this called, when its turn comes, if it waits for one."""
        if self.turn:
            self.turn.when_it_comes(partial(self._let, call))

    def _let(self, call: Callable[[], None]) -> None:
        self.again_at = 0.0
        call()

    def leave_queue(self) -> None:
        """Give up the turn in a queue, where there is one."""
        if self.turn:
            self.turn.leave()


@dataclass
class Obstacles:
    """The calls that fail now, by name. Times are in seconds since the epoch."""

    _met: dict[str, Obstacle] = field(default_factory=dict[str, Obstacle], init=False)

    def met(self, trying: str, error: Unavailable, now: float) -> Obstacle:
        """Record one more failure of a call."""
        before = self._met.get(trying)
        since, tries = (before.since, before.tries + 1) if before else (now, 1)
        tell_at = since if isinstance(error, NotYet) else since + PATIENCE_SECONDS
        again_at = now + pause_after(tries)
        if now < tell_at:  # only a try reports it: the next one must not be much after tell_at
            again_at = min(again_at, tell_at + pause_after(1))
        cause = Cause(error.reason or Reason.UNAVAILABLE, str(error))
        turn = error.turn if isinstance(error, Queued) else None
        if before:
            before.leave_queue()
        again_at = math.inf if turn else again_at
        self._met[trying] = Obstacle(cause, since, tell_at, again_at, tries, turn)
        return self._met[trying]

    def passed(self, trying: str) -> None:
        """Forget a call: it succeeded, or is not needed any more."""
        if met := self._met.pop(trying, None):
            met.leave_queue()

    def far_back(self, trying: str) -> Obstacle | None:
        """Return why a call fails that others in a queue make first, for a while to come."""
        met = self._met.get(trying)
        return met if met and met.turn and met.turn.is_far and met.again_at == math.inf else None

    def hand_over(self, trying: str) -> Obstacle:
        """Return why a call fails, and forget that without leaving its queue."""
        return self._met.pop(trying)

    def take_over(self, trying: str, obstacle: Obstacle) -> None:
        """Take what another one has handed over."""
        self._met[trying] = obstacle

    def until(self, trying: str) -> float:
        """Return when the call may be tried again; 0 where it has not failed.

        Infinite where its turn in a queue is waited for.
        """
        return self._met[trying].again_at if trying in self._met else 0.0

    def reportable(self, now: float) -> Cause | None:
        """Return the cause that has lasted so long that people should see it."""
        return self.why(*(what for what, met in self._met.items() if now >= met.tell_at))

    def is_reportable(self, cause: Cause, now: float) -> bool:
        """Whether a call fails for this very cause, for so long that people should see it."""
        return any(met.cause is cause and now >= met.tell_at for met in self._met.values())

    def due(self) -> list[float]:
        """Return the times at which failed calls are to be tried again."""
        times = (obstacle.again_at for obstacle in self._met.values())
        return [time for time in times if time < math.inf]

    def why(self, *trying: str) -> Cause | None:
        """Return the cause of the call, of these, that has failed for the longest time."""
        met = [self._met[what] for what in trying if what in self._met]
        oldest = min(met, key=lambda obstacle: obstacle.since, default=None)
        return oldest.cause if oldest else None


def without_numbers(text: str) -> str:
    """Replace numbers, so that messages that differ only in the counts of a quota are equal."""
    return re.sub(r"\d[\w.]*", "#", text)


def is_same(cause: Cause | None, other: Cause | None) -> bool:
    """Whether two causes are equal apart from numbers, so that the second is not news."""
    return without_numbers(str(cause)) == without_numbers(str(other))


def pause_after(
    tries: int, shortest: float = SHORTEST_PAUSE_SECONDS, longest: float = LONGEST_PAUSE_SECONDS
) -> float:
    """Return a growing pause in seconds with random jitter, so that jobs do not retry together."""
    return pause_of(tries, shortest, longest) * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
