"""Stores definitions of jobs as ControllerRevisions (apps/v1), whose data is immutable.

A resume that changes scripts or sessions creates a new definition of its job; of a run of a
template, definition 1 is what the template makes of it (`kube/templates.py`). The unit of work
stores them here before it writes the status, whose ledger has their names, and reads them here
when it loads the job. A ControllerRevision has the expansion of the template, or the difference
from definition 1. Its name has a hash of the job's uid and that content, so an object that does
not match the ledger's name is not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pydantic import ValidationError

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import ResumeSpec
from enso_operator.api.status import ChangedDefinition, TemplateStatus
from enso_operator.kube.client import NoSuchObject, Refused, Taken
from enso_operator.kube.definition_names import definition_name
from enso_operator.kube.ensoaction import ACTIONS, actions_on
from enso_operator.kube.ensojob import EnsoJobObject, Expansion, Revision
from enso_operator.kube.objects import Objects
from enso_operator.kube.templates import TEMPLATES, TemplateMissing, expanded
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
        self._templates = jobs.beside(TEMPLATES)
        self._repairs = repairs
        """Whether a lost definition is rebuilt from the job's EnsoActions, and stored again."""
        self._known: dict[str, Definition] = {}
        """Verified definitions by the name of their ControllerRevision."""
        self._expansions: dict[str, Expansion] = {}
        """Verified expansions of templates, in the same way."""

    def read(self, ensojob: EnsoJobObject) -> EnsoJobObject:
        """Return the object with the definitions in its ledger, and why the present one is lost."""
        ledger = ensojob.status.ledger
        entries = [*((ledger and ledger.definitions) or ())]
        if ensojob.why_spec_broken:
            return ensojob
        if ensojob.template:
            ensojob = self._with_expansion(ensojob, next(iter(entries), None))
            entries = entries[1:]
            if ensojob.lost:
                return ensojob
        if not entries:
            return ensojob
        revisions: dict[int, Revision] = {}
        for entry in entries:
            if definition := self._read(ensojob, entry):
                revisions[entry.number] = Revision(entry.name, definition)
        present = entries[-1]
        return ensojob.with_revisions(
            revisions, "" if present.number in revisions else _lost(present)
        )

    def _with_expansion(
        self, ensojob: EnsoJobObject, entry: ChangedDefinition | None
    ) -> EnsoJobObject:
        """Return a run of a template with its expansion: the pinned one, or at first sight a new.

        Raises InvalidJob and TemplateMissing at first sight.
        """
        if entry is None:
            return ensojob if ensojob.expansion else expanded(ensojob, self._templates)
        if ensojob.expansion and ensojob.expansion.revision == entry.name:
            return ensojob
        if expansion := self._expansions.get(entry.name) or self._pinned(ensojob, entry):
            self._expansions[entry.name] = expansion
            return ensojob.with_expansion(expansion)
        return ensojob.with_revisions({}, _lost_expansion(ensojob, entry))

    def _pinned(self, ensojob: EnsoJobObject, entry: ChangedDefinition) -> Expansion | None:
        """Return the expansion in the ledger; None if it is lost and the template has changed."""
        try:
            revision = self._revisions.get(entry.name)
        except NoSuchObject:
            revision = None
        if revision and _is_genuine(revision, ensojob, entry):
            data: Document = revision["data"]
            template = TemplateStatus.model_validate(data["template"])
            return Expansion(entry.name, template, data["spec"])
        if not self._repairs:
            return None
        with suppress(InvalidJob, TemplateMissing):
            again = expanded(ensojob, self._templates).expansion
            if again and again.revision == entry.name:
                if revision is None and not ensojob.is_being_deleted:
                    self._create(ensojob, entry, again.data)
                return again
        return None

    def pin(self, ensojob: EnsoJobObject) -> None:
        """Store what the template makes of a run, if it is not there yet."""
        if expansion := ensojob.expansion:
            entry = ChangedDefinition(number=1, name=expansion.revision)
            self._create(ensojob, entry, expansion.data)
            self._expansions[entry.name] = expansion

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
            definition = with_changes(ensojob.manifest, ResumeSpec.model_validate(data))
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
                changed = with_changes(ensojob.manifest, before, resume)
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


def _lost_expansion(ensojob: EnsoJobObject, entry: ChangedDefinition) -> str:
    return (
        f"what template {ensojob.template} made of it is lost, because ControllerRevision "
        f"{entry.name} was deleted or changed, and the template is not what it was: restore that "
        "object and resume the job, or apply the job under a new name"
    )
