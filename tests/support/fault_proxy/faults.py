"""The faults. Actions run in a thread: they may kill, wait, or use the proxy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.fault_proxy.exchange import Exchange
from tests.support.fault_proxy.rules import Fault

_EXPIRED = 410
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    _EXPIRED: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def before(action: Callable[[], object]) -> Fault:
    """Act, then drop the connection: the server never gets the call."""

    async def fault(exchange: Exchange) -> None:
        await exchange.act(action)
        exchange.drop()

    return fault


def after(action: Callable[[], object]) -> Fault:
    """Let the server do the call, act, then drop the connection: the caller gets no answer."""

    async def fault(exchange: Exchange) -> None:
        await exchange.complete()
        await exchange.act(action)
        exchange.drop()

    return fault


def meanwhile(action: Callable[[], object]) -> Fault:
    """Act, then send the call: an action that waits delays the call."""

    async def fault(exchange: Exchange) -> None:
        await exchange.act(action)

    return fault


def answer(code: int, message: str, headers: Mapping[str, str] | None = None) -> Fault:
    """Answer instead of the server, which never gets the call."""

    async def fault(exchange: Exchange) -> None:
        status = _status(code, message, headers or {})
        if code == _EXPIRED and exchange.call.verb == "watch":
            # The API server sends errors of a watch inside of the stream, with status 200.
            line = {"type": "ERROR", "object": status}
            await exchange.reply(200, {}, json.dumps(line).encode() + b"\n")
        else:
            await exchange.reply(code, headers or {}, json.dumps(status).encode())

    return fault


def answer_nonetheless(code: int, message: str, headers: Mapping[str, str] | None = None) -> Fault:
    """Let the server do the call, but give the caller this answer."""
    lie = answer(code, message, headers)

    async def fault(exchange: Exchange) -> None:
        await exchange.complete()
        await lie(exchange)

    return fault


def hold(seconds: float) -> Fault:
    """Send the call `seconds` late, even if its caller has given up by then."""

    async def fault(_: Exchange) -> None:
        await asyncio.sleep(seconds)

    return fault


def _status(code: int, message: str, headers: Mapping[str, str]) -> dict[str, Any]:
    status: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(code, ""),
        "code": code,
    }
    if "Retry-After" in headers:
        status["details"] = {"retryAfterSeconds": int(headers["Retry-After"])}
    return status
