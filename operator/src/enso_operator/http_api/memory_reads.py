"""What is shown of jobs in memory; `memory_backend` adds what changes and runs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Self

from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.http_api import memory_manifests
from enso_operator.http_api.asked import AskedAction
from enso_operator.http_api.changes import Changes
from enso_operator.http_api.defaults import FailureDefaults, UnchangedFiles
from enso_operator.http_api.definitions import Manifests
from enso_operator.http_api.memory_offers import scripts_of, templates_of
from enso_operator.http_api.memory_output import Place, output_of, place_in
from enso_operator.http_api.memory_rows import OF_NONE, RunOf, row_of
from enso_operator.http_api.offers import Offer
from enso_operator.http_api.outlook import Outlook, outlook_of
from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.rights import ALLOWED, Rights
from enso_operator.http_api.rows import JobRow, Rows
from enso_operator.kube.status import columns
from enso_operator.kube.status.conditions import message_of
from enso_operator.manifests.render import suspended_manifest
from enso_operator.manifests.template_folder import TemplateFolder
from enso_operator.sessions.local.sessions import OUTPUT
from job_execution_framework.domain.errors import JobNotFound
from job_execution_framework.domain.failed_run import failed_run
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.parameters import Parameters
from job_execution_framework.domain.progress import Progress
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.transitions import ENDED
from job_execution_framework.service_layer.library import Library, resolved
from job_execution_framework.service_layer.preflight import taken_by
from job_execution_framework.service_layer.unit_of_work import (
    InMemoryJobUnitOfWork,
    InMemoryRepository,
)

LOOK_SECONDS = 0.25
"""Between two looks which jobs have changed."""

Version = tuple[int, Progress | None]
"""What is another one after each change of a job."""


class EmbeddedReads:
    """The part of `port.Jobs` that changes nothing."""

    def __init__(self, library: Library, templates: TemplateFolder, ended: int) -> None:
        """`ended` is how many jobs are kept that have ended."""
        self._library, self._templates = library, templates
        self._repository, self._most_ended = InMemoryRepository(), ended
        self._changes = Changes(self._watch)
        """Everybody who waits for changes."""
        self._executed = set[str]()
        """The ids of jobs that were executed."""
        self._runs = dict[str, RunOf]()
        """Of which template each job is a run, where it is."""
        self._rows = dict[str, tuple[Version, JobRow]]()
        """The row of each job, and of which version it is."""
        self._defaults = FailureDefaults(lambda since: UnchangedFiles(library, since))
        self._root = Path()
        """The folder that has a folder for each job."""

    @property
    def namespace(self) -> str:
        """None."""
        return ""

    async def list(self) -> list[tuple[str, str]]:
        """Return the id and the state of each job."""
        with self._repository.lock:
            return [(job.id, str(job.state)) for job in self._repository.jobs.values()]

    async def rows(self) -> Rows:
        """Return the columns of all jobs; those of jobs that have not changed are kept."""
        with self._repository.lock:
            before, self._rows = self._rows, dict[str, tuple[Version, JobRow]]()
            for job in self._repository.jobs.values():
                version, row = _version(job), None
                if job.id in before and before[job.id][0] == version:
                    row = before[job.id][1]
                self._rows[job.id] = version, row or row_of(job, self._run_of(job.id))
        return Rows.of(row for _, row in self._rows.values())

    def _run_of(self, job_id: str) -> RunOf:
        return self._runs.get(job_id, OF_NONE)

    async def get(self, job_id: str) -> JobSnapshot:
        """Return the job as it is now, and why it failed."""
        job = self._load(job_id)
        run = failed_run(job)
        log = str(self._root / job_id / run / OUTPUT) if run else ""
        card, may_start = failure_card(job, log=log), self._waits_to_be_executed(job)
        said = "" if card else message_of(job, (), columns.waits(job))
        return JobSnapshot(job.id, str(job.state), card, job, may_start, said)

    async def defaults(self, job: Job) -> Mapping[str, object]:
        """Return what the script at which the job failed got by default."""
        return await asyncio.to_thread(self._defaults.of, job)

    def _waits_to_be_executed(self, job: Job) -> bool:
        return job.id not in self._executed and job.state not in ENDED

    def output(
        self, job_id: str, script: str, attempt: int, *, is_following: bool = False
    ) -> AsyncGenerator[bytes]:
        """Yield what an attempt wrote, out of the file of its session."""

        def place() -> Place:
            with self._repository.lock:
                job = self._repository.jobs.get(job_id)
                if job is not None:
                    return place_in(job, script, attempt)
            raise self._not_found(job_id)

        return output_of(place, self._root / job_id, is_following=is_following)

    async def outlook(self, spec: EnsoActionSpec) -> Outlook:
        """Compute what a resume would do."""
        job = self._load(spec.job)

        def taken(script: Script) -> Parameters | None:
            return taken_by(resolved(script.work, self._library))

        return await asyncio.to_thread(
            outlook_of, job, spec, lambda: suspended_manifest(job), taken
        )

    async def manifests(self, job_id: str) -> Manifests:
        """Return the manifest that describes the job as it is; that of before only for a run."""
        return memory_manifests.manifests_of(self._load(job_id), self._run_of(job_id))

    async def library(self) -> Sequence[Offer]:
        """Return the scripts of this machine."""
        return await asyncio.to_thread(scripts_of, self._library)

    async def templates(self) -> Sequence[Offer]:
        """Return the templates of the folder."""
        return await asyncio.to_thread(templates_of, self._templates, self._library)

    async def rights(self) -> Rights:
        """Return that everything is allowed: nobody is asked who they are."""
        return ALLOWED

    async def asked(self, job_id: str) -> Sequence[AskedAction]:
        """Return none: the events of jobs in memory tell it."""
        del job_id
        return []

    async def namespaces(self) -> Sequence[str]:
        """Return none."""
        return []

    def within(self, namespace: str) -> Self:
        """Refuse: there is no namespace."""
        raise JobNotFound(f"there is no namespace {namespace!r}: these jobs are in memory")

    async def changes(self, job_id: str = "") -> AsyncGenerator[None]:
        """Tell changes of one job or of all, by one look for all who listen."""
        if job_id:
            self._load(job_id)
        async with aclosing(self._changes.of(job_id)) as changes:
            async for _ in changes:
                yield

    async def _watch(self) -> None:
        """Look again and again which jobs have changed, as long as somebody listens."""
        seen = self._versions()
        self._changes.tell()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            before, seen = seen, self._versions()
            for job_id in before.keys() | seen.keys():
                if before.get(job_id) != seen.get(job_id):
                    self._changes.tell(job_id)

    def _versions(self) -> dict[str, Version]:
        with self._repository.lock:
            return {job.id: _version(job) for job in self._repository.jobs.values()}

    def _load(self, job_id: str) -> Job:
        try:
            return InMemoryJobUnitOfWork(self._repository).jobs.get(job_id)
        except JobNotFound as error:
            raise self._not_found(job_id) from error

    def _not_found(self, job_id: str) -> JobNotFound:
        return JobNotFound(
            f"there is no job {job_id!r}; jobs are kept since this server started, and of those "
            f"that have ended the last {self._most_ended}"
        )


def _version(job: Job) -> Version:
    return len(job.events), job.progress
