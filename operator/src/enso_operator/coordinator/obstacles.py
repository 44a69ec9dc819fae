"""What keeps a job from going on: since when, how often it was met, when it is tried again.

Whatever an actor tries, it tries again after a pause that grows, and meanwhile hears, commits and
lets deadlines pass.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from enso_operator.blocking import pause_of
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import NotYet, Unavailable

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
"""Before what did not work is tried again: the first time, and after many."""
PATIENCE_SECONDS = 10.0
"""So long it is nobody's business that something is not available. What is missing is told at once,
as somebody may have to bring it."""


@dataclass
class Obstacle:
    """Why one thing does not work."""

    cause: Cause
    since: float
    tell_at: float
    again_at: float
    tries: int = 1


@dataclass
class Obstacles:
    """What does not work now, by what was tried. Times are in seconds since the epoch."""

    _met: dict[str, Obstacle] = field(default_factory=dict[str, Obstacle], init=False)

    def met(self, trying: str, error: Unavailable, now: float) -> Obstacle:
        """Note that it did not work, once more."""
        before = self._met.get(trying)
        since, tries = (before.since, before.tries + 1) if before else (now, 1)
        tell_at = since if isinstance(error, NotYet) else since + PATIENCE_SECONDS
        again_at = now + pause_after(tries)
        if now < tell_at:  # it is told with a try, which must not be much later
            again_at = min(again_at, tell_at + pause_after(1))
        cause = Cause(error.reason or Reason.UNAVAILABLE, str(error))
        self._met[trying] = Obstacle(cause, since, tell_at, again_at, tries)
        return self._met[trying]

    def passed(self, trying: str) -> None:
        """Note that it worked, or is not to be tried any more."""
        self._met.pop(trying, None)

    def until(self, trying: str) -> float:
        """Return when it may be tried again."""
        return self._met[trying].again_at if trying in self._met else 0.0

    def reportable(self, now: float) -> Cause | None:
        """Return what has not worked for so long that people may have to do something."""
        return self.why(*(what for what, met in self._met.items() if now >= met.tell_at))

    def due(self) -> list[float]:
        """Return when anything is to be tried again."""
        return [obstacle.again_at for obstacle in self._met.values()]

    def why(self, *trying: str) -> Cause | None:
        """Return what has kept the job from these for the longest time."""
        met = [self._met[what] for what in trying if what in self._met]
        oldest = min(met, key=lambda obstacle: obstacle.since, default=None)
        return oldest.cause if oldest else None


def without_numbers(text: str) -> str:
    """Return what stays while only counts change, of a quota or of nodes without room."""
    return re.sub(r"\d[\w.]*", "#", text)


def is_same(cause: Cause | None, other: Cause | None) -> bool:
    """Whether people need not be told again."""
    return without_numbers(str(cause)) == without_numbers(str(other))


def pause_after(
    tries: int, shortest: float = SHORTEST_PAUSE_SECONDS, longest: float = LONGEST_PAUSE_SECONDS
) -> float:
    """Return a pause that grows, and that differs from one job to the next."""
    return pause_of(tries, shortest, longest) * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
