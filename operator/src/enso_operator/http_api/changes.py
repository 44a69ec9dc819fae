"""Who waits for changes of jobs; what looks for them runs once for all who wait, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from job_execution_framework.domain.errors import Unavailable

MOMENT_SECONDS = 0.5
"""Changes that come within this time are told as one."""
LINGER_SECONDS = 10.0
"""How long it is looked for changes after the last listener has left: who goes from page to page
comes back."""


@dataclass(eq=False)
class _Listener:
    job_id: str
    """The job whose changes are waited for; "" for those of all jobs."""
    is_told: asyncio.Event = field(default_factory=asyncio.Event)
    error: BaseException | None = None
    """Why nothing more will be told."""


class Changes:
    """Tells everybody who listens; both backends have one."""

    def __init__(self, watch: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """`watch` calls `tell`, first when it has begun; its error is that of all listeners."""
        self._watch = watch
        self._listeners = set[_Listener]()
        self._watching: asyncio.Task[None] | None = None
        self._before: asyncio.Task[None] | None = None
        """The watch that was stopped last, and may still be about to end."""
        self._is_closed = False
        self._lingers = True

    def tell(self, job_id: str = "") -> None:
        """Tell who listens to this job, or to all; without one, everybody."""
        for listener in self._listeners:
            if not job_id or listener.job_id in ("", job_id):
                listener.is_told.set()

    async def of(self, job_id: str = "") -> AsyncGenerator[None]:
        """Yield once, as something may have changed meanwhile, and then after each change."""
        if self._is_closed:
            raise _closed()
        listener = _Listener(job_id)
        self._listeners.add(listener)
        try:
            if self._watching is None:
                self._watching = asyncio.create_task(self._run())
            else:
                listener.is_told.set()
            while True:
                await listener.is_told.wait()
                if listener.error:
                    raise listener.error
                listener.is_told.clear()
                yield
                await asyncio.sleep(MOMENT_SECONDS)
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                seconds = LINGER_SECONDS if self._lingers else 0
                asyncio.get_running_loop().call_later(seconds, self._stop_if_alone)

    def retire(self) -> None:
        """Look for changes no longer than somebody listens: nobody will come back."""
        self._lingers = False
        self._stop_if_alone()

    async def aclose(self) -> None:
        """Stop at once, for good; who listens, or begins to, is told so."""
        self._is_closed = True
        self._end(_closed())
        tasks = [task for task in (self._watching, self._before) if task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _stop_if_alone(self) -> None:
        if self._watching and not self._listeners:
            self._watching.cancel()
            self._before, self._watching = self._watching, None

    async def _run(self) -> None:
        if self._before:
            await asyncio.wait([self._before])
        try:
            await self._watch()
        except Exception as error:  # noqa: BLE001  # who listens raises it
            self._watching = None
            self._end(error)

    def _end(self, error: Exception) -> None:
        listeners, self._listeners = self._listeners, set[_Listener]()
        for listener in listeners:
            listener.error = error
            listener.is_told.set()


def _closed() -> Unavailable:
    return Unavailable("this server tells of no more changes: it is about to stop")
