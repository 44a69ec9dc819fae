"""Forwards what Pods ask the API server: a program of its own, which machine.py starts.

The API server listens on loopback alone, as kwokctl writes its kubeconfigs for loopback and a
process cannot listen on two chosen addresses. Listening on all of them would show it to the
machine's network; this forwards from the bridge's addresses and from nowhere else.

python port_forward.py TARGET-HOST:PORT LISTEN-HOST:PORT...
"""

import asyncio
import sys
from contextlib import suppress

_CHUNK = 1 << 16


async def _main(target: str, listen_at: list[str]) -> None:
    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner = await asyncio.open_connection(*_address(target))
        except OSError:  # the API server is away
            writer.transport.abort()
            return
        await asyncio.gather(_pump(reader, inner[1]), _pump(inner[0], writer))
        writer.close()
        inner[1].close()

    servers = [await asyncio.start_server(enter, *_address(text)) for text in listen_at]
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one direction to its end; whoever resets one side resets the other."""
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main(sys.argv[1], sys.argv[2:]))
