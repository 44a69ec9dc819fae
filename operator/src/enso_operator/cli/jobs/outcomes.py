"""Waits for the outcomes of EnsoActions; its watch continues after the API server restarts."""

from __future__ import annotations

import time
from collections.abc import Iterator

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents, follow, times
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import Answered


class Outcomes:
    """The outcomes of some actions."""

    def __init__(self, api: ApiServer, actions: dict[str, Document]) -> None:
        self._api = api
        self.actions = actions
        """All of the actions by name, in their latest known state."""
        self._open = set(actions)
        self._deleted: list[str] = []
        self._why_unknown = ""

    def within(self, seconds: float) -> Iterator[Document]:
        """Yield each action once it is done or refused, until all are or the time-out is over."""
        deadline = time.monotonic() + seconds
        waited = times.age(seconds)
        self._why_unknown = f"no operator has acted within {waited}; one that comes back will"
        follower, problem = self._follower(), follow.ProblemPrinter()
        while self._open:
            try:
                event = follower.next(max(0.0, deadline - time.monotonic()))
            except Answered as error:
                self._why_unknown = str(error)
                return
            if event is None:
                return
            problem.note(event)
            yield from self._finished(event)

    def _follower(self) -> follow.Follower:
        follower = follow.Follower(self._api, has_answered=True)
        query: dict[str, str] = {}  # a selector of Kubernetes 1.30 has one name only
        if len(self._open) == 1:
            query["fieldSelector"] = f"metadata.name={next(iter(self._open))}"
        if self._open:
            follower.follow(self._api.path("ensoactions"), query)
        return follower

    def _finished(self, event: follow.WatchEvent) -> Iterator[Document]:
        """Yield the actions that were done or refused according to this event."""
        actions, deleted = list[Document](), set[str]()
        if isinstance(event, follow.FullList):
            actions = [action for page in event.pages for action in page["items"] or ()]
            deleted = self._open - {documents.name_of(action) for action in actions}
        elif isinstance(event, follow.Changed):
            actions = [event.document]
        elif isinstance(event, follow.Deleted):  # it may have been done just before
            actions, deleted = [event.document], {documents.name_of(event.document)}
        for action in actions:
            name = documents.name_of(action)
            if name in self._open:
                self.actions[name] = action
                if documents.is_finished(action):
                    self._open.discard(name)
                    yield action
        self._deleted += sorted(deleted & self._open)
        self._open -= deleted

    def unknown_outcomes(self) -> Iterator[str]:
        """Yield a sentence for each action whose outcome is unknown."""
        for name in self._deleted:
            yield f"{self._job_of(name)}: action {name} was deleted before it told what came of it"
        look = f"kubectl get ensoaction -n {self._api.access.namespace}"
        for name in sorted(self._open):
            yield f"{self._job_of(name)}: {self._why_unknown}: look with {look} {name}"

    def _job_of(self, name: str) -> str:
        return str(self.actions[name]["spec"]["job"])
