"""What is shown of the EnsoJobs of one namespace; `cluster_backend` adds what changes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from typing import TypeVar

from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.blocking import in_thread
from enso_operator.http_api.asked import AskedAction, asked_in
from enso_operator.http_api.blame import Refusal
from enso_operator.http_api.cluster_namespaces import namespaces_of
from enso_operator.http_api.cluster_offers import scripts_in, templates_in
from enso_operator.http_api.cluster_output import AttemptLogs, place_of_local_session
from enso_operator.http_api.cluster_rights import rights_of
from enso_operator.http_api.cluster_rows import KeptRows, Listing, read_listing
from enso_operator.http_api.cluster_watch import JobWatch
from enso_operator.http_api.defaults import FailureDefaults
from enso_operator.http_api.definitions import Manifests, manifests_of
from enso_operator.http_api.offers import Offer
from enso_operator.http_api.outlook import Outlook, outlook_of
from enso_operator.http_api.port import JobSnapshot, NotAllowed, NotSignedIn
from enso_operator.http_api.rights import Rights
from enso_operator.http_api.rows import Rows
from enso_operator.kube.client import (
    DEADLINE_SECONDS,
    Forbidden,
    NoSuchObject,
    Refused,
    Unauthorized,
)
from enso_operator.kube.ensoaction import ACTIONS, actions_on
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.library import SCRIPTS, EnsoScriptLibrary
from enso_operator.kube.objects import Objects
from enso_operator.kube.status.conditions import card_in, message_in
from enso_operator.kube.status.fields import one_line
from enso_operator.kube.streams import Streams
from enso_operator.kube.templates import TEMPLATES, TemplateMissing
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from enso_operator.manifests.unsuspend import unsuspend_command
from enso_operator.sessions.pods import names
from job_execution_framework.domain.actions import SUSPENDED_BY_SPEC
from job_execution_framework.domain.errors import InvalidJob, Unavailable, Unreadable
from job_execution_framework.domain.failure_card import FailureCard
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.parameters import Parameters
from job_execution_framework.domain.script import Script, declared_by
from job_execution_framework.domain.transitions import ENDED, JobState
from job_execution_framework.service_layer.library import resolved

RIGHTS_SECONDS = 30.0
"""How old what is known of somebody's rights may be; what they do is checked each time."""
R = TypeVar("R")


class ClusterReads:
    """The part of `port.Jobs` that changes nothing."""

    def __init__(self, jobs: Objects, streams: Streams, most_calls: int) -> None:
        self._jobs, self._streams = jobs, streams
        self._slots = asyncio.Semaphore(most_calls)
        self._rows = KeptRows(self._read_rows)
        self._rights: Rights | None = None
        self._rights_at = 0.0
        self._defaults = FailureDefaults(
            lambda since: EnsoScriptLibrary(jobs.beside(SCRIPTS), unchanged_since=since)
        )
        self.watch = JobWatch(jobs.namespace, streams, self._listing)

    @property
    def namespace(self) -> str:
        """The namespace of these jobs."""
        return self._jobs.namespace

    async def list(self) -> list[tuple[str, str]]:
        """Return the name and the state of each EnsoJob, also of invalid ones."""
        return await self._call(lambda: _list_jobs(self._jobs))

    async def rows(self) -> Rows:
        """Return the columns of the EnsoJobs, also of invalid ones.

        They come from the watch, if there is one as somebody listens to changes.
        """
        return self.watch.rows() if self.watch.is_live else await self._rows.get()

    async def outlook(self, spec: EnsoActionSpec) -> Outlook:
        """Compute what a resume would do, with the same code as the operator."""
        return await self._call(lambda: self._outlook(spec))

    def _outlook(self, spec: EnsoActionSpec) -> Outlook:
        ensojob, job = self._loaded(spec.job)
        if ensojob.broken:
            return Outlook(job, (Refusal(f"job {job.id} cannot go on: {ensojob.broken}"),))
        library = EnsoScriptLibrary(self._jobs.beside(SCRIPTS))

        def taken(script: Script) -> Parameters | None:
            with suppress(Forbidden):  # the operator, which may read them, compares them again
                return declared_by(resolved(script.work, library))
            return None

        outlook = outlook_of(job, spec, lambda: ensojob.manifest, taken)
        if outlook.why_not.endswith(SUSPENDED_BY_SPEC):
            command = unsuspend_command(ensojob.namespace, job.id)
            why_not = f"{outlook.why_not} with {command}"
            return replace(outlook, refusals=(Refusal(why_not),))
        return outlook

    async def manifests(self, job_id: str) -> Manifests:
        """Return the object as applied, and with what a template and resumes have made of it."""
        return await self._call(lambda: self._manifests(job_id))

    def _manifests(self, job_id: str) -> Manifests:
        ensojob, job = self._loaded(job_id)
        if ensojob.broken:
            raise InvalidJob(f"job {job_id}: {ensojob.broken}")
        before = ensojob.spec_definition
        return manifests_of(ensojob.document, ensojob.manifest, before, job.definition)

    async def library(self) -> Sequence[Offer]:
        """Return the EnsoScripts, and the scripts that come with enso."""
        return await self._call(lambda: scripts_in(self._jobs.beside(SCRIPTS)))

    async def templates(self) -> Sequence[Offer]:
        """Return the EnsoJobTemplates."""
        templates, scripts = self._jobs.beside(TEMPLATES), self._jobs.beside(SCRIPTS)
        return await self._call(lambda: templates_in(templates, scripts))

    async def asked(self, job_id: str) -> Sequence[AskedAction]:
        """Return the EnsoActions on the job."""
        try:
            return await self._call(lambda: self._asked(job_id))
        except NotAllowed:
            return []

    def _asked(self, job_id: str) -> Sequence[AskedAction]:
        uid = self._ensojob(job_id).uid
        return asked_in(actions_on(self._jobs.beside(ACTIONS), job_id), uid)

    async def namespaces(self) -> Sequence[str]:
        """Return the namespaces in which the caller may list jobs."""
        return await self._call(lambda: namespaces_of(self._jobs))

    async def rights(self) -> Rights:
        """Return what the caller may not do, as it was a moment ago."""
        now = asyncio.get_running_loop().time()
        if self._rights is None or now - self._rights_at > RIGHTS_SECONDS:
            self._rights = await self._call(lambda: rights_of(self._jobs))
            self._rights_at = now
        return self._rights

    async def _read_rows(self) -> Rows:
        listing = await self._listing()
        return Rows.of(listing.rows, is_complete=listing.is_complete)

    async def _listing(self) -> Listing:
        return await self._call(lambda: read_listing(self._jobs))

    async def changes(self, job_id: str = "") -> AsyncGenerator[None]:
        """Tell changes of one job or of all, by one watch for all who listen."""
        with self._translated():
            async with aclosing(self.watch.changes.of(job_id)) as changes:
                async for _ in changes:
                    yield

    async def get(self, job_id: str) -> JobSnapshot:
        """Return the job, restored from its status."""
        return await self._call(lambda: self._get(job_id))

    async def defaults(self, job: Job) -> Mapping[str, object]:
        """Return what the script at which the job failed got by default.

        Nothing for a caller who may not read it, or while the API server is away.
        """
        with suppress(NotAllowed, NotSignedIn, InvalidJob, Unavailable):
            return await self._call(lambda: self._defaults.of(job))
        return {}

    async def output(
        self, job_id: str, script: str, attempt: int, *, is_following: bool = False
    ) -> AsyncGenerator[bytes]:
        """Yield what an attempt wrote, out of the log of its Pod."""
        ensojob, job = await self._call(lambda: self._loaded(job_id))
        selector = f"{names.JOB_UID_LABEL}={ensojob.uid}"
        pods = self._jobs.beside("pods", "v1")
        logs = AttemptLogs(
            *(job, script, attempt),
            pods=lambda: self._call(lambda: [*pods.each(labels=selector)]),
            streams=self._streams,
            where=place_of_local_session(ensojob),
        )
        with self._translated():
            async with aclosing(logs.pieces(is_following=is_following)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _call(self, call: Callable[[], R]) -> R:
        """Make a blocking call in a thread; convert errors of the API server to the port's."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise Unavailable("too many requests wait for the API server: try later") from None
        try:
            with self._translated():
                return await in_thread(call)
        finally:
            self._slots.release()

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Convert errors of the API server to the port's."""
        try:
            yield
        except Unauthorized as error:
            raise NotSignedIn(str(error)) from error
        except Forbidden as error:
            raise NotAllowed(str(error)) from error
        except Refused as error:
            raise InvalidJob(str(error)) from error
        except NoSuchObject as error:
            raise Unavailable(
                f"namespace {self._jobs.namespace!r} cannot hold it: {error}"
            ) from error

    def _unit_of_work(self) -> KubernetesJobUnitOfWork:
        return KubernetesJobUnitOfWork(self._jobs, repairs=False)  # it has no permission to

    def _get(self, job_id: str) -> JobSnapshot:
        with self._unit_of_work() as uow:
            try:
                job = uow.jobs.get(job_id)
                ensojob = uow.ensojob(job_id)
                may_start = ensojob.is_suspended and not ensojob.has_started
                is_new = may_start and job.state not in ENDED
                said = message_in(ensojob.status)
                card = card_in(ensojob.status)
                return JobSnapshot(job_id, ensojob.state, card, job, is_new, said)
            except TemplateMissing as error:  # as the operator says it
                why, state = str(error), uow.ensojob(job_id).state
            except InvalidJob as error:  # the operator will report the same
                why, state = str(error), str(JobState.FAILED)
            except Unreadable as error:  # perhaps written by a newer operator
                why, state = str(error), uow.ensojob(job_id).state
        return JobSnapshot(job_id, state, FailureCard(one_line(why), (one_line(why),)), None)

    def _ensojob(self, job_id: str) -> EnsoJobObject:
        """Return the object, also if it is invalid, or written by a newer operator."""
        with self._unit_of_work() as uow:
            with suppress(InvalidJob, Unreadable, TemplateMissing):
                uow.jobs.get(job_id)
            return uow.ensojob(job_id)

    def _loaded(self, job_id: str) -> tuple[EnsoJobObject, Job]:
        """Return the object and its job; raise JobNotFound, and InvalidJob for what is no job."""
        with self._unit_of_work() as uow:
            try:
                job = uow.jobs.get(job_id)
                return uow.ensojob(job_id), job
            except (Unreadable, TemplateMissing) as error:
                raise InvalidJob(f"job {job_id} cannot be read: {error}") from error


def _list_jobs(jobs: Objects) -> list[tuple[str, str]]:
    """Return the name and state of all jobs, the oldest first; times have whole seconds."""
    ensojobs = map(EnsoJobObject, jobs.each())  # one by one: all of them may not fit into memory
    keys = [(ensojob.created_at, ensojob.name, ensojob.state) for ensojob in ensojobs]
    return [(name, state) for _, name, state in sorted(keys)]
