"""Runs kopf, which watches EnsoJobs and EnsoActions, in a thread with its own event loop.

kopf stops when it cannot reach the API server for a minute, and then cancels every task of its
loop: the actors must not be among them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial

import kopf
from kopf._cogs.structs.references import Insights  # the only way to ask what kopf has found

from enso_operator.api.v1alpha1 import GROUP, VERSION
from enso_operator.controller.batching_loop import batching_loop
from enso_operator.controller.missing_kinds import MissingKinds
from enso_operator.kube.ensoaction import ACTIONS
from enso_operator.kube.ensojob import KIND

IDENTITY = "enso"
"""kopf's identity among peering operators; peering is off, so only a constant is needed."""
_RESTART_SECONDS = 1.0
_CANCEL_SECONDS = 1.0
"""How long a part of kopf may take to end before it is cancelled once more."""
_log = logging.getLogger(__name__)
# It would complain at every start that signals are not its own: here they are not meant to be.
logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)


class _LookAgain(Exception):
    """kopf has not found all of our kinds: only a new one looks for them again."""


class Watch:
    """Shows what happens to EnsoJobs and EnsoActions, for as long as it runs."""

    def __init__(
        self,
        registry: kopf.OperatorRegistry,
        namespaces: Sequence[str],
        selector: Callable[[], str],
    ) -> None:
        """Watch these namespaces, or all; `selector`, which may block, says which EnsoJobs."""
        self._registry, self._namespaces, self._selector = registry, namespaces, selector
        self._missing = MissingKinds()

    async def run(self) -> None:
        """Watch until cancelled; begin anew where kopf gave up."""
        while True:
            ended, stop = asyncio.Event(), threading.Event()
            tell = partial(asyncio.get_running_loop().call_soon_threadsafe, ended.set)
            threading.Thread(
                target=self._watch, args=(stop, tell), name="kopf", daemon=True
            ).start()
            try:
                await ended.wait()
            except asyncio.CancelledError:
                stop.set()
                raise
            await asyncio.sleep(_RESTART_SECONDS)

    def _watch(self, stop: threading.Event, tell: Callable[[], object]) -> None:
        try:
            with (
                contextlib.suppress(_LookAgain),
                asyncio.Runner(loop_factory=batching_loop) as runner,
            ):
                runner.run(self._kopf(stop, _settings(self._selector())))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is tried again
            _log.error("the watch broke, and begins anew: %s", error)  # kopf told
        finally:
            with contextlib.suppress(RuntimeError):  # who waited may be gone, and its loop
                tell()

    async def _kopf(self, stop: threading.Event, settings: kopf.OperatorSettings) -> None:
        """Run kopf until `stop` is set, or a part of it fails; raise that failure.

        kopf.operator would end with it, but waits for its other parts without limit, and one that
        swallows its cancellation watches on with a closed session: nothing would watch any more.
        """
        insights = Insights()
        try:
            parts = await kopf.spawn_tasks(
                registry=self._registry,
                settings=settings,
                insights=insights,
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                stop_flag=stop,
                # By itself it would look up its user's name, and a Pod's user has none.
                identity=IDENTITY,  # type: ignore[arg-type]  # its type is not public
            )
            parts = [*parts, asyncio.create_task(self._look_for_kinds(insights))]
            ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            await _cancel_all()
        finally:
            stop.set()  # kopf leaves a thread that waits for it, and this loop waits for that one
        for part in ended:
            part.result()

    async def _look_for_kinds(self, insights: Insights) -> None:
        """Raise _LookAgain, after a pause, where kopf has not found all of our kinds."""
        await insights.ready_resources.wait()
        found = {resource.plural for resource in insights.watched_resources}
        pause = self._missing.pause({KIND, ACTIONS} - found)
        if pause is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(pause)
            raise _LookAgain


async def _cancel_all() -> None:
    """Cancel all other tasks of this loop, again and again until they have ended."""
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)


class _NoDiffs(kopf.DiffBaseStorage):
    """Keeps nothing of an object, and compares nothing: nobody asks kopf what has changed.

    By itself it copies each object twice with every event.
    """

    def build(
        self,
        *,
        body: kopf.Body,
        extra_fields: object = None,
    ) -> kopf.BodyEssence:
        """Return nothing to compare."""
        del body, extra_fields
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> None:
        """Know nothing of the time before."""
        del body

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Write nothing to anybody's object."""
        del body, patch, essence


def _settings(selector: str) -> kopf.OperatorSettings:
    """Return settings without kopf's own annotations, finalizers, Events and peerings.

    Only EnsoJobs that the field selector selects are watched.
    """
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.persistence.diffbase_storage = _NoDiffs()
    # The defaults keep a task for each object for seconds, and list everything in one answer.
    settings.queueing.idle_timeout = 0.2
    settings.watching.chunk_size = 16  # objects, of up to 1.5 MiB each: some 15 MiB of memory
    if selector:
        settings.watching.field_selectors[GROUP, VERSION, KIND] = selector
    return settings
