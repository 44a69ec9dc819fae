"""Jobs as EnsoJobs of one namespace: spec is what they are, status how they stand.

A commit is one patch of a status, which the API server refuses if anybody wrote the object since
it was loaded.
"""

from __future__ import annotations

from dataclasses import replace

from enso_operator.api.document import Document
from enso_operator.api.status import EnsoJobStatus
from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.kube.client import NoSuchObject
from enso_operator.kube.definitions import Definitions
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.objects import Objects
from enso_operator.kube.status.conditions import invalid_job_status, waiting_job_status
from enso_operator.kube.status.read import number_of_definition, stored_definitions
from enso_operator.kube.status.size import revised_patch
from enso_operator.kube.status.write import status_of
from enso_operator.manifests.render import suspended_manifest
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.errors import InvalidJob, JobNotFound, Unreadable
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer.unit_of_work import JobUnitOfWork


class KubernetesJobUnitOfWork(JobUnitOfWork):
    """The jobs of one namespace. A job's id is its object's name.

    Besides the errors of every unit of work, each call may raise Unavailable and Refused.
    """

    def __init__(self, jobs: Objects, *, repairs: bool = True) -> None:
        """Take the objects; without `repairs` no lost definition of a job is made again."""
        super().__init__()
        self._objects, self._definitions = jobs, Definitions(jobs, repairs=repairs)
        self._seen: dict[str, EnsoJobObject] = {}
        self._handed_in: dict[str, EnsoJobObject] = {}
        self._uids: dict[str, str] = {}
        """UIDs of the handed-in objects by job id; an object with another UID is another job."""
        self._digests: dict[str, str | None] = {}
        self.location = SessionLocation()
        """Where the committed job's session runs."""

    def hand_in(self, ensojob: EnsoJobObject) -> None:
        """Take an object from the watch, so that the next load of its job makes no request.

        An older object of the job is forgotten.
        """
        name = ensojob.name
        known = self._seen.get(name)
        handed_in, digest = ensojob, self._digests.get(name)
        if digest != ensojob.remembered:  # a copy has nothing parsed
            handed_in = replace(ensojob, remembered=digest)
        if known:
            if int(known.version) >= int(handed_in.version):
                return
            handed_in = known.updated_to(handed_in)
        self.jobs.forget(name)
        self._handed_in[name] = handed_in
        self._uids[name] = handed_in.uid

    def ensojob(self, job_id: str) -> EnsoJobObject:
        """Return the object of a job that was loaded in this ``with`` block, as last known."""
        return self._seen[job_id]

    def commit(self) -> None:
        """Make every change durable; a status also says which generation of the spec it is of.

        So a status is written also without events when the generation has changed, or when it
        lacks the digest of the first spec.
        """
        for job_id, ensojob in self._seen.items():
            if job_id in self.jobs and not ensojob.is_observed:
                self.jobs.touch(job_id)
        super().commit()

    def refuse(self, job_id: str, why: str, at: float) -> None:
        """Write at once that the object, loading which raised InvalidJob, makes no job."""
        ensojob = self.ensojob(job_id)
        self._write(
            ensojob,
            invalid_job_status(why, ensojob.generation, ensojob.status, at),
            ensojob.version,
        )

    def says(self, job_id: str, waits: Cause) -> bool:
        """Whether the status says already that the job waits for this, as `postpone` writes it."""
        ensojob = self.ensojob(job_id)
        status = waiting_job_status(waits, ensojob.generation, ensojob.status, 0.0)
        return not revised_patch(ensojob.status, status)

    def postpone(self, job_id: str, waits: Cause, at: float) -> None:
        """Write at once why the object, loading which raised TemplateMissing, makes no job yet."""
        ensojob = self.ensojob(job_id)
        status = waiting_job_status(waits, ensojob.generation, ensojob.status, at)
        self._write(ensojob, status, ensojob.version)

    def load(self, job_id: str) -> tuple[Job, str]:
        """Return the job and its object's resourceVersion."""
        ensojob = self._handed_in.pop(job_id, None)
        if ensojob is None:
            ensojob = EnsoJobObject.of(self._get(job_id), self._digests.get(job_id))
        self._remember(ensojob)  # also where what follows raises
        ensojob = self._remember(self._definitions.read(ensojob))
        self._digests[job_id] = ensojob.spec_digest
        return ensojob.job(), ensojob.version

    def job_ids(self) -> list[str]:
        """Return the ids, the oldest first; each object is there for the next load."""
        found = [EnsoJobObject.of(document) for document in self._objects.each()]
        found.sort(key=lambda ensojob: (ensojob.created_at, int(ensojob.version)))
        jobs = [ensojob for ensojob in found if _is_job(ensojob)]
        for ensojob in jobs:
            self.hand_in(ensojob)
        return [ensojob.name for ensojob in jobs]

    def save(self, job: Job, events: list[Event], version: int | str | None) -> str:
        """Write what changed of the status; a new job is created, suspended."""
        if version is None:
            ensojob = self._remember(EnsoJobObject(self._objects.create(suspended_manifest(job))))
            if len(job.events) <= 1:  # that it was added, which its creation says
                return ensojob.version
            version = ensojob.version
        del events  # the status is the whole of what is known
        ensojob = self._seen[job.id]
        if 1 not in stored_definitions(ensojob.status):
            self._definitions.pin(ensojob)
        number = job.definition_number
        if number != number_of_definition(ensojob.status) and number not in ensojob.revisions:
            ensojob = self._definitions.store(ensojob, number, job.definition)
        status = status_of(
            job,
            ensojob.generation,
            ensojob.status_with_template,
            self.location,
            ensojob.spec_digest,
            ensojob.definition_names,
        )
        return self._write(ensojob, status, str(version))

    def rollback(self) -> None:
        """Forget what was not committed, and the objects."""
        super().rollback()
        self._seen.clear()

    def _write(self, ensojob: EnsoJobObject, status: EnsoJobStatus, version: str) -> str:
        patch = revised_patch(ensojob.status, status)
        if not patch:
            return version
        try:
            document = self._objects.patch_status(ensojob.name, version, patch)
        except NoSuchObject as error:
            raise JobNotFound(f"job {ensojob.name} is gone: somebody deleted it") from error
        return self._remember(ensojob.written(document)).version

    def _get(self, job_id: str) -> Document:
        try:
            return self._objects.get(job_id)
        except NoSuchObject as error:
            raise JobNotFound(
                f"there is no job {job_id!r} in namespace {self._objects.namespace!r}"
            ) from error

    def _remember(self, ensojob: EnsoJobObject) -> EnsoJobObject:
        if self._uids.get(ensojob.name, ensojob.uid) != ensojob.uid:
            raise JobNotFound(f"job {ensojob.name} is gone: another one has its name now")
        if self.entered:
            self._seen[ensojob.name] = ensojob
        return ensojob


def _is_job(ensojob: EnsoJobObject) -> bool:
    """Whether the object makes a job; one that does not must not hide all others."""
    if ensojob.template and not ensojob.expansion:
        return bool(stored_definitions(ensojob.status))
    try:
        ensojob.job()
    except (InvalidJob, Unreadable):
        return False
    return True
