"""Creates objects on the event loop, over connections that are kept.

Kubernetes Events come this way. They are most of what the operator sends; a call in a thread takes
several times as much of a processor, and aiohttp twice as much.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from http.client import responses

from kubernetes.client import Configuration

from enso_operator.api.document import Document
from enso_operator.blocking import MOST_AT_ONCE
from enso_operator.kube.api_session import server_of
from enso_operator.kube.client import DEADLINE_SECONDS, JSON, error_of
from enso_operator.kube.credentials import Credentials
from enso_operator.kube.http_connection import HttpConnection, NoHttp, Server
from job_execution_framework.domain.errors import NoAnswer

HEADERS = {"User-Agent": "enso-operator", "Accept": JSON, "Content-Type": JSON}
LONGEST_REST_SECONDS = 15.0
"""After this a connection is not used again: what stands between may have forgotten it."""


class ApiPosts:
    """Creates objects at one API server. Use and close it within one event loop."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._server: Server | None = None
        self._rested = deque[tuple[float, HttpConnection]]()
        """Connections that are not in use, and since when; the one that rests longest is first."""
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._credentials = Credentials(configuration)

    async def create(self, path: str, document: Document) -> None:
        """Create an object; raise Taken where the name exists, Refused and Unavailable."""
        async with self._turns:
            headers = HEADERS | await self._credentials.header()
            try:
                async with asyncio.timeout(DEADLINE_SECONDS):
                    status, said = await self._post(path, headers, json.dumps(document).encode())
            except (OSError, EOFError, NoHttp) as error:
                raise NoAnswer(f"the API server did not answer: {error!r}") from error
        if status // 100 != 2:  # noqa: PLR2004
            reason = responses.get(status, "")
            raise error_of("POST", status, reason, said.decode(errors="replace"))

    async def close(self) -> None:
        """Close the connections."""
        while self._rested:
            self._rested.pop()[1].close()

    async def _post(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        connection = self._rested_one() or await self._connect()
        try:
            answer = await connection.post(path, headers, body)
        except BaseException:
            connection.close()
            raise
        if connection.is_open:
            self._rested.append((asyncio.get_running_loop().time(), connection))
        else:
            connection.close()
        return answer

    def _rested_one(self) -> HttpConnection | None:
        oldest = asyncio.get_running_loop().time() - LONGEST_REST_SECONDS
        while self._rested and self._rested[0][0] < oldest:
            self._rested.popleft()[1].close()
        while self._rested:
            connection = self._rested.pop()[1]
            if connection.is_open:
                return connection
            connection.close()
        return None

    async def _connect(self) -> HttpConnection:
        if self._server is None:
            self._server = server_of(self._configuration)
        return await self._server.connect()
