"""An event loop that does not wait: where it would wait for a timer, its time goes on at once.

Otherwise its time stands still, however slow the machine is.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Skipping(selectors.SelectSelector):
    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout:
            self.skipped += timeout
        return found


class SkippingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped


def run_skipping(story: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that uses no threads, without waiting for its timers."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(story)
