"""Calls about one Pod that may not work now: its `PodFollower` makes them again later.

Not tenacity's loop: meanwhile the follower goes on, and people are told what does not work.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from enso_operator.coordinator.obstacles import Obstacles
from enso_operator.kube.client import waiting
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.service_layer.clock import Clock


@dataclass
class Retries(Obstacles):
    """What does not work now. `changed` is called after each try."""

    clock: Clock
    changed: Callable[[], None]

    @contextmanager
    def attempt(self, what: str) -> Generator[None]:
        """Try something once; where it does not work, `due` tells when to try again."""
        try:
            with waiting():
                yield
        except Unavailable as error:
            self.met(what, error, self.clock.now())
        else:
            self.passed(what)
        self.changed()

    def is_due(self, what: str) -> bool:
        """Whether something did not work, and it is time to try it once more."""
        return 0 < self.until(what) <= self.clock.now()
