"""Follows containers' logs: many at once, on the event loop, lines as they come."""

from __future__ import annotations

import json
from asyncio import sslproto
from collections.abc import AsyncGenerator
from http import HTTPStatus

import aiohttp
from kubernetes.client import Configuration

from enso_operator.kube.api_session import KeptSession
from enso_operator.kube.credentials import Credentials
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.service_layer.record_line import Lines


class NoLog(Unavailable):
    """There is no such container, or it has not started, or its log is gone.

    A refused or postponed request is another error: it says nothing of the log.
    """


SILENCE_SECONDS = 30.0
"""A stream without data, not even a heartbeat, for so long is taken for dead."""
PIECE_BYTES = 16 * 1024
"""Most bytes of a log that are processed at once, as that blocks the event loop."""
_CONNECT_SECONDS = 10.0
_NO_LOG = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
_SAID_BYTES = 4096
"""Most bytes of a refusal that are read."""


def buffer_little_of_tls() -> None:
    """Make asyncio use a read buffer of one TLS record for each connection of this process.

    The default is 256 KiB. Each live job has a connection that is idle most of the time: 500 of
    them take 24 MiB instead of 143.
    """
    sslproto.SSLProtocol.max_size = 16 * 1024


class PodLogs:
    """Reads logs of one API server's Pods. Use and close it within one event loop."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._credentials = Credentials(configuration)
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=SILENCE_SECONDS
        )
        self._http = KeptSession(configuration, timeout)

    async def follow(self, namespace: str, pod: str, container: str) -> AsyncGenerator[list[bytes]]:
        """Yield the lines of a container's log from its start, as long as the stream lasts.

        Lines that arrive together are yielded together; a line longer than a record may come in
        parts (see `Lines`). The end of the stream does not mean the end of the container. Raises
        NoLog and Unavailable.
        """
        url = f"{self._configuration.host}/api/v1/namespaces/{namespace}/pods/{pod}/log"
        query = {"container": container, "follow": "true"}
        lines = Lines()
        headers = await self._credentials.header()
        try:
            async with self._http.get().get(url, params=query, headers=headers) as answer:
                if answer.status != HTTPStatus.OK:
                    kind = NoLog if answer.status in _NO_LOG else Unavailable
                    raise kind(f"the API server answers {answer.status}: {await _said(answer)}")
                async for piece in answer.content.iter_chunked(PIECE_BYTES):
                    yield lines.of(piece)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the log cannot be read: {error!r}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


async def _said(answer: aiohttp.ClientResponse) -> str:
    """Return the message of the API server's answer, or the start of its text."""
    text = (await answer.content.read(_SAID_BYTES)).decode("utf-8", "replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text or str(answer.reason)
