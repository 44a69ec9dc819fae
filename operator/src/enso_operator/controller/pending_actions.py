"""The pending EnsoActions, which were neither done nor refused yet, by job.

The watch adds them, and `ActionProcessor` removes them. All other actions are kept by version only.
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
class PendingAction:
    """A pending action; actions are done in the order of these fields."""

    created: str
    version: int
    """The lowest resourceVersion that was seen, so that labels do not change the order."""
    uid: str
    name: str

    @property
    def action_id(self) -> str:
        """The id by which the job's ledger has it, as `EnsoActionObject.action_id`."""
        return action_id_of(self.uid, self.name)


@dataclass
class PendingActions:
    """The pending actions of all jobs."""

    on_pending: Callable[[JobKey], None] = lambda _: None
    """Called with the job of each new action."""
    known: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """The newest resourceVersion that was seen of each action, by uid."""
    _pending: dict[JobKey, dict[str, PendingAction]] = field(
        default_factory=dict[JobKey, dict[str, PendingAction]], init=False
    )
    _unlisted: set[JobKey] = field(default_factory=set[JobKey], init=False)

    def on_event(self, kind: str | None, document: Document) -> None:
        """Handle an event of the watch; `kind` is ADDED, MODIFIED, DELETED, or None from a list."""
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
        """Add a pending action; return whether it is new."""
        pending = self._pending.setdefault(action.job, {})
        before = pending.get(action.uid)
        version = min(int(action.version), before.version if before else int(action.version))
        pending[action.uid] = PendingAction(action.created, version, action.uid, action.name)
        return before is None

    def discard(self, job: JobKey, uid: str) -> None:
        """Remove an action: it was done, refused, or deleted."""
        pending = self._pending.get(job, {})
        pending.pop(uid, None)
        if not pending:
            self._pending.pop(job, None)
            self._unlisted.discard(job)

    def of(self, job: JobKey) -> list[PendingAction]:
        """Return the pending actions on the job, in their order."""
        return sorted(self._pending.get(job, {}).values())

    def first(self, job: JobKey, acted: Collection[str]) -> PendingAction | None:
        """Return the next pending action on the job; `acted` is the job's ledger.

        One that was done, and only lacks its status, comes first: the ledger must not forget it
        before, or it would be done again.
        """
        actions = self.of(job)
        return min(actions, key=lambda action: action.action_id not in acted, default=None)

    @contextmanager
    def listing(self, job: JobKey) -> Generator[bool]:
        """Yield whether a new action came since all were listed last; then the caller lists them.

        An older one may exist that the watch has not shown. A list that fails is made again.
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
        """Remove actions that do not exist any more."""
        for uid in uids:
            self.known.pop(uid, None)
        for job, pending in list(self._pending.items()):
            for uid in pending.keys() & uids:
                self.discard(job, uid)

    def __len__(self) -> int:
        return sum(map(len, self._pending.values()))
