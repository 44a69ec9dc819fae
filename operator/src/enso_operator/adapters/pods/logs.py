"""Follows containers' logs: many at once, on the event loop, each line as it comes."""

from __future__ import annotations

import logging
from asyncio import sslproto
from collections.abc import AsyncIterator

import aiohttp
from kubernetes.client import Configuration

from enso_operator.adapters.api_session import authorization, session_of
from job_execution_framework.domain.errors import Unavailable


class NoLog(Unavailable):
    """There is no such container, or it has not started, or its log is gone."""


SILENCE_SECONDS = 30.0
"""Without a word, not even a heartbeat, for so long a stream is taken for dead."""
_CONNECT_SECONDS = 10.0
_log = logging.getLogger(__name__)
# asyncio fills a buffer of 256 KiB for each TLS connection. Each live job has one, which is silent
# most of the time: with a buffer of one TLS record 500 of them take 24 MiB instead of 143.
sslproto.SSLProtocol.max_size = 16 * 1024


class PodLogs:
    """Logs of one API server's Pods. To be used and closed within one event loop."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._http: aiohttp.ClientSession | None = None

    async def follow(self, namespace: str, pod: str, container: str) -> AsyncIterator[bytes]:
        """Yield each line of a container's log from its start, as long as the stream lasts.

        Its end tells nothing of the container's. Raises NoLog, and Unavailable.
        """
        url = f"{self._configuration.host}/api/v1/namespaces/{namespace}/pods/{pod}/log"
        query = {"container": container, "follow": "true"}
        rest = b""
        try:
            async with self._session().get(
                url, params=query, headers=authorization(self._configuration)
            ) as answer:
                if answer.status != 200:  # noqa: PLR2004  # 204 before a Pod is scheduled
                    if answer.status in (401, 403):
                        _log.warning("the API server does not let us read logs: %s", answer.status)
                    kind = NoLog if answer.status < 500 else Unavailable  # noqa: PLR2004
                    raise kind(f"the API server has no log: {answer.status}")
                async for chunk in answer.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        yield line
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the log cannot be read: {error!r}") from error

    async def close(self) -> None:
        """Give back the connections."""
        if self._http:
            await self._http.close()
        self._http = None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            timeout = aiohttp.ClientTimeout(
                total=None, sock_connect=_CONNECT_SECONDS, sock_read=SILENCE_SECONDS
            )
            self._http = session_of(self._configuration, timeout)
        return self._http
