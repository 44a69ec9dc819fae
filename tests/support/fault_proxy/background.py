"""An event loop in a thread of its own, so that tests can be plain functions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from tests.support.eventually import DEADLINE_SECONDS

T = TypeVar("T")
ROUNDS = 10


class Background:
    """The event loop's thread: other threads give it work and wait for the result."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        """`failed` is called with errors of tasks whose result nobody waits for."""
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(
            lambda _, context: failed(context.get("exception") or RuntimeError(context["message"]))
        )
        # A daemon, so that a test run ends even if this thread hangs.
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(DEADLINE_SECONDS)

    def call(self, function: Callable[[], T]) -> T:
        async def calling() -> T:
            return function()

        return self.run(calling())

    def stop(self) -> None:
        """Cancel what still runs, wait for threads that it started, and end the loop."""
        self.run(self._wind_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_SECONDS)
        self._loop.close()

    async def _wind_up(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # A TLS shutdown that is under way would outlive the loop and be reported as a leak.
        left: Mapping[int, asyncio.BaseTransport] = vars(self._loop)["_transports"]
        for transport in [*left.values()]:
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
        for _ in range(ROUNDS):  # it is closed in one of the loop's next rounds
            await asyncio.sleep(0)
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()
