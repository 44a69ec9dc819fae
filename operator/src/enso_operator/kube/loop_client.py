"""A client of the API server that makes requests on the event loop, over connections it keeps.

Nearly all that the operator sends for a job goes this way.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import asynccontextmanager

import aiohttp
from kubernetes.client import ApiClient, Configuration

from enso_operator.api.document import Document
from enso_operator.blocking import MOST_AT_ONCE, MOST_OF_A_JOB, turn_of
from enso_operator.fair_turns import FairTurns
from enso_operator.kube.api_session import KeptSession
from enso_operator.kube.client import DEADLINE_SECONDS, JSON, accepted, no_answer
from enso_operator.kube.credentials import Credentials


class LoopClient(ApiClient):
    """The official client, also for calls of `on_loop`; these must be of one event loop."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)  # pyright: ignore[reportUnknownMemberType]
        self._host = configuration.host
        timeout = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
        self._http = KeptSession(configuration, timeout)
        self._credentials = Credentials(configuration)
        self._turns = FairTurns[asyncio.Future[None]](MOST_AT_ONCE, MOST_OF_A_JOB)
        self._posts = asyncio.Semaphore(MOST_AT_ONCE)

    async def create(self, path: str, document: Document) -> None:
        """Create an object; raise Taken where the name exists, Refused and Unavailable.

        Kubernetes Events come this way. They are most of what the operator sends, and have turns of
        their own: no job waits for those of another one.
        """
        async with self._posts:
            headers = {"Content-Type": JSON, **await self._credentials.header()}
            await self._ask("POST", self._host + path, json.dumps(document), headers)

    async def send(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str]
    ) -> bytes:
        """Return what the API server answers; raise the core's errors.

        Whoever is cancelled before its turn sends nothing. Later they wait for the answer all the
        same: what a request does must not happen after its job is looked at by somebody else.
        """
        async with self._turn(turn_of.get()):
            headers = {**headers, **await self._credentials.header()}
            return await _to_its_end(self._ask(method, url, body, headers))

    async def close_connections(self) -> None:
        """Close those of the event loop."""
        await self._http.close()

    async def _ask(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str]
    ) -> bytes:
        headers = {"Accept-Encoding": "identity", **headers}
        try:
            async with self._http.get().request(
                method, url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                data = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise no_answer(error) from error
        return accepted(method, answer.status, answer.reason or "", data)

    @asynccontextmanager
    async def _turn(self, job: str) -> AsyncGenerator[None]:
        turn = asyncio.get_running_loop().create_future()
        try:
            if not self._turns.ask(job, turn):
                await turn
            yield
        finally:
            if not self._turns.withdraw(job, turn):
                self._pass_on(job)

    def _pass_on(self, job: str) -> None:
        if following := self._turns.pass_on(job):
            _, turn = following
            if not turn.done():  # else whoever waited is being cancelled, and passes it on
                turn.set_result(None)


async def _to_its_end(request: Coroutine[None, None, bytes]) -> bytes:
    asked = asyncio.create_task(request)
    try:
        await asyncio.wait([asked])
    except asyncio.CancelledError:
        await asyncio.wait([asked])
        if not asked.cancelled():
            asked.exception()  # else Python complains that nobody has looked at it
        raise
    return asked.result()
