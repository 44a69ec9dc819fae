"""Stores changed definitions of jobs as ControllerRevisions (apps/v1), whose data is immutable.

A resume that changes scripts or sessions creates a new definition of its job. The unit of work
stores it here before it writes the status, whose ledger has its name, and reads it here when it
loads the job. A ControllerRevision has the difference from the job's spec. Its name has a hash of
the job's uid and that content, so an object that does not match the ledger's name is not used.
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
        """Whether a lost definition is rebuilt from the job's EnsoActions, and stored again."""
        self._known: dict[str, Definition] = {}
        """Verified definitions by the name of their ControllerRevision."""

    def read(self, ensojob: EnsoJobObject) -> EnsoJobObject:
        """Return the object with the definitions in its ledger, and why the present one is lost."""
        ledger = ensojob.status.ledger
        entries = ledger.definitions if ledger else None
        if not entries or ensojob.why_spec_broken:
            return ensojob
        revisions: dict[int, Revision] = {}
        for entry in entries:
            if definition := self._read(ensojob, entry):
                revisions[entry.number] = Revision(entry.name, definition)
        present = entries[-1]
        return ensojob.with_revisions(
            revisions, "" if present.number in revisions else _lost(present)
        )

    def store(self, ensojob: EnsoJobObject, number: int, definition: Definition) -> EnsoJobObject:
        """Store a definition, if it is not there yet; return the object with it."""
        data = difference(ensojob.spec_definition, definition)
        name = _name_of(ensojob, number, data)
        self._create(ensojob, ChangedDefinition(number=number, name=name), data)
        self._known[name] = definition
        revisions = {**ensojob.revisions, number: Revision(name, definition)}
        return ensojob.with_revisions(revisions)

    def _create(self, ensojob: EnsoJobObject, entry: ChangedDefinition, data: Document) -> None:
        document = {
            "apiVersion": REVISIONS_API,
            "kind": "ControllerRevision",
            "metadata": {
                "name": entry.name,
                "namespace": ensojob.namespace,
                "ownerReferences": [ensojob.owner_reference | {"controller": True}],
            },
            "revision": entry.number,
            "data": data,
        }
        try:
            self._revisions.create(document)
        except Taken as error:
            try:
                revision = self._revisions.get(entry.name)
            except NoSuchObject:
                raise Conflict(f"ControllerRevision {entry.name} has just gone") from error
            if not _is_genuine(revision, ensojob, entry):
                raise Refused(
                    f"a ControllerRevision {entry.name} is there already, and is not this job's: "
                    "delete it"
                ) from error
        except NoSuchObject as error:
            raise JobNotFound(f"job {ensojob.name} is gone with its namespace") from error

    def _read(self, ensojob: EnsoJobObject, entry: ChangedDefinition) -> Definition | None:
        """Return a definition in the ledger; None if it is lost and cannot be rebuilt."""
        if known := self._known.get(entry.name):
            return known
        try:
            revision = self._revisions.get(entry.name)
        except NoSuchObject:
            revision = None
        if revision and _is_genuine(revision, ensojob, entry):
            data: Document | None = revision["data"]
        else:
            data = self._rebuilt(ensojob, entry) if self._repairs else None
            if data is not None and revision is None and not ensojob.is_being_deleted:
                self._create(ensojob, entry, data)
        if data is None:
            return None
        try:
            definition = with_changes(ensojob.document, ResumeSpec.model_validate(data))
        except (InvalidJob, ValidationError):  # valid in an earlier release only
            return None
        self._known[entry.name] = definition
        return definition

    def _rebuilt(self, ensojob: EnsoJobObject, entry: ChangedDefinition) -> Document | None:
        """Return the data of a lost definition, rebuilt from the resumes of the job."""
        data: Document = {}
        for resume in self._resumes(ensojob):
            with suppress(InvalidJob, ValidationError):
                before = ResumeSpec.model_validate(data)
                changed = with_changes(ensojob.document, before, resume)
                data = difference(ensojob.spec_definition, changed)
            if _name_of(ensojob, entry.number, data) == entry.name:
                return data
        return None

    def _resumes(self, ensojob: EnsoJobObject) -> Iterator[ResumeSpec]:
        """Yield the job's resumes, in their order, whose EnsoActions still exist."""
        ledger = ensojob.status.ledger
        actions = {action.action_id: action for action in actions_on(self._actions, ensojob.name)}
        for action_id in (ledger and ledger.actions) or ():
            if action := actions.get(action_id):
                with suppress(InvalidAction):
                    yield action.spec.resume or ResumeSpec()


def _name_of(ensojob: EnsoJobObject, number: int, data: object) -> str:
    return definition_name(ensojob.name, ensojob.uid, number, data)


def _is_genuine(revision: Document, ensojob: EnsoJobObject, entry: ChangedDefinition) -> bool:
    """Whether the object belongs to this job, and its content matches the hash in its name."""
    owners = [reference["uid"] for reference in revision["metadata"].get("ownerReferences") or ()]
    matches_name = _name_of(ensojob, entry.number, revision.get("data")) == entry.name
    return matches_name and ensojob.uid in owners


def _lost(entry: ChangedDefinition) -> str:
    return (
        f"its definition {entry.number} is lost, because ControllerRevision {entry.name} was "
        "deleted or changed, and the job's EnsoActions do not give it again: restore that object "
        "and resume the job, or apply the job under a new name"
    )
