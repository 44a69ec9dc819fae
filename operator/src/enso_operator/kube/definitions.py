"""Changed definitions of jobs: each is a ControllerRevision (apps/v1), whose data never changes.

A resume that changes scripts or sessions makes another definition of its job. The unit of work
stores it here before it writes the status, whose ledger names it, and reads it here when it loads
the job. A ControllerRevision holds what differs from the job's spec. Its name has a hash over the
job's uid and that content, so nothing is believed that the ledger has not named.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pydantic import ValidationError

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import ResumeSpec
from enso_operator.api.status import ChangedDefinition
from enso_operator.kube.client import NoSuchObject, Refused, Taken
from enso_operator.kube.definition_names import definition_name
from enso_operator.kube.ensoaction import ACTIONS, actions_on
from enso_operator.kube.ensojob import EnsoJobObject, Revision
from enso_operator.kube.objects import Objects
from enso_operator.manifests.changes import difference, with_changes
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import Conflict, InvalidAction, InvalidJob, JobNotFound

REVISIONS, REVISIONS_API = "controllerrevisions", "apps/v1"


class Definitions:
    """The changed definitions of the jobs of one namespace.

    Every call may raise Unavailable and Refused.
    """

    def __init__(self, jobs: Objects, *, repairs: bool = True) -> None:
        self._revisions = jobs.beside(REVISIONS, REVISIONS_API)
        self._actions = jobs.beside(ACTIONS)
        self._repairs = repairs
        """Whether a lost definition is made again of the job's actions, and stored again."""
        self._known: dict[str, Definition] = {}
        """By the name of the ControllerRevision, after its content was verified."""

    def read(self, ensojob: EnsoJobObject) -> EnsoJobObject:
        """Return the object with the definitions that its ledger names, and why one is lost."""
        ledger = ensojob.status.ledger
        named = ledger.definitions if ledger else None
        if not named or ensojob.why_spec_broken:
            return ensojob
        found: dict[int, Revision] = {}
        for each in named:
            if definition := self._read(ensojob, each):
                found[each.number] = Revision(each.name, definition)
        present = named[-1]
        return ensojob.with_revisions(found, "" if present.number in found else _lost(present))

    def store(self, ensojob: EnsoJobObject, number: int, definition: Definition) -> EnsoJobObject:
        """Store a definition, if it is not there yet; return the object with it."""
        data = difference(ensojob.spec_definition, definition)
        name = _name_of(ensojob, number, data)
        self._create(ensojob, ChangedDefinition(number=number, name=name), data)
        self._known[name] = definition
        revisions = {**ensojob.revisions, number: Revision(name, definition)}
        return ensojob.with_revisions(revisions)

    def _create(self, ensojob: EnsoJobObject, wanted: ChangedDefinition, data: Document) -> None:
        document = {
            "apiVersion": REVISIONS_API,
            "kind": "ControllerRevision",
            "metadata": {
                "name": wanted.name,
                "namespace": ensojob.namespace,
                "ownerReferences": [ensojob.owner_reference | {"controller": True}],
            },
            "revision": wanted.number,
            "data": data,
        }
        try:
            self._revisions.create(document)
        except Taken as taken:
            try:
                found = self._revisions.get(wanted.name)
            except NoSuchObject:
                raise Conflict(f"ControllerRevision {wanted.name} has just gone") from taken
            if not _is_genuine(found, ensojob, wanted):
                raise Refused(
                    f"a ControllerRevision {wanted.name} is there already, and is not this job's: "
                    "delete it"
                ) from taken
        except NoSuchObject as error:
            raise JobNotFound(f"job {ensojob.name} is gone with its namespace") from error

    def _read(self, ensojob: EnsoJobObject, wanted: ChangedDefinition) -> Definition | None:
        """Return a definition that the ledger names; None where it cannot be found again."""
        if known := self._known.get(wanted.name):
            return known
        try:
            found = self._revisions.get(wanted.name)
        except NoSuchObject:
            found = None
        if found and _is_genuine(found, ensojob, wanted):
            data: Document | None = found["data"]
        else:
            data = self._rebuilt(ensojob, wanted) if self._repairs else None
            if data is not None and found is None and not ensojob.is_being_deleted:
                self._create(ensojob, wanted, data)
        if data is None:
            return None
        try:
            definition = with_changes(ensojob.document, ResumeSpec.model_validate(data))
        except (InvalidJob, ValidationError):  # a release before ours took what this one refuses
            return None
        self._known[wanted.name] = definition
        return definition

    def _rebuilt(self, ensojob: EnsoJobObject, wanted: ChangedDefinition) -> Document | None:
        """Return the content of a lost definition, made again of what the job's actions changed."""
        data: Document = {}
        for resume in self._resumes(ensojob):
            with suppress(InvalidJob, ValidationError):
                before = ResumeSpec.model_validate(data)
                changed = with_changes(ensojob.document, before, resume)
                data = difference(ensojob.spec_definition, changed)
            if _name_of(ensojob, wanted.number, data) == wanted.name:
                return data
        return None

    def _resumes(self, ensojob: EnsoJobObject) -> Iterator[ResumeSpec]:
        """Yield the resumes that the job has done and that still exist, in their order."""
        ledger = ensojob.status.ledger
        actions = {action.action_id: action for action in actions_on(self._actions, ensojob.name)}
        for action_id in (ledger and ledger.actions) or ():
            if action := actions.get(action_id):
                with suppress(InvalidAction):
                    yield action.spec.resume or ResumeSpec()


def _name_of(ensojob: EnsoJobObject, number: int, data: object) -> str:
    return definition_name(ensojob.name, ensojob.uid, number, data)


def _is_genuine(found: Document, ensojob: EnsoJobObject, wanted: ChangedDefinition) -> bool:
    """Whether the object is this job's, and has the content that its name was made from."""
    owners = [each["uid"] for each in found["metadata"].get("ownerReferences") or ()]
    is_content = _name_of(ensojob, wanted.number, found.get("data")) == wanted.name
    return is_content and ensojob.uid in owners


def _lost(wanted: ChangedDefinition) -> str:
    return (
        f"its definition {wanted.number} is lost, because ControllerRevision {wanted.name} was "
        "deleted or changed, and the job's EnsoActions do not give it again: restore that object "
        "and resume the job, or apply the job under a new name"
    )
