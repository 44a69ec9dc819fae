"""aiohttp sessions for the API server, with the configuration of the official client.

kopf watches with one, followed logs are read with one, and `LoopClient` asks with one.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from kubernetes.client import Configuration
from kubernetes.client.rest import should_bypass_proxies

from enso_operator.kube import json_reader
from job_execution_framework.service_layer import bounded_json

NO_TIMEOUT = aiohttp.ClientTimeout(total=None)


def session_of(
    configuration: Configuration,
    timeout: aiohttp.ClientTimeout = NO_TIMEOUT,
    response_class: type[aiohttp.ClientResponse] = aiohttp.ClientResponse,
) -> aiohttp.ClientSession:
    """Return a session of the running loop, without an upper limit of connections."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=_trust(configuration)),
        proxy=_proxy(configuration),
        timeout=timeout,
        response_class=response_class,
    )


class KeptSession:
    """A session of one event loop, which is made where it is needed and kept until it is closed."""

    def __init__(self, configuration: Configuration, timeout: aiohttp.ClientTimeout) -> None:
        self._configuration, self._timeout = configuration, timeout
        self._http: aiohttp.ClientSession | None = None

    def get(self) -> aiohttp.ClientSession:
        """Return the session, a new one after a `close`."""
        if self._http is None:
            self._http = session_of(self._configuration, self._timeout)
        return self._http

    async def close(self) -> None:
        """Close its connections."""
        http, self._http = self._http, None  # whoever asks meanwhile gets another one
        if http:
            await http.close()


def authorization(configuration: Configuration) -> dict[str, str]:
    """Return the Authorization header; a token that is about to expire is renewed first."""
    token = configuration.get_api_key_with_prefix("BearerToken")
    basic = configuration.get_basic_auth_token() if configuration.username else None
    return {"Authorization": str(token or basic)} if token or basic else {}


def _proxy(configuration: Configuration) -> str | None:
    """Return the proxy: a kubeconfig's, or the environment's (HTTPS_PROXY, NO_PROXY)."""
    if should_bypass_proxies(configuration.host, configuration.no_proxy or ""):
        return None
    return configuration.proxy or None


def _trust(configuration: Configuration) -> ssl.SSLContext | bool:
    if not configuration.host.startswith("https"):
        return True
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if not configuration.verify_ssl:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context


class BoundedResponse(aiohttp.ClientResponse):
    """An answer without what is nested too deeply for whoever parses, copies or compares it.

    The API server stores 10,000 levels; kopf breaks at some hundred, for every object of a watch.
    """

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Begin; the body may be read as an answer, with `json`, or as a watch, in chunks."""
        await super().start(connection)
        self.content = _WholeLines(self.content)  # type: ignore[assignment]
        return self

    async def json(
        self,
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] = json_reader.loads_cut,
        content_type: str | None = "application/json",
    ) -> Any:  # noqa: ANN401  # as the method that it overrides
        """Return the body's document, cut where it is too deep."""
        return await super().json(encoding=encoding, loads=loads, content_type=content_type)


class _WholeLines:
    """A body whose chunks are whole lines, each a document that is cut where it is too deep."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    def __getattr__(self, name: str) -> object:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Yield lines as they come; the last may lack its newline."""
        parts: list[bytes] = []
        async for chunk in self._content.iter_chunked(size):
            *lines, rest = chunk.split(b"\n")
            for line in lines:
                yield bounded_json.cut(b"".join([*parts, line])) + b"\n"
                parts = []
            parts.append(rest)
        if last := b"".join(parts):
            yield bounded_json.cut(last)
