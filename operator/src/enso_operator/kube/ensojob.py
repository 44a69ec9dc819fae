"""An EnsoJob object at one resourceVersion, with what others read from it.

The unit of work makes jobs of these objects, the reconciler and the command line read their state,
and sessions take their owner from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from pydantic import ValidationError

from enso_operator.api.digest import digest_of, is_comparable
from enso_operator.api.document import Document
from enso_operator.api.rules import broken_rules
from enso_operator.api.status import EnsoJobStatus, TemplateStatus
from enso_operator.api.v1alpha1 import API_VERSION, EnsoJob
from enso_operator.kube.resource import JobKey, ResourceObject
from enso_operator.kube.status.read import definition_in, number_of_definition, restored
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.template import as_written_out
from enso_operator.manifests.to_domain import job_definition
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import InvalidJob, Unreadable
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import JobState

KIND = "ensojobs"
"""The plural in paths of the API server."""
_OF_OTHERS = ("annotations", "managedFields")
TRACEPARENT = "enso.dev/traceparent"
"""Annotation: what the job is a part of, as the W3C's Trace Context says it."""
LONGEST_TRACEPARENT = 55
SPEC_CHANGED = (
    "its spec was changed after the operator first saw it, so it says no more what has run: apply "
    "the changed job under a new name"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """Name and version of an EnsoJob: all that is held of one that needs no work."""

    namespace: str
    name: str
    uid: str
    version: str


@dataclass(frozen=True)
class Revision:
    """A changed definition of the job, and the ControllerRevision that holds its changes."""

    name: str
    definition: Definition


@dataclass(frozen=True)
class Expansion:
    """What a template makes of a run: its definition 1, pinned in a ControllerRevision."""

    revision: str
    """Name of the ControllerRevision."""
    template: TemplateStatus
    spec: Document
    """The spec of a job, without references."""

    @property
    def data(self) -> Document:
        """The data of the ControllerRevision, from which the expansion is read again."""
        return expansion_data(self.template, self.spec)


def expansion_data(template: TemplateStatus, spec: Document) -> Document:
    """Return what a ControllerRevision holds of an expansion."""
    return {"template": template.model_dump(by_alias=True, exclude_none=True), "spec": spec}


@dataclass(frozen=True)
class EnsoJobObject(ResourceObject):
    """An EnsoJob as the API server had it at one moment."""

    remembered: str | None = None
    """Digest of the spec as first seen, held in memory, as an older CRD prunes it."""
    revisions: Mapping[int, Revision] = field(default_factory=dict[int, Revision])
    """The changed definitions that were read (`kube/definitions.py`), by number."""
    lost: str = ""
    """Why the present definition is not among them, if it ought to be."""
    expansion: Expansion | None = None
    """What the template makes of the job, once it was read (`kube/definitions.py`)."""

    @classmethod
    def of(cls, document: Document, remembered: str | None = None) -> EnsoJobObject:
        """Return the object without managedFields and all but one annotation: they may be large."""
        metadata: Document = document["metadata"]
        kept = {key: value for key, value in metadata.items() if key not in _OF_OTHERS}
        annotations: Document = metadata.get("annotations") or {}
        if len(traceparent := str(annotations.get(TRACEPARENT, ""))) == LONGEST_TRACEPARENT:
            kept["annotations"] = {TRACEPARENT: traceparent}
        return cls(document | {"metadata": kept}, remembered)

    @property
    def key(self) -> JobKey:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def owner_reference(self) -> Document:
        """The ownerReference of an object that is deleted with the job."""
        return {"apiVersion": API_VERSION, "kind": "EnsoJob", "name": self.name, "uid": self.uid}

    @property
    def reference(self) -> Reference:
        """Reference to this version of the object."""
        return Reference(self.namespace, self.name, self.uid, self.version)

    @property
    def template(self) -> str:
        """Name of the template that the job is a run of; "" where it has scripts of its own."""
        reference: Document = self.document["spec"].get("templateRef") or {}
        return str(reference.get("name") or "")

    @property
    def traceparent(self) -> str:
        """What its annotation says that it is a part of; "" where there is none."""
        annotations: Document = self.document["metadata"].get("annotations") or {}
        return str(annotations.get(TRACEPARENT, ""))

    @property
    def manifest(self) -> Document:
        """The document; that of a run as if its author had written what the template gives."""
        if self.expansion is None:
            return self.document
        return as_written_out(self.document, self.expansion.spec)

    @property
    def is_observed(self) -> bool:
        """Whether the status is about this generation, and has a digest of the first spec."""
        is_of_now = self.status.observed_generation == self.generation
        return is_of_now and self._status_digest is not None

    @property
    def created_at(self) -> float:
        """When it was created, in whole seconds since the epoch."""
        return datetime.fromisoformat(self.document["metadata"]["creationTimestamp"]).timestamp()

    # Read from the raw document, also where the spec makes no job.

    @property
    def raw_ledger(self) -> Document:
        """The status's ledger as JSON; empty where there is none."""
        ledger: Document = self.raw_status.get("ledger") or {}
        return ledger

    @property
    def state(self) -> str:
        """The job's state, as kubectl shows it.

        While nothing of the job runs, the spec decides, not the condition, which may not have been
        written yet: a new job is Suspended, and an executed one Waiting, at once.
        """
        said = self.condition("Succeeded").get("reason")
        if said not in (None, JobState.WAITING, JobState.SUSPENDED):
            return str(said)
        if said == JobState.SUSPENDED and self.is_paused:
            return str(said)
        return str(JobState.SUSPENDED if self.is_suspended else JobState.WAITING)

    @property
    def is_suspended(self) -> bool:
        """Whether spec.suspend is true."""
        return bool(self.document["spec"].get("suspend"))

    @property
    def is_paused(self) -> bool:
        """Whether somebody paused the job, and the pause has begun."""
        pause: Document | None = self.raw_ledger.get("pause")
        return pause is not None and not pause.get("after")

    @property
    def has_started(self) -> bool:
        """Whether the operator has started the job."""
        return bool(self.raw_status.get("startTime"))

    @property
    def needs_work(self) -> bool:
        """Whether the job has not ended, or its spec was changed since."""
        observed = self.raw_status.get("observedGeneration")
        return not self.is_finished or observed != self.document["metadata"]["generation"]

    @property
    def is_being_deleted(self) -> bool:
        """Whether the object has a deletionTimestamp, and waits for finalizers."""
        return bool(self.document["metadata"].get("deletionTimestamp"))

    @property
    def expires_at(self) -> float | None:
        """When the job's time to live is over, in seconds since the epoch.

        None where it has not ended, has no time to live, or is being deleted already.
        """
        template: Document = self.raw_status.get("template") or {}
        field = "ttlSecondsAfterFinished"
        seconds: int | None = self.document["spec"].get(field, template.get(field))
        ended: str | None = self.raw_status.get("completionTime")
        if seconds is None or ended is None or self.is_being_deleted:
            return None
        return datetime.fromisoformat(ended).timestamp() + seconds

    @property
    def committed_uid(self) -> str:
        """The uid of the open session run in the ledger; "" where there is none."""
        run: Document = self.raw_ledger.get("run") or {}
        return str(run.get("uid") or "")

    # Parsed.

    @cached_property
    def status(self) -> EnsoJobStatus:
        """The parsed status. Raises Unreadable."""
        try:
            return EnsoJobStatus.model_validate(self.document.get("status") or {})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise Unreadable(
                f"the status of job {self.name} is none: {place}: {first['msg']}"
            ) from error

    @property
    def status_with_template(self) -> EnsoJobStatus:
        """The parsed status, with the template from which the job was made."""
        if self.expansion is None:
            return self.status
        return self.status.model_copy(update={"template": self.expansion.template})

    @cached_property
    def resource(self) -> EnsoJob:
        """The parsed manifest. Raises InvalidJob."""
        return parse_ensojob(self.manifest)

    @cached_property
    def _parsed(self) -> tuple[Definition | None, str] | InvalidJob:
        """The job's definition and the digest of the spec, or why the spec makes no job.

        A run of a template has no definition before its expansion was read.
        """
        try:
            if not self.template:
                return job_definition(self.resource), digest_of(self.resource.spec)
            resource = parse_ensojob(self.document)
            if broken := [*broken_rules(resource)]:
                return InvalidJob("; ".join(broken))
            definition = job_definition(self.resource) if self.expansion else None
            return definition, digest_of(resource.spec)
        except InvalidJob as error:
            return error

    @property
    def spec_digest(self) -> str | None:
        """Digest of the first spec; of the present one where no comparable digest is known."""
        first = self._status_digest or self.remembered
        if first or isinstance(self._parsed, InvalidJob):
            return first
        return self._parsed[1]

    @property
    def _status_digest(self) -> str | None:
        digest = self.status.ledger and self.status.ledger.spec_digest
        return digest if digest and is_comparable(digest) else None

    @property
    def broken(self) -> str | None:
        """Why a job that was seen before cannot go on with its present definition; else None."""
        return self.why_spec_broken or self.lost or None

    @property
    def why_spec_broken(self) -> str | None:
        """Why a job that was seen before cannot go on with its present spec; else None."""
        if self.status.scripts is None:
            return None
        if isinstance(self._parsed, InvalidJob):
            return str(self._parsed)
        return SPEC_CHANGED if self.spec_digest != self._parsed[1] else None

    @property
    def definition_names(self) -> dict[int, str]:
        """The names of the ControllerRevisions of its changed definitions, by number."""
        ledger = self.status.ledger
        entries = (ledger and ledger.definitions) or ()
        names = {entry.number: entry.name for entry in entries}
        if self.expansion:
            names[1] = self.expansion.revision
        return names | {number: revision.name for number, revision in self.revisions.items()}

    @property
    def spec_definition(self) -> Definition:
        """What the spec or its template describes, without resumes. Raises InvalidJob."""
        if isinstance(self._parsed, InvalidJob):
            raise self._parsed
        if self._parsed[0] is None:
            raise InvalidJob(f"it is a run of template {self.template}, which was not read yet")
        return self._parsed[0]

    def written(self, document: Document) -> EnsoJobObject:
        """Return the object after a write of its status, sharing the parsed spec."""
        newer = self._with_spec_of_ours(EnsoJobObject.of(document, self.remembered))
        return newer.with_revisions(self.revisions, self.lost)

    def updated_to(self, later: EnsoJobObject) -> EnsoJobObject:
        """Return a later version of the object; an unchanged spec is shared with this one."""
        is_same = later.document["spec"] == self.document["spec"]
        return self._with_spec_of_ours(later) if is_same else later

    def _with_spec_of_ours(self, later: EnsoJobObject) -> EnsoJobObject:
        newer = replace(
            later,
            document=later.document | {"spec": self.document["spec"]},
            expansion=self.expansion,
        )
        vars(newer)["_parsed"] = self._parsed
        return newer

    def with_expansion(self, expansion: Expansion) -> EnsoJobObject:
        """Return the object with what its template makes of it."""
        return replace(self, expansion=expansion)

    def with_revisions(self, revisions: Mapping[int, Revision], lost: str = "") -> EnsoJobObject:
        """Return the object with the changed definitions that were read for it."""
        newer = replace(self, revisions=revisions, lost=lost)
        vars(newer)["_parsed"] = self._parsed
        return newer

    def job(self) -> Job:
        """Return the job. Raises InvalidJob, and Unreadable.

        The job of a `broken` object is made from its status alone; one whose changed definition was
        not read, as its spec describes it.
        """
        known = {number: revision.definition for number, revision in self.revisions.items()}
        if not self.why_spec_broken and (self.expansion or not self.template or not self.lost):
            known[1] = self.spec_definition
        if self.broken:
            definition = definition_in(self.status)
        else:
            definition = known.get(number_of_definition(self.status), known[1])
        job = Job(self.name, definition.scripts, definition.sessions, definition.deadline_seconds)
        try:
            return restored(job, self.status, self.created_at, known)
        except (ValueError, KeyError) as error:
            raise Unreadable(f"the status of job {self.name} is none: {error}") from error
