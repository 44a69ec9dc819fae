"""What kopf calls. Handlers only hand on what they see: the reconciler decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import kopf
from kubernetes.client import Configuration

from enso_operator.adapters.kube import GROUP, VERSION, Document
from enso_operator.reconciler import KIND, Reconciler

Saw = Callable[[str | None, Document], None]


def handlers(
    reconciler: Reconciler, saw_pod: Saw | None, configuration: Configuration
) -> kopf.OperatorRegistry:
    """Return the handlers of the running event loop's reconciler; kopf has a loop of its own.

    Pods are watched where somebody wants to see them.
    """
    registry, loop = kopf.OperatorRegistry(), asyncio.get_running_loop()

    @kopf.on.event(GROUP, VERSION, KIND, registry=registry)
    async def saw(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401  # whatever kopf gives
        loop.call_soon_threadsafe(reconciler.saw, event["type"], dict(event["object"]))

    if saw_pod:

        @kopf.on.event("", "v1", "pods", registry=registry)
        async def pod(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401
            loop.call_soon_threadsafe(saw_pod, event["type"], dict(event["object"]))

        del pod

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:  # noqa: ANN401
        return connection(configuration)

    del saw, login  # the registry has them
    return registry


def connection(configuration: Configuration) -> kopf.ConnectionInfo:
    """Return how kopf reaches the API server: as the official client does."""
    scheme, _, token = (configuration.get_api_key_with_prefix("BearerToken") or "").rpartition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        username=configuration.username or None,
        password=configuration.password or None,
        scheme=scheme or None,
        token=token or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )
