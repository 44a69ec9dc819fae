"""What the API server sends for as long as somebody listens: logs of containers, and watches.

They are read on an event loop, each as fast as it is taken: what a slow reader does not take stays
with the API server. The HTTP API shows logs and tables so, and the operator watches with `events`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from http import HTTPStatus
from typing import Protocol

import aiohttp
from kubernetes.client import ApiClient, Configuration

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.blocking import in_thread
from enso_operator.kube import json_reader
from enso_operator.kube.api_session import authorization, session_of
from enso_operator.kube.client import TABLE, NoSuchObject, error_of, path_of, translating_errors
from enso_operator.kube.connection import configuration_of
from job_execution_framework.domain.errors import EnsoError, NoAnswer, Unavailable

PIECE_BYTES = 64 * 1024
"""Most bytes that are taken at once."""
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS, _WATCH_SILENCE_SECONDS = 600.0, 70.0
"""A stream that says nothing for so long is taken for dead; whoever follows it opens another. Of a
watch there is a bookmark each minute."""
_WATCH_SECONDS = 300
"""How long a watch lasts; then the API server looks anew whether the caller may still watch."""
_LONGEST_EVENT_BYTES = 8 * 1024 * 1024
"""No object is longer."""
_REFUSAL_BYTES = 64 * 1024
"""How much of a refusal is read."""


class WatchExpired(EnsoError):
    """What happened since that version is forgotten, or cannot be read: list anew."""


class Streams(Protocol):
    """Streams of a cluster. Each may raise NoSuchObject, Refused and Unavailable."""

    def log(
        self, namespace: str, pod: str, container: str, *, is_following: bool
    ) -> AsyncGenerator[bytes]:
        """Yield the log of a container from its start; its end proves nothing while following.

        Raises NoSuchObject also where the container has no log yet, or none any more.
        """
        ...

    def table_changes(self, namespace: str, plural: str, version: str) -> AsyncGenerator[Document]:
        """Yield the events of a watch whose objects are tables; it ends now and then.

        A bookmark's only says which version has been reached. Raises WatchExpired.
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
        answer = self._pieces(path, query, "*/*", _NO_LOG, _SILENCE_SECONDS)
        async with aclosing(answer) as pieces:
            async for piece in pieces:
                yield piece

    async def table_changes(
        self, namespace: str, plural: str, version: str
    ) -> AsyncGenerator[Document]:
        """Yield the events of a watch of a kind of ours."""
        path = path_of(namespace, plural, API_VERSION)
        query = {"timeoutSeconds": str(_WATCH_SECONDS)}
        async with aclosing(self.events(path, version, query, TABLE)) as events:
            async for event in events:
                yield event

    async def events(
        self, path: str, version: str, query: Mapping[str, str], accept: str
    ) -> AsyncGenerator[Document]:
        """Yield the events of a watch from a version on, cut where they are nested too deeply.

        Its end is no error, and a connection that is lost NoAnswer. Raises WatchExpired.
        """
        rest, expired = b"", (HTTPStatus.GONE,)
        begin = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
        try:
            answer = self._pieces(path, begin | {**query}, accept, expired, _WATCH_SILENCE_SECONDS)
            async with aclosing(answer) as pieces:
                async for piece in pieces:
                    *lines, rest = (rest + piece).split(b"\n")
                    for line in lines:
                        yield _event(line)
                    if len(rest) > _LONGEST_EVENT_BYTES:
                        raise WatchExpired("an event of the watch is too long")
        except NoSuchObject as error:
            raise WatchExpired(str(error)) from error

    async def _pieces(
        self,
        path: str,
        query: Mapping[str, str],
        accept: str,
        missing: tuple[int, ...],
        silence_seconds: float,
    ) -> AsyncGenerator[bytes]:
        """Yield what the API server sends; an answer of a code in `missing` is NoSuchObject."""
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=silence_seconds
        )
        # A token is renewed before a request, perhaps by a program that takes its time.
        headers = await in_thread(translating_errors(authorization), self._configuration)
        url = self._configuration.host + path
        try:
            async with (
                session_of(self._configuration, timeout) as http,
                http.get(url, params=query, headers={**headers, "Accept": accept}) as answer,
            ):
                try:
                    if answer.status != HTTPStatus.OK:
                        await _refuse(answer, missing)
                    async for piece in answer.content.iter_chunked(PIECE_BYTES):
                        yield piece
                finally:  # at once: TLS would wait for the API server's goodbye
                    if answer.connection and answer.connection.transport:
                        answer.connection.transport.abort()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(f"the API server did not answer: {error!r}") from error


def streams_of(client: ApiClient) -> ApiStreams:
    """Return the streams of the cluster that the client asks, with its credentials."""
    return ApiStreams(configuration_of(client))


_NO_LOG = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
"""How the API server says that a container has not started, or that its Pod is gone."""


def _event(line: bytes) -> Document:
    """Return an event of a watch; raise WatchExpired where one must list anew."""
    try:
        event: Document = json_reader.loads_cut(line)
        kind, found = str(event["type"]), event["object"]
    except (ValueError, KeyError, TypeError) as error:
        raise WatchExpired("the watch was cut off") from error
    if kind == "ERROR":
        raise _error_in(found)
    return event


def _error_in(status: Document) -> EnsoError:
    """Return the error for what an API server says in the middle of a watch."""
    said = str(status.get("message"))
    if status.get("code") == HTTPStatus.GONE:
        return WatchExpired(said)
    return Unavailable(f"the API server broke the watch off: {said}")


async def _refuse(answer: aiohttp.ClientResponse, missing: tuple[int, ...]) -> None:
    """Raise the error for an answer other than 200."""
    text = (await answer.content.read(_REFUSAL_BYTES)).decode("utf-8", "replace")
    error = error_of("GET", answer.status, answer.reason or "", text)
    if answer.status in missing:
        raise NoSuchObject(str(error)) from error
    raise error
