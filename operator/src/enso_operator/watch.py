"""Runs kopf, which watches, in a thread and an event loop of its own.

When kopf stops it ends every task of its loop, and where it cannot reach the API server for a
minute it stops: neither may touch the actors.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence

import kopf

from enso_operator.adapters.pods.names import JOB_UID_LABEL

_RESTART_SECONDS = 1.0
_log = logging.getLogger(__name__)
# It would complain at every start that signals are not its own: here they are not meant to be.
logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)


class Watch:
    """Shows what happens to EnsoJobs, for as long as it runs."""

    def __init__(self, registry: kopf.OperatorRegistry, namespaces: Sequence[str]) -> None:
        self._registry, self._namespaces = registry, namespaces
        self._stop = threading.Event()

    async def run(self) -> None:
        """Watch until cancelled; begin anew where kopf gave up."""
        while True:
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            thread = threading.Thread(
                target=self._watch, args=(loop, ended), name="kopf", daemon=True
            )
            thread.start()
            try:
                await ended.wait()
            except asyncio.CancelledError:
                self._stop.set()
                raise
            await asyncio.sleep(_RESTART_SECONDS)

    def _watch(self, loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
        try:
            asyncio.run(
                kopf.operator(
                    registry=self._registry,
                    settings=_settings(),
                    clusterwide=not self._namespaces,
                    namespaces=self._namespaces,
                    stop_flag=self._stop,
                )
            )
        except Exception:  # noqa: BLE001  # whatever it is, it is tried again
            _log.exception("the watch broke: it begins anew")
        finally:
            if not self._stop.is_set():
                loop.call_soon_threadsafe(ended.set)


def _settings() -> kopf.OperatorSettings:
    """Return settings without kopf's own annotations, finalizers, Events and peerings."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    # The defaults keep a task for each object for seconds, and list everything in one answer.
    settings.queueing.idle_timeout = 0.2
    settings.watching.chunk_size = 500
    settings.watching.label_selectors["", "v1", "pods"] = JOB_UID_LABEL  # ours, and no others
    return settings
