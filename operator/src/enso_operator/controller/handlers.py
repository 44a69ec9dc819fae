"""kopf's handlers. They only pass objects to those who decide."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any

import kopf
from kubernetes.client import Configuration

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import GROUP, VERSION
from enso_operator.kube.api_session import BoundedResponse, authorization, session_of
from enso_operator.kube.ensoaction import ACTIONS
from enso_operator.kube.ensojob import KIND

Saw = Callable[[str | None, Document], None]


def handlers(saw_job: Saw, saw_action: Saw, configuration: Configuration) -> kopf.OperatorRegistry:
    """Return handlers that call these on the running event loop; kopf runs on another."""
    registry = kopf.OperatorRegistry()
    tell = partial(
        asyncio.get_running_loop().call_soon_threadsafe,
        # That of kopf holds the object, and every timer and task keeps the context of its birth.
        context=copy_context(),
    )

    @kopf.on.event(GROUP, VERSION, KIND, registry=registry)
    async def on_event(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401  # whatever kopf gives
        tell(saw_job, event["type"], dict(event["object"]))

    @kopf.on.event(GROUP, VERSION, ACTIONS, registry=registry)
    async def action(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401
        tell(saw_action, event["type"], dict(event["object"]))

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.AiohttpSession:  # noqa: ANN401
        return credentials(configuration)

    del on_event, action, login  # the registry has them
    return registry


def credentials(configuration: Configuration) -> kopf.AiohttpSession:
    """Return kopf's credentials: an HTTP session with our own configuration."""
    session = session_of(configuration, response_class=BoundedResponse)
    session.headers.update(authorization(configuration))
    return kopf.AiohttpSession(server=configuration.host, aiohttp_session=session)
