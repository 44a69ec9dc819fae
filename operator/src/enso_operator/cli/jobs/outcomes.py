"""Waits for what comes of EnsoActions, by a watch that survives an API server that restarts."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents, follow, times
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import Answered, NoCluster


class Outcomes:
    """What comes of some actions."""

    def __init__(self, api: ApiServer, actions: dict[str, Document]) -> None:
        self._api = api
        self.actions = actions
        """All of them by their names, as they were seen last."""
        self._open = set(actions)
        self._deleted: list[str] = []
        self._why_unknown = ""

    def within(self, seconds: float) -> Iterator[Document]:
        """Yield each action once it is done or refused, until all are or the time is over."""
        deadline = time.monotonic() + seconds
        waited = times.age(seconds)
        self._why_unknown = f"no operator has acted within {waited}; one that comes back will"
        follower, trouble = self._follower(), ""
        while self._open:
            try:
                seen = follower.next(max(0.0, deadline - time.monotonic()))
            except NoCluster as error:  # not even the first list
                seen, follower = follow.Away(str(error)), self._follower()
                time.sleep(follow.FIRST_PAUSE_SECONDS)
            except Answered as error:
                self._why_unknown = str(error)
                return
            if seen is None:
                return
            if isinstance(seen, follow.Away) and seen.sentence != trouble:
                trouble = seen.sentence
                print(f"enso: {trouble}; trying again", file=sys.stderr, flush=True)
            yield from self._ended(seen)

    def _follower(self) -> follow.Follower:
        follower = follow.Follower(self._api)
        chosen: dict[str, str] = {}  # of several: Kubernetes 1.30 selects by names alone
        if len(self._open) == 1:
            chosen["fieldSelector"] = f"metadata.name={next(iter(self._open))}"
        if self._open:
            follower.follow(self._api.path("ensoactions"), chosen)
        return follower

    def _ended(self, seen: follow.Seen) -> Iterator[Document]:
        """Yield the actions that have ended by what was seen of them."""
        found, gone = list[Document](), set[str]()
        if isinstance(seen, follow.All):
            found = [action for page in seen.pages for action in page["items"] or ()]
            gone = self._open - {documents.name_of(action) for action in found}
        elif isinstance(seen, follow.Changed):
            found = [seen.document]
        elif isinstance(seen, follow.Deleted):  # it may have been done just before
            found, gone = [seen.document], {documents.name_of(seen.document)}
        for action in found:
            name = documents.name_of(action)
            if name in self._open:
                self.actions[name] = action
                if documents.is_finished(action):
                    self._open.discard(name)
                    yield action
        self._deleted += sorted(gone & self._open)
        self._open -= gone

    def not_known(self) -> Iterator[str]:
        """Yield a sentence for each action of which nobody knows what comes of it."""
        for name in self._deleted:
            yield f"{self._job_of(name)}: action {name} was deleted before it told what came of it"
        look = f"kubectl get ensoaction -n {self._api.access.namespace}"
        for name in sorted(self._open):
            yield f"{self._job_of(name)}: {self._why_unknown}: look with {look} {name}"

    def _job_of(self, name: str) -> str:
        return str(self.actions[name]["spec"]["job"])
