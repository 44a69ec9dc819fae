"""What the API server sends for as long as somebody listens: logs of containers, and watches.

The HTTP API reads them on its event loop, each as fast as it is taken: what a slow reader does not
take stays with the API server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from typing import Protocol

import aiohttp
from kubernetes.client import ApiClient, ApiException, Configuration

from enso_operator.blocking import in_thread
from enso_operator.kube.api_session import authorization, session_of
from enso_operator.kube.client import NoSuchObject, error_of, translating_errors
from enso_operator.kube.connection import configuration_of
from job_execution_framework.domain.errors import NoAnswer

PIECE_BYTES = 64 * 1024
"""Most bytes that are taken at once."""
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 600.0
"""A stream that says nothing for so long is taken for dead; whoever follows it opens another."""
_REFUSAL_BYTES = 64 * 1024
"""How much of a refusal is read."""


class Streams(Protocol):
    """Streams of a cluster. Each may raise NoSuchObject, Refused and Unavailable."""

    def log(
        self, namespace: str, pod: str, container: str, *, is_following: bool
    ) -> AsyncGenerator[bytes]:
        """Yield the log of a container from its start; its end proves nothing while following.

        Raises NoSuchObject also where the container has no log yet, or none any more.
        """
        ...


class ApiStreams:
    """Implements `Streams`. Each stream has a connection of its own, which ends with it."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    async def log(
        self, namespace: str, pod: str, container: str, *, is_following: bool
    ) -> AsyncGenerator[bytes]:
        """Yield the log of a container, in pieces."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        query = {"container": container} | ({"follow": "true"} if is_following else {})
        async for piece in self._pieces(path, query, "*/*", missing=_NO_LOG):
            yield piece

    async def _pieces(
        self, path: str, query: Mapping[str, str], accept: str, *, missing: tuple[int, ...] = ()
    ) -> AsyncGenerator[bytes]:
        """Yield what the API server sends; an answer of a code in `missing` is NoSuchObject."""
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS
        )
        # A token is renewed before a request, perhaps by a program that takes its time.
        headers = await in_thread(translating_errors(authorization), self._configuration)
        url = self._configuration.host + path
        try:
            async with (
                session_of(self._configuration, timeout) as http,
                http.get(url, params=query, headers={**headers, "Accept": accept}) as answer,
            ):
                if answer.status != HTTPStatus.OK:
                    await _refuse(answer, missing)
                async for piece in answer.content.iter_chunked(PIECE_BYTES):
                    yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(f"the API server did not answer: {error!r}") from error


def streams_of(client: ApiClient) -> ApiStreams:
    """Return the streams of the cluster that the client asks, with its credentials."""
    return ApiStreams(configuration_of(client))


_NO_LOG = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
"""How the API server says that a container has not started, or that its Pod is gone."""


async def _refuse(answer: aiohttp.ClientResponse, missing: tuple[int, ...]) -> None:
    """Raise the error for an answer other than 200."""
    text = (await answer.content.read(_REFUSAL_BYTES)).decode("utf-8", "replace")
    refused = ApiException(status=answer.status, reason=answer.reason)
    refused.body = text
    error = error_of(refused)
    if answer.status in missing:
        raise NoSuchObject(str(error)) from error
    raise error
