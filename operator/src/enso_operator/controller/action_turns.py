"""Does or refuses the EnsoActions on one job: each once, one after the other, the oldest first.

`EnsoJobActor` calls `take` before it decides, and `settle` after it has committed. An action is
done in the commit that puts its id into the job's ledger; only then its own status is written. So
whoever finds an action without a status asks the ledger whether it was done.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from enso_operator.blocking import in_thread
from enso_operator.controller.pending_actions import Pending, PendingActions
from enso_operator.kube.client import Forbidden, NoSuchObject, Refused, waiting
from enso_operator.kube.ensoaction import ACTIONS, EnsoActionObject, actions_on, has_name
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.objects import Objects
from enso_operator.kube.resource import JobKey
from enso_operator.kube.status.action import WITHOUT_OWNER, Result
from enso_operator.manifests.changes import changed_definition
from enso_operator.manifests.unsuspend import why_not
from job_execution_framework.domain.actions import Action, Resume
from job_execution_framework.domain.errors import Conflict, InvalidAction, Unavailable
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer.clock import Clock

MOST_TRIES = 8
"""How often a write is tried at once while somebody else changes the action."""
_log = logging.getLogger(__name__)


@dataclass
class _Turn:
    """An action that was decided, and whose own status is not written yet."""

    action: EnsoActionObject
    result: Result
    is_committed: bool
    """Whether the job's ledger has it; a refusal needs no commit."""
    asked: Action | None = None
    """What was done, until it is known what came of it."""


@dataclass
class ActionTurns:
    """The turns of the actions on one job."""

    job: JobKey
    pending: PendingActions
    jobs: Objects
    """The EnsoJobs of the job's namespace."""
    clock: Clock
    allow_code_changes: bool = False
    """Whether a resume may change code: then an admission policy says whose may."""
    actions: Objects = field(init=False)
    """The EnsoActions of that namespace."""
    _turn: _Turn | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.actions = self.jobs.beside(ACTIONS)

    @property
    def waiting(self) -> list[Pending]:
        """The actions that wait, in their order."""
        return self.pending.of(self.job)

    @property
    def are_left(self) -> bool:
        """Whether an action waits, or its status."""
        return self._turn is not None or len(self.waiting) > 0

    @property
    def is_to_be_committed(self) -> bool:
        """Whether the action that was taken last waits for the commit of its job."""
        return self._turn is not None and not self._turn.is_committed

    @property
    def is_to_be_settled(self) -> bool:
        """Whether the status of an action is to be written now."""
        return self._turn is not None and self._turn.is_committed

    async def take(self, job: Job, ensojob: EnsoJobObject) -> None:
        """Do the next action on the job in memory, or refuse it.

        Does nothing while the status of the one before is not written. After a commit that failed
        the action is decided again. Raises Unavailable, and Conflict where the job is outdated.
        """
        if self.is_to_be_settled:
            return
        self._turn = None
        action = await self._next(job.acted)
        if action is None:
            return
        if action.is_finished:  # only its owner is missing
            self._turn = _Turn(action, Result("Done", ""), is_committed=True)
            return
        done = self._done(action, job, ensojob)
        if isinstance(done, Result):
            await self._check_newest(ensojob)
            self._turn = _Turn(action, done, is_committed=True)
        else:
            self._turn = _Turn(action, Result("Done", ""), is_committed=False, asked=done)

    def describe(self, job: Job) -> None:
        """Say what came of the action that was done, once all else was done that holds the job."""
        if self._turn and self._turn.asked:
            self._turn.result = Result("Done", self._turn.asked.outcome(job))

    def was_committed(self) -> None:
        """Take note that the job was committed, with the action that was taken last."""
        if self._turn:
            self._turn.is_committed = True

    async def settle(self, ensojob: EnsoJobObject) -> None:
        """Write the status of the action that was taken last. Raises Unavailable."""
        turn = self._turn
        if turn is None or not turn.is_committed:
            return
        with waiting():
            await in_thread(self._write, turn.action, turn.result, ensojob)
        self.pending.discard(self.job, turn.action.uid)
        self._turn = None

    async def refuse_all(
        self, actions: Sequence[Pending], result: Result, ensojob: EnsoJobObject | None = None
    ) -> None:
        """Refuse these actions on a job that does not exist, or is no job.

        Raises Unavailable, and Conflict where the job is outdated.
        """
        self._turn = None
        if ensojob:
            await self._check_newest(ensojob)
        for pending in actions:
            if action := await self._found(pending):
                another = _another_job(action, ensojob) if ensojob else None
                with waiting():
                    await in_thread(self._write, action, another or result, ensojob)
                self.pending.discard(self.job, action.uid)

    async def _next(self, acted: Collection[str]) -> EnsoActionObject | None:
        """Return the first action that still waits, as the API server has it now."""
        with self.pending.listing(self.job) as is_needed:
            for action in await in_thread(self._listed) if is_needed else ():
                self.pending.add(action)
        while first := self.pending.first(self.job, acted):
            if found := await self._found(first):
                return found
        return None

    async def _found(self, pending: Pending) -> EnsoActionObject | None:
        """Return an action that waits; None if it was withdrawn, or another operator did it."""
        found = await in_thread(self._get, pending.name)
        if found and found.uid == pending.uid and not found.is_settled:
            return found
        self.pending.discard(self.job, pending.uid)
        return None

    def _listed(self) -> list[EnsoActionObject]:
        """Return the actions on the job that the API server has, and that are not settled."""
        with waiting():
            found = actions_on(self.actions, self.job[1])
        return [action for action in found if not action.is_settled]

    def _get(self, name: str) -> EnsoActionObject | None:
        try:
            with waiting():
                return EnsoActionObject(self.actions.get(name))
        except NoSuchObject:
            return None

    def _done(self, action: EnsoActionObject, job: Job, ensojob: EnsoJobObject) -> Action | Result:
        """Do the action on the job, unless that is done already; else return why it is refused."""
        if another := _another_job(action, ensojob):
            return another
        is_done = action.action_id in job.acted
        if not is_done and any(has_name(acted, action.name) for acted in job.acted):
            why = f"an action {action.name} was done on job {job.id} before: give it a new name"
            return Result("NameUsed", why)
        try:
            asked = action.action
            if not is_done:
                if isinstance(asked, Resume):
                    asked = self._with_changes(asked, action, job, ensojob)
                if why := why_not(job, asked, ensojob.namespace):
                    return Result("NotPossible", why)
                job.obey(asked, self.clock.now())
        except InvalidAction as error:
            return Result("InvalidAction", str(error))
        return asked

    def _with_changes(
        self, resume: Resume, action: EnsoActionObject, job: Job, ensojob: EnsoJobObject
    ) -> Resume:
        """Return the resume with the definition that it makes. Raises InvalidAction."""
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
        return replace(resume, definition=changed_definition(ensojob.document, job, changes))

    async def _check_newest(self, ensojob: EnsoJobObject) -> None:
        """Raise Conflict where the job was changed since it was loaded.

        A commit finds out by itself, but a refusal commits nothing.
        """
        try:
            with waiting():
                found = EnsoJobObject.of(await in_thread(self.jobs.get, ensojob.name))
        except NoSuchObject as error:
            raise Conflict(f"job {ensojob.name} is gone") from error
        if found.version != ensojob.version:
            raise Conflict(f"job {ensojob.name} was changed")

    def _write(
        self, action: EnsoActionObject, result: Result, ensojob: EnsoJobObject | None
    ) -> None:
        """Make the action a dependant of its job, and write its status, whoever else writes it.

        An action that is gone, or whose status the API server does not take, holds up no other.
        """
        try:
            for _ in range(MOST_TRIES):
                try:
                    return self._write_once(action, result, ensojob)
                except Conflict:
                    found = self._get(action.name)
                    if found is None or found.uid != action.uid:
                        return None
                    action = found
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
        """Write what of it is not written yet.

        Each write moves the action to the end of its second. So a refusal is told first: until it
        is, the action may be decided again, and must still come before later ones.
        """
        if result.reason != "Done":
            action = self._tell(action, result)
        owner = ensojob.owner_reference if ensojob else None
        if owner and result.reason not in WITHOUT_OWNER and owner not in action.owners:
            owners = [*action.owners, owner]
            action = EnsoActionObject(self.actions.own(action.name, action.version, owners))
        self._tell(action, result)

    def _tell(self, action: EnsoActionObject, result: Result) -> EnsoActionObject:
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
