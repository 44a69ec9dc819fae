"""Leader election: of several operators the holder of a Lease works, and the others stand by.

It avoids double work, but is no fence: a process may resume after another one took its lease.
Two operators at once are safe because of Pod names, committed uids and guarded writes
(docs/decisions/0004, which also says why `kubernetes.leaderelection` is not used).

All timeouts use this process's monotonic clock. The times in the Lease are for people.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ParamSpec, Protocol, TypeVar

from enso_operator.api.document import Document
from enso_operator.kube.client import NoSuchObject, Refused
from job_execution_framework.domain.errors import Conflict, Unavailable

LEASE_SECONDS = 15
"""Another process takes a lease that was not renewed for so long: 18 s at most after a crash."""
GIVE_UP_SECONDS = 10.0
"""A leader that could not renew for so long stops, well before another may begin."""
RENEW_SECONDS = 2.0
AGAIN_SECONDS = 0.5
"""Pause after a failed renewal."""
LOOK_SECONDS = 1.0
"""How often a standby process reads the lease: a lease that was given back is taken as soon."""
ANSWER_SECONDS = 4.0
"""How long one request may take."""
GIVE_BACK_SECONDS = 2.0

P = ParamSpec("P")
R = TypeVar("R")
Work = Callable[[], Coroutine[Any, Any, None]]
_log = logging.getLogger(__name__)


class Held(Protocol):
    """The Lease, as `adapters.lease.Lease` has it."""

    def read(self) -> Document | None:
        """Return it; None where there is none."""
        ...

    def create(self, spec: Document) -> Document:
        """Create it; raise Conflict."""
        ...

    def replace(self, document: Document) -> Document:
        """Replace it, if it is unchanged; raise Conflict or NoSuchObject."""
        ...


class Alone:
    """Leads always: for an operator without replicas."""

    def __init__(self, leads: Callable[[bool], None]) -> None:
        self._leads = leads

    async def run(self, work: Work) -> None:
        """Work until cancelled."""
        self._leads(True)  # noqa: FBT003  # a gauge that is 0 or 1
        await work()

    def is_away(self) -> str | None:
        """Return None: there is no lease that could be unreachable."""
        return None


@dataclass
class Leadership:
    """Works while this process holds the lease. `identity` must be no other process's."""

    lease: Held
    identity: str
    leads: Callable[[bool], None]
    """Called with True or False when this process begins or stops to lead."""
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    _own_lease: Document | None = field(default=None, init=False)
    """The lease as this process wrote it last; None where a write's result is unknown."""
    _until: float = field(default=float("-inf"), init=False)
    """We lead until then, if nothing is renewed."""
    _seen: Document | None = field(default=None, init=False)
    """The lease as another process wrote it last, and when that was first seen."""
    _seen_at: float = field(default=0.0, init=False)
    _trouble: str | None = field(default="it was not looked at yet", init=False)

    async def run(self, work: Work) -> None:
        """Work whenever this process leads, until cancelled; then give the lease back."""
        try:
            while True:
                await self._stand_by()
                await self._lead(work)
        finally:
            await self._give_back()

    def is_away(self) -> str | None:
        """Return why the lease cannot be read or written, so that no takeover works; else None."""
        return self._trouble and f"the lease {self.lease}: {self._trouble}"

    # Standing by.

    async def _stand_by(self) -> None:
        while not await self._tried(self._take):
            await self.sleep(LOOK_SECONDS)

    async def _take(self) -> bool:
        """Take the lease if it is free, or ours already through a write that timed out."""
        found = await _call_in_thread(self.lease.read)
        if found is None or self._is_free(_spec(found)):
            await self._write(found)
            return True
        return False

    def _is_free(self, spec: Document) -> bool:
        if spec != self._seen:
            _log.info("standing by: %s leads", spec.get("holderIdentity") or "nobody")
            self._seen, self._seen_at = spec, self.now()
        lasts = spec.get("leaseDurationSeconds") or LEASE_SECONDS
        is_over = self.now() >= self._seen_at + lasts
        return is_over or spec.get("holderIdentity") in (None, "", self.identity)

    # Leading.

    async def _lead(self, work: Work) -> None:
        """Work until the lease is lost. What the work raises, this raises."""
        _log.info("leading: %s is held as %s", self.lease, self.identity)
        self.leads(True)  # noqa: FBT003
        both = asyncio.create_task(work()), asyncio.create_task(self._keep())
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.wait(both)
            self.leads(False)  # noqa: FBT003
        for task in both:
            with suppress(asyncio.CancelledError):
                task.result()

    async def _keep(self) -> None:
        """Renew until the lease is lost."""
        pause = RENEW_SECONDS
        while True:
            await self.sleep(max(0.0, min(pause, self._until - self.now())))
            if self.now() >= self._until:  # also after a sleep of the whole process
                why = f"it was not renewed within {GIVE_UP_SECONDS:g} s ({self._trouble})"
                break
            pause = RENEW_SECONDS if await self._tried(self._renew) else AGAIN_SECONDS
            if self._seen is not None:
                why = f"{self._seen.get('holderIdentity') or 'nobody'} holds it"
                break
        _log.warning("the lease %s was lost: %s; sessions go on", self.lease, why)
        self._own_lease, self._until = None, float("-inf")

    async def _renew(self) -> bool:
        found = self._own_lease or await _call_in_thread(self.lease.read) or {}
        if _spec(found).get("holderIdentity") != self.identity:
            self._seen, self._seen_at = _spec(found), self.now()
            return False
        self._own_lease = None  # until the answer tells
        await self._write(found)
        return True

    async def _write(self, found: Document | None) -> None:
        """Write the lease; its duration counts from the start of the request."""
        began, spec = self.now(), self._claim(_spec(found or {}))
        if found is None:
            self._own_lease = await _call_in_thread(self.lease.create, spec)
        else:
            self._own_lease = await _call_in_thread(self.lease.replace, found | {"spec": spec})
        self._until, self._seen = began + GIVE_UP_SECONDS, None

    def _claim(self, before: Document) -> Document:
        claim: Document = {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": _micro_time(),
        }
        if before.get("holderIdentity") != self.identity:
            claim["acquireTime"] = claim["renewTime"]
            claim["leaseTransitions"] = (before.get("leaseTransitions") or 0) + 1
        return before | claim

    async def _give_back(self) -> None:
        """Release the lease, so that another process takes over at once."""
        if self.now() >= self._until:
            return
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                found = self._own_lease or await _call_in_thread(self.lease.read) or {}
                spec = _spec(found)
                if spec.get("holderIdentity") == self.identity:
                    free = {"holderIdentity": None, "renewTime": _micro_time()}
                    await _call_in_thread(self.lease.replace, found | {"spec": spec | free})
        except (Conflict, NoSuchObject, Refused, TimeoutError, Unavailable) as error:
            _log.warning("the lease %s was not given back: %s", self.lease, error)

    async def _tried(self, step: Callable[[], Awaitable[bool]]) -> bool:
        """Do one step; remember in `_trouble` why it could not be done."""
        try:
            done = await step()
        except (Conflict, NoSuchObject):  # somebody was faster: the next look tells who
            return False
        except (Refused, Unavailable) as error:
            if self._trouble != (trouble := str(error)):
                _log.warning("the lease %s: %s", self.lease, trouble)
            self._trouble = trouble
            return False
        self._trouble = None
        return done


async def _call_in_thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call in a thread of its own; a call that hangs is abandoned.

    A late write of it is guarded by the resourceVersion that it read.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.to_thread(call, *args, **kwargs)
    except TimeoutError as error:
        raise Unavailable(
            f"the API server did not answer: not within {ANSWER_SECONDS:g} s"
        ) from error


def _spec(document: Document) -> Document:
    spec: Document = document.get("spec") or {}
    return spec


def _micro_time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
