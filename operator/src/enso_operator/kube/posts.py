"""Creates objects on the event loop, over connections that are kept.

Kubernetes Events come this way. They are most of what the operator sends, and a call in a thread
takes several times as much of a processor.
"""

from __future__ import annotations

import asyncio

import aiohttp
from kubernetes.client import Configuration

from enso_operator.api.document import Document
from enso_operator.blocking import MOST_AT_ONCE
from enso_operator.kube.api_session import session_of
from enso_operator.kube.client import DEADLINE_SECONDS, error_of
from enso_operator.kube.credentials import Credentials
from job_execution_framework.domain.errors import NoAnswer


class ApiPosts:
    """Creates objects at one API server. Use and close it within one event loop."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._http: aiohttp.ClientSession | None = None
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._credentials = Credentials(configuration)

    async def create(self, path: str, document: Document) -> None:
        """Create an object; raise Taken where the name exists, Refused and Unavailable."""
        url = self._configuration.host + path
        async with self._turns:
            headers = await self._credentials.header()
            try:
                async with self._session().post(
                    url, json=document, headers=headers, allow_redirects=False
                ) as answer:
                    said = await answer.text(errors="replace")
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise NoAnswer(f"the API server did not answer: {error!r}") from error
        if answer.status // 100 != 2:  # noqa: PLR2004
            raise error_of("POST", answer.status, answer.reason or "", said)

    async def close(self) -> None:
        """Close the connections."""
        if self._http:
            await self._http.close()
        self._http = None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
            self._http = session_of(self._configuration, timeout)
        return self._http
