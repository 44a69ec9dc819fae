"""The real API server, as the proxy sees it: TLS, and the identity of its kubeconfig."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import yaml
from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

_OF_ONE_CONNECTION = {
    "connection",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_OF_THE_BODY_AS_SENT = {"content-encoding", "content-length"}
"""The body of a request was decoded when it was read."""
_LEAVE_SECONDS = 5.0
_ADDED_UNASKED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class Upstream:
    """Sends requests to the server that a kubeconfig names, and leaves its answers as they are."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        tls = ssl.create_default_context(cafile=cluster["certificate-authority"])
        tls.load_cert_chain(user["client-certificate"], user["client-key"])
        self._server: str = cluster["server"]
        self._asking: set[asyncio.Task[ClientResponse]] = set()
        self._connector = TCPConnector(limit=0, ssl=tls)
        self._session = ClientSession(
            connector=self._connector,
            timeout=ClientTimeout(total=None),
            auto_decompress=False,
            skip_auto_headers=_ADDED_UNASKED,
        )

    async def close(self) -> None:
        if self._asking:
            await asyncio.wait(self._asking, timeout=_LEAVE_SECONDS)
        # A TLS shutdown needs longer than the loop lives.
        await self._connector.close(abort_ssl=True)
        await self._session.close()

    @asynccontextmanager
    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> AsyncGenerator[ClientResponse]:
        """Send a request; yields the answer, of which only the headers were read."""
        asking = asyncio.create_task(self._ask(method, path, headers, body))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        try:
            # asyncio would leave a connection behind whose TLS handshake is cancelled.
            response = await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(_close)
            raise
        async with response:
            yield response

    async def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> ClientResponse:
        return await self._session.request(
            method,
            URL(self._server + path, encoded=True),
            headers=_without(headers, _OF_ONE_CONNECTION | _OF_THE_BODY_AS_SENT),
            data=body or None,
            allow_redirects=False,
        )


def _close(asking: asyncio.Task[ClientResponse]) -> None:
    """Close an answer that nobody waits for any more."""
    if not asking.cancelled() and asking.exception() is None:
        asking.result().close()


def headers_of(response: ClientResponse) -> list[tuple[str, str]]:
    """Return the headers of an answer, without those of the connection."""
    return _without(response.headers, _OF_ONE_CONNECTION)


def _without(headers: Mapping[str, str], names: set[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in names]
