"""Does or refuses the EnsoActions on one job: each once, one after the other, the oldest first.

`EnsoJobActor` calls `decide_next` before it decides about the job, and `write_status` after it has
committed. An action is done by the commit that adds its id to the job's ledger; after that, its
own status is written. So for an action without a status, the ledger says whether it was done.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from enso_operator.blocking import in_thread
from enso_operator.controller.pending_actions import PendingAction, PendingActions
from enso_operator.controller.planner import Remembered
from enso_operator.kube.client import Forbidden, NoSuchObject, Refused, waiting
from enso_operator.kube.ensoaction import ACTIONS, EnsoActionObject, actions_on, has_name
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.objects import Objects
from enso_operator.kube.resource import JobKey
from enso_operator.kube.status.action import WITHOUT_OWNER, Result
from enso_operator.manifests.changes import changed_definition
from enso_operator.manifests.unsuspend import why_not
from enso_operator.on_loop import on_loop
from job_execution_framework.domain.actions import Action, Resume
from job_execution_framework.domain.errors import (
    Conflict,
    InvalidAction,
    InvalidJob,
    Unavailable,
)
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import declared_by
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.library import Library
from job_execution_framework.service_layer.preflight import check_arguments

MOST_TRIES = 8
"""How often a write is repeated at once while somebody else changes the action."""
_log = logging.getLogger(__name__)


@dataclass
class _Decision:
    """An action that was done or refused, but whose status is not written yet."""

    action: EnsoActionObject
    result: Result
    is_committed: bool
    """Whether the job's ledger has the action; a refusal needs no commit."""
    domain_action: Action | None = None
    """The action that was done, until its outcome is known."""


@dataclass
class ActionProcessor:
    """Decides about the actions on one job, one after the other."""

    job: JobKey
    pending: PendingActions
    jobs: Objects
    """The EnsoJobs of the job's namespace."""
    clock: Clock
    allow_code_changes: bool = False
    """Whether resumes may change code: only where an admission policy limits who may do it."""
    library: Library | None = None
    """The library of the job's namespace; a resume's arguments are checked against it."""
    actions: Objects = field(init=False)
    """The EnsoActions of that namespace."""
    _latest: _Decision | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.actions = self.jobs.beside(ACTIONS)

    @property
    def pending_actions(self) -> list[PendingAction]:
        """The pending actions on the job, in their order."""
        return self.pending.of(self.job)

    @property
    def has_work(self) -> bool:
        """Whether an action is pending, or its status is not written yet."""
        return self._latest is not None or len(self.pending_actions) > 0

    @property
    def needs_commit(self) -> bool:
        """Whether the latest action was done in memory, and the job must be committed now."""
        return self._latest is not None and not self._latest.is_committed

    @property
    def needs_status(self) -> bool:
        """Whether the status of the latest action must be written now."""
        return self._latest is not None and self._latest.is_committed

    async def decide_next(self, job: Job, ensojob: EnsoJobObject) -> None:
        """Do the next action on the job in memory, or refuse it.

        Does nothing while the status of the action before is not written. After a failed commit
        the action is decided again. Raises Unavailable, and Conflict if the job is outdated.
        """
        if self.needs_status:
            return
        self._latest = None
        action = await self._next(job.acted)
        if action is None:
            return
        if action.is_finished:  # only its owner is missing
            self._latest = _Decision(action, Result("Done", ""), is_committed=True)
            return
        decided = await self._unfit(action, job, ensojob) or self._decide(action, job, ensojob)
        if isinstance(decided, Result):
            await self._check_newest(ensojob)
            self._latest = _Decision(action, decided, is_committed=True)
        else:
            self._latest = _Decision(
                action, Result("Done", ""), is_committed=False, domain_action=decided
            )

    def set_outcome(self, job: Job) -> None:
        """Set the outcome of the action that was done; the spec may have held the job since."""
        if self._latest and self._latest.domain_action:
            self._latest.result = Result("Done", self._latest.domain_action.outcome(job))

    def was_committed(self) -> None:
        """Note that the job was committed, with the latest action."""
        if self._latest:
            self._latest.is_committed = True

    async def write_status(self, ensojob: EnsoJobObject) -> None:
        """Write the status of the latest action. Raises Unavailable."""
        latest = self._latest
        if latest is None or not latest.is_committed:
            return
        with waiting():
            await on_loop(self._write, latest.action, latest.result, ensojob)
        self.pending.discard(self.job, latest.action.uid)
        self._latest = None

    async def refuse_all(
        self,
        actions: Sequence[PendingAction],
        result: Result,
        ensojob: EnsoJobObject | None = None,
    ) -> None:
        """Refuse these actions on a job that does not exist, or that cannot be loaded.

        Raises Unavailable, and Conflict if the job is outdated.
        """
        self._latest = None
        if ensojob:
            await self._check_newest(ensojob)
        for pending in actions:
            if action := await self._current(pending):
                another = _another_job(action, ensojob) if ensojob else None
                with waiting():
                    await on_loop(self._write, action, another or result, ensojob)
                self.pending.discard(self.job, action.uid)

    async def _next(self, acted: Collection[str]) -> EnsoActionObject | None:
        """Return the first action that is still pending, as the API server has it now."""
        with self.pending.listing(self.job) as is_needed:
            for action in await in_thread(self._listed) if is_needed else ():
                self.pending.add(action)
        while first := self.pending.first(self.job, acted):
            if current := await self._current(first):
                return current
        return None

    async def _current(self, pending: PendingAction) -> EnsoActionObject | None:
        """Return the action; None if it was deleted, or another operator has done it."""
        current = await on_loop(self._get, pending.name)
        if current and current.uid == pending.uid and not current.is_settled:
            return current
        self.pending.discard(self.job, pending.uid)
        return None

    def _listed(self) -> list[EnsoActionObject]:
        """Return all actions on the job that are not settled, from the API server."""
        with waiting():
            actions = actions_on(self.actions, self.job[1])
        return [action for action in actions if not action.is_settled]

    def _get(self, name: str) -> EnsoActionObject | None:
        try:
            with waiting():
                return EnsoActionObject(self.actions.get(name))
        except NoSuchObject:
            return None

    def _decide(
        self, action: EnsoActionObject, job: Job, ensojob: EnsoJobObject
    ) -> Action | Result:
        """Do the action on the job, unless it was done before; else return why it is refused."""
        if another := _another_job(action, ensojob):
            return another
        is_done = action.action_id in job.acted
        if not is_done and any(has_name(acted, action.name) for acted in job.acted):
            why = f"an action {action.name} was done on job {job.id} before: give it a new name"
            return Result("NameUsed", why)
        try:
            domain_action = action.action
            if not is_done:
                if isinstance(domain_action, Resume):
                    domain_action = self._with_changes(domain_action, action, job, ensojob)
                if why := why_not(job, domain_action, ensojob.namespace):
                    return Result("NotPossible", why)
                job.obey(domain_action, self.clock.now())
        except InvalidAction as error:
            return Result("InvalidAction", str(error))
        return domain_action

    async def _unfit(
        self, action: EnsoActionObject, job: Job, ensojob: EnsoJobObject
    ) -> Result | None:
        """Return the refusal of a resume that gives scripts arguments which they do not take."""
        is_resume = action.document["spec"]["verb"] == "resume"  # its spec may break a rule
        if self.library is None or not is_resume or action.action_id in job.acted:
            return None
        resumed = job.copy()
        if isinstance(self._decide(action, resumed, ensojob), Result):
            return None  # refused anyway
        try:
            with waiting():
                scripts = resumed.to_come()
                await on_loop(check_arguments, scripts, Remembered(self.library), declared_by)
        except InvalidJob as error:
            return Result("InvalidAction", f"job {job.id} cannot go on so: {error}")
        return None

    def _with_changes(
        self, resume: Resume, action: EnsoActionObject, job: Job, ensojob: EnsoJobObject
    ) -> Resume:
        """Return the resume with the changed definition of the job. Raises InvalidAction."""
        if ensojob.is_being_deleted:
            raise InvalidAction(f"job {job.id} is being deleted")
        if ensojob.broken:
            raise InvalidAction(f"job {job.id} cannot go on: {ensojob.broken}")
        if (code := action.code_changes) and not self.allow_code_changes:
            raise InvalidAction(
                f"this operator lets no resume change the {', '.join(code)}: no admission policy "
                "here says who may; create a new job"
            )
        changes = action.spec.resume
        if changes is None:
            return resume
        return replace(resume, definition=changed_definition(ensojob.manifest, job, changes))

    async def _check_newest(self, ensojob: EnsoJobObject) -> None:
        """Raise Conflict if the job was changed since it was loaded.

        A commit would detect that, but a refusal commits nothing.
        """
        try:
            with waiting():
                newest = EnsoJobObject.of(await on_loop(self.jobs.get, ensojob.name))
        except NoSuchObject as error:
            raise Conflict(f"job {ensojob.name} is gone") from error
        if newest.version != ensojob.version:
            raise Conflict(f"job {ensojob.name} was changed")

    def _write(
        self, action: EnsoActionObject, result: Result, ensojob: EnsoJobObject | None
    ) -> None:
        """Set the job as owner of the action, and write its status; repeat it after conflicts.

        If the action was deleted, or the API server refuses the status, the next action follows.
        """
        try:
            for _ in range(MOST_TRIES):
                try:
                    return self._write_once(action, result, ensojob)
                except Conflict:
                    current = self._get(action.name)
                    if current is None or current.uid != action.uid:
                        return None
                    action = current
        except Forbidden:
            raise
        except (NoSuchObject, Refused) as error:
            name = f"{self.job[0]}/{action.name}"
            _log.warning("the status of action %s cannot be written: %s", name, error)
            return None
        raise Unavailable(f"action {action.name} is changed all the time")

    def _write_once(
        self, action: EnsoActionObject, result: Result, ensojob: EnsoJobObject | None
    ) -> None:
        """Write the status and the owner, as far as they are not written yet.

        Each write raises the resourceVersion, by which actions of the same second are ordered. So
        the status of a refusal is written first: until then the action may be decided again, and
        it must still come before later ones.
        """
        if result.reason != "Done":
            action = self._write_result(action, result)
        owner = ensojob.owner_reference if ensojob else None
        if owner and result.reason not in WITHOUT_OWNER and owner not in action.owners:
            owners = [*action.owners, owner]
            action = EnsoActionObject(self.actions.own(action.name, action.version, owners))
        self._write_result(action, result)

    def _write_result(self, action: EnsoActionObject, result: Result) -> EnsoActionObject:
        if action.is_finished:
            return action
        status = result.status(action.generation, self.clock.now())
        return EnsoActionObject(self.actions.patch_status(action.name, action.version, status))


def _another_job(action: EnsoActionObject, ensojob: EnsoJobObject) -> Result | None:
    """Return the refusal of an action that is for an earlier job of the same name."""
    if action.job_uid in ("", ensojob.uid):
        return None
    why = f"job {ensojob.name} was deleted and created again: it has another uid than jobUID says"
    return Result("AnotherJob", why)
