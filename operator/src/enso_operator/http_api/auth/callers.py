"""Callers of --auth=kubernetes: the cluster is asked as each of them, with their own token.

Who somebody is, and whether their token is still good, the API server says. Everything is asked for
with that token, so what is kept here saves questions and decides nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from enso_operator.api.ensoaction import LONGEST_CALLER
from enso_operator.blocking import MOST_OF_A_JOB, in_thread, turn_of
from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.http_api.port import NotAllowed, NotSignedIn
from enso_operator.kube.callers import of_caller, user_name
from enso_operator.kube.client import ApiObjects, Refused, Unauthorized
from enso_operator.kube.streams import streams_of
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.domain.secret import Secret

MOST_CALLERS = 200
"""If there are more, who has asked for nothing for longest is forgotten, and made anew."""
IDLE_SECONDS = 600.0
"""Who has asked for nothing for so long is forgotten."""
KNOWN_SECONDS = 60.0
"""How long the API server's word of who somebody is holds."""
MOST_REFUSED, REFUSED_SECONDS = 1000, 10.0
"""Tokens that the API server does not accept, and how long it is not asked about them again."""
MOST_UNKNOWN = 100
"""So many tokens of whom nobody knows yet are asked about, or wait for it, at the same time."""
_UNKNOWN_TURN = "whom nobody knows yet"
"""Their turn in `blocking`: all of them together have no more of it than one caller."""
_NOT_ACCEPTED = (
    "the API server does not accept this token: it has expired, was revoked, or is of another "
    "cluster"
)


@dataclass
class _Caller:
    viewer: Viewer
    jobs: ClusterJobs
    """Those of the viewer."""
    asked_at: float
    reviewed_at: float


class Callers:
    """Implements `viewer.Viewers`."""

    asks = True

    def __init__(self, jobs: ApiObjects, now: Callable[[], float]) -> None:
        """`jobs` are asked for without credentials, which each caller adds."""
        self.namespace = jobs.namespace
        self._jobs, self._now = jobs, now
        self._salt = secrets.token_bytes(32)
        self._known: OrderedDict[str, _Caller] = OrderedDict()
        """By the hash of their token, who has asked last at the end."""
        self._refused_at: OrderedDict[str, float] = OrderedDict()
        """By the same hash, the latest at the end."""
        self._unknown = 0

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._known)

    async def viewer(self, token: Secret | None) -> Viewer:
        """Return the caller with this token; raise NotSignedIn, NotAllowed or Unavailable."""
        if token is None:
            raise NotSignedIn("this server does not know who you are")
        key = hmac.digest(self._salt, str(token.reveal()).encode(), hashlib.sha256).hex()
        known, now = self._known.get(key), self._now()
        if known is None or now - known.reviewed_at > KNOWN_SECONDS:
            if now - self._refused_at.get(key, -math.inf) <= REFUSED_SECONDS:
                raise NotSignedIn(_NOT_ACCEPTED)
            known = await self._review(key, token)
        known.asked_at = now
        self._known.move_to_end(key)
        self._forget(now)
        return known.viewer

    async def aclose(self) -> None:
        """End the watches of all; who was forgotten has theirs until nobody listens any more."""
        for caller in self._known.values():
            await caller.jobs.aclose()

    async def _review(self, key: str, token: Secret) -> _Caller:
        """Ask the API server who that is; keep what there is of a caller whom it still knows."""
        jobs = of_caller(self._jobs, token)
        try:
            name = await self._name(key, jobs)
        except Unauthorized:
            self._drop(key)
            self._refused_at[key] = self._now()
            self._refused_at.move_to_end(key)
            if len(self._refused_at) > MOST_REFUSED:
                self._refused_at.popitem(last=False)
            raise NotSignedIn(_NOT_ACCEPTED) from None
        except Refused as error:
            raise NotAllowed(str(error)) from error
        # Somebody else may have asked for the same meanwhile.
        known = self._known.get(key)
        if known is None:
            by = name if len(name) <= LONGEST_CALLER and name.isprintable() else ""
            backend = ClusterJobs(jobs, streams_of(jobs.client), MOST_OF_A_JOB, by)
            viewer = Viewer(backend, name, key)
            known = self._known[key] = _Caller(viewer, backend, self._now(), self._now())
        known.reviewed_at = self._now()
        return known

    async def _name(self, key: str, jobs: ApiObjects) -> str:
        """Ask in a turn of their own for who is known: no flood of tokens holds them up."""
        is_unknown = key not in self._known
        if is_unknown and self._unknown >= MOST_UNKNOWN:
            raise Unavailable("too many sign in at once: try again in a few seconds")
        self._unknown += is_unknown
        before = turn_of.set(_UNKNOWN_TURN if is_unknown else key)
        try:
            return await in_thread(user_name, jobs.client)
        finally:
            turn_of.reset(before)
            self._unknown -= is_unknown

    def _forget(self, now: float) -> None:
        while self._known:
            key, caller = next(iter(self._known.items()))
            if len(self._known) <= MOST_CALLERS and now - caller.asked_at <= IDLE_SECONDS:
                return
            self._drop(key)

    def _drop(self, key: str) -> None:
        """Forget this caller; what is streamed to them goes on until they leave."""
        if caller := self._known.pop(key, None):
            caller.jobs.retire()
