"""The credentials of many requests that are made on one event loop."""

from __future__ import annotations

import asyncio

from kubernetes.client import Configuration

from enso_operator.blocking import in_thread, turn_of
from enso_operator.kube.api_session import authorization
from enso_operator.kube.client import translating_errors
from job_execution_framework.domain.errors import Unavailable

LASTS_SECONDS = 1.0
"""How long credentials are used before they are asked for anew; a token may have been renewed."""

_TURN = "credentials"
"""In whose name they are asked for: whoever asked first may have had all the turns that it may."""


class Credentials:
    """Asks for the credentials of a configuration once for all who need them at that moment.

    A token is renewed before a request, perhaps by a program that takes its time, so the event loop
    does not wait for it. Use it within one event loop.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._header: dict[str, str] = {}
        self._until = 0.0
        self._asking: asyncio.Task[None] | None = None

    async def header(self) -> dict[str, str]:
        """Return the Authorization header, if there is one; raise Unavailable."""
        if asyncio.get_running_loop().time() >= self._until:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
            try:
                await asyncio.shield(self._asking)
            except Unavailable as error:  # each who waits for them may add a reason to its own
                raise Unavailable(str(error)) from error
        return self._header

    async def _ask(self) -> None:
        turn_of.set(_TURN)
        self._header = await in_thread(translating_errors(authorization), self._configuration)
        self._until = asyncio.get_running_loop().time() + LASTS_SECONDS
