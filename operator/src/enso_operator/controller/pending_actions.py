"""The EnsoActions that were neither done nor refused yet, by the job that they are for.

The watch adds them, `ActionTurns` takes them away. Of all other actions only the version is held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.kube.ensoaction import EnsoActionObject
from enso_operator.kube.ensojob import JobKey


@dataclass(frozen=True, order=True)
class Pending:
    """An action that waits; actions are done in this order."""

    created: str
    version: int
    """The lowest resourceVersion that was seen: whoever labels an action does not move it."""
    uid: str
    name: str


@dataclass
class PendingActions:
    """Which actions wait for their turn."""

    on_pending: Callable[[JobKey], None] = lambda _: None
    """Called with the job of an action that is new."""
    known: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """The newest resourceVersion that was seen of each action, by uid."""
    _waiting: dict[JobKey, dict[str, Pending]] = field(
        default_factory=dict[JobKey, dict[str, Pending]], init=False
    )
    _unlisted: set[JobKey] = field(default_factory=set[JobKey], init=False)

    def on_event(self, kind: str | None, document: Document) -> None:
        """Take an object of the watch; `kind` is ADDED, MODIFIED, DELETED, or None from a list."""
        action = EnsoActionObject(document)
        if kind == "DELETED":
            self.known.pop(action.uid, None)
            self.discard(action.job, action.uid)
            return
        version, before = int(action.version), self.known.get(action.uid, 0)
        if version < before and kind is not None:
            return
        self.known[action.uid] = version
        if action.is_finished:
            self.discard(action.job, action.uid)
        elif self.add(action):
            self._unlisted.add(action.job)
            self.on_pending(action.job)

    def add(self, action: EnsoActionObject) -> bool:
        """Let an action wait; return whether it is new."""
        waiting = self._waiting.setdefault(action.job, {})
        before = waiting.get(action.uid)
        version = min(int(action.version), before.version if before else int(action.version))
        waiting[action.uid] = Pending(action.created, version, action.uid, action.name)
        return before is None

    def discard(self, job: JobKey, uid: str) -> None:
        """Let an action wait no more: it was done, refused, or deleted."""
        waiting = self._waiting.get(job, {})
        waiting.pop(uid, None)
        if not waiting:
            self._waiting.pop(job, None)
            self._unlisted.discard(job)

    def first(self, job: JobKey) -> Pending | None:
        """Return the action on the job whose turn is next."""
        return min(self._waiting.get(job, {}).values(), default=None)

    def is_to_be_listed(self, job: JobKey) -> bool:
        """Whether a new action came since this was asked last.

        Then the caller lists all: an older action may exist that the watch shows later.
        """
        is_unlisted = job in self._unlisted
        self._unlisted.discard(job)
        return is_unlisted

    def is_missing(self, uid: str, version: int) -> bool:
        """Whether the watch has not shown this version of an action."""
        return version > self.known.get(uid, 0)

    def forget(self, uids: set[str]) -> None:
        """Forget actions that do not exist any more."""
        for uid in uids:
            self.known.pop(uid, None)
        for job, waiting in list(self._waiting.items()):
            for uid in waiting.keys() & uids:
                self.discard(job, uid)

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))
