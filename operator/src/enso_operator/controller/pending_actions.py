"""The EnsoActions that were neither done nor refused yet, by the job that they are for.

The watch adds them, `ActionTurns` takes them away. Of all other actions only the version is held.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.kube.ensoaction import EnsoActionObject, action_id_of
from enso_operator.kube.resource import JobKey
from job_execution_framework.domain.errors import EnsoError


@dataclass(frozen=True, order=True)
class Pending:
    """An action that waits; actions are done in this order."""

    created: str
    version: int
    """The lowest resourceVersion that was seen: whoever labels an action does not move it."""
    uid: str
    name: str

    @property
    def action_id(self) -> str:
        """What the job's ledger remembers of it."""
        return action_id_of(self.uid, self.name)


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
        if action.is_settled:
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

    def of(self, job: JobKey) -> list[Pending]:
        """Return the actions that wait on the job, in their order."""
        return sorted(self._waiting.get(job, {}).values())

    def first(self, job: JobKey, acted: Collection[str]) -> Pending | None:
        """Return the action on the job whose turn is next; `acted` is the job's ledger.

        One that was done, and only lacks its status, comes first: the ledger must not forget it
        before, or it would be done again.
        """
        waiting = self.of(job)
        return min(waiting, key=lambda pending: pending.action_id not in acted, default=None)

    @contextmanager
    def listing(self, job: JobKey) -> Generator[bool]:
        """Yield whether a new action came since all were listed last; then the caller lists them.

        An older action may exist that the watch shows later. A list that fails is made again.
        """
        is_unlisted = job in self._unlisted
        self._unlisted.discard(job)
        try:
            yield is_unlisted
        except EnsoError:
            self._unlisted.add(job)
            raise

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
