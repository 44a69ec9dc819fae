"""Failed calls about one Pod, which its `PodFollower` makes again later.

A loop as tenacity has it would block the follower, which meanwhile goes on and reports the cause.
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
    """The calls that fail now. `changed` is called after each try."""

    clock: Clock
    changed: Callable[[], None]

    @contextmanager
    def attempt(self, what: str) -> Generator[None]:
        """Make a call once; after a failure `due` has the time of the next try."""
        try:
            with waiting():
                yield
        except Unavailable as error:
            self.met(what, error, self.clock.now())
        else:
            self.passed(what)
        self.changed()

    def is_due(self, what: str) -> bool:
        """Whether the call has failed, and the time of its next try has come."""
        return 0 < self.until(what) <= self.clock.now()
