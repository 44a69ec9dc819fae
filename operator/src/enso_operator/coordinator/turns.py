"""What a job waits for that others wait for, too: whose turn it is, not how late it is, decides.

Sessions raise `Queued` where they cannot be opened before that, and the actor tries again when its
turn has come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from job_execution_framework.domain.errors import NotYet


class Turn(Protocol):
    """A place in a queue, for one try."""

    @property
    def is_far(self) -> bool:
        """Whether nothing was asked for this job yet, as others ask first."""
        ...

    def when_it_comes(self, call: Callable[[], None]) -> None:
        """Have this called when the job may try; at once where that is so already."""
        ...

    def leave(self) -> None:
        """Give the place up, or the turn, if nothing came of it. This may be repeated."""
        ...


class Queued(NotYet):
    """Something that the job needs is given to others first."""

    def __init__(self, why: str, reason: str, turn: Turn) -> None:
        super().__init__(why, reason)
        self.turn = turn
