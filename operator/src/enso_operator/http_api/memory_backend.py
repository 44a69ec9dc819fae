"""The HTTP API's backend without a cluster: jobs in memory, run by local sessions."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic.alias_generators import to_camel

from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.api.template import new_run_name
from enso_operator.coordinator.progress_budget import ProgressBudget
from enso_operator.http_api.action_requests import idempotency_id
from enso_operator.http_api.executed import what_helps
from enso_operator.http_api.memory_drive import Drive, has_work, log_events
from enso_operator.http_api.memory_reads import EmbeddedReads
from enso_operator.http_api.memory_rows import OF_NONE, RunOf
from enso_operator.http_api.memory_size import memory_of
from enso_operator.http_api.port import ActionOutcome, Busy, Instructions
from enso_operator.manifests.changes import changed_definition
from enso_operator.manifests.render import suspended_manifest
from enso_operator.manifests.template_folder import TemplateFolder
from enso_operator.manifests.to_action import action_of
from enso_operator.observability.traced_job import TracedJob
from enso_operator.observability.tracing import JobTrace, Tracing
from enso_operator.sessions.local.guardian import Guardian
from job_execution_framework.domain.actions import Action
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import (
    Conflict,
    InvalidJob,
    JobAlreadyStarted,
    Unavailable,
)
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import ENDED, JobState
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import Library, ScriptLibrary
from job_execution_framework.service_layer.preflight import check_arguments
from job_execution_framework.service_layer.unit_of_work import (
    InMemoryJobUnitOfWork,
)

POD_FIELDS = {"resources", "node_selector", "tolerations"}
"""Fields of a session that only apply to Pods."""
EVENT_BYTES = 1000
"""Memory of an action's event, beside its texts; 370 to 590 were measured."""
MOST_TRIES = 5
"""Tries to act on a job whose session records events at the same time."""
STOP_SECONDS = 2.5
"""How long running scripts may clean up when the server stops."""
KILL_SECONDS = 1.0
"""How long to wait for scripts after they were killed."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Limits of the server's memory and of the machine's load."""

    sessions: int = 2 * (os.cpu_count() or 1)
    """Jobs that run at the same time; others wait."""
    ended: int = 1000
    """Ended jobs that are kept."""
    live: int = 1000
    """Jobs that have not ended."""
    memory_bytes: int = 64 * 1024 * 1024
    """Memory of all jobs together: their instructions, events and outputs of scripts."""


class EmbeddedJobs(EmbeddedReads):
    """Implements `port.Jobs`. A context manager: it runs jobs until it is exited."""

    def __init__(
        self,
        library: Library | None = None,
        limits: Limits | None = None,
        templates: TemplateFolder | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing or Tracing()
        self._limits, self._clock = limits or Limits(), SystemClock()
        super().__init__(
            library or ScriptLibrary(), templates or TemplateFolder(), self._limits.ended
        )
        self._guardian: Guardian | None = None
        self._progress_budget = ProgressBudget()
        self._slots = asyncio.Semaphore(self._limits.sessions)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._drives: dict[str, Drive] = {}
        """The drive of each job that has work to do; the same jobs as in `_tasks`."""
        self._sizes: dict[str, int] = {}
        """All jobs, with the memory that each takes."""
        self._ended: dict[str, None] = {}
        """The jobs that have ended, in the order in which they ended."""

    async def __aenter__(self) -> Self:
        self._root = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="enso-serve-"))
        self._guardian = await asyncio.to_thread(Guardian.of, self._root)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End running scripts with a grace period, then kill them; remove all folders."""
        for job_id, task in self._tasks.items():
            if not self._drives[job_id].cancel("the server is stopping"):
                task.cancel()
        if tasks := set(self._tasks.values()):
            still_running = (await asyncio.wait(tasks, timeout=STOP_SECONDS))[1]
            for task in still_running:
                task.cancel()
            if still_running:
                await asyncio.wait(still_running, timeout=KILL_SECONDS)
        await asyncio.to_thread(_remove, self._root)
        if self._guardian:
            await asyncio.to_thread(self._guardian.dismiss)
        await asyncio.to_thread(self._tracing.close)

    async def add(self, instructions: Instructions) -> str:
        """Add a job, which waits to be executed.

        Raises InvalidJob for arguments that its scripts do not take, and Busy.
        """
        return await self._add(Definition(services.scripts_of(instructions)))

    async def add_run(self, template: str, params: Mapping[str, Any]) -> str:
        """Add a run of a template of the folder, as `add` does."""
        made = await asyncio.to_thread(self._templates.run_of, template, params)
        definition = Definition(made.scripts, made.sessions, made.deadline_seconds)
        run = RunOf(template, made.labels, dict(params))
        return await self._add(definition, new_run_name(template), run)

    async def _add(self, definition: Definition, new_id: str = "", run: RunOf = OF_NONE) -> str:
        size = await asyncio.to_thread(memory_of, (definition.scripts, run))
        await asyncio.to_thread(check_arguments, definition.scripts, self._library)
        self._check_room(size)
        folders = self._forget(size)
        job_id = services.add(
            definition.scripts,
            job_uow=InMemoryJobUnitOfWork(self._repository),
            job_id=new_id,
            clock=self._clock,
            sessions=definition.sessions,
            deadline_seconds=definition.deadline_seconds,
        )
        self._sizes[job_id] = size
        if run.template:
            self._runs[job_id] = run
        await asyncio.to_thread(_remove, *folders)
        return job_id

    def _check_room(self, size: int, jobs: int = 1) -> None:
        """Raise Busy if the limits do not allow `jobs` more live jobs of this size together."""
        live = [used for job_id, used in self._sizes.items() if job_id not in self._ended]
        is_too_large = sum(live) + size > self._limits.memory_bytes
        if len(live) + jobs > self._limits.live or is_too_large:
            what = "another job beside" if jobs else "what this action adds to"
            raise Busy(
                f"there is no room for {what} the {len(live)} that have not ended: "
                "execute those that wait, and try again when some have ended"
            )

    async def execute(self, job_id: str) -> str:
        """Start a task that drives the job, once."""
        job = self._load(job_id)
        if job_id in self._executed or job.state in ENDED:
            stands = "paused" if job.paused else job.state
            why = f"was executed before and is {stands}; {what_helps(job.state)}"
            raise JobAlreadyStarted(f"job {job_id} {why}")
        self._executed.add(job_id)
        await self._ensure_driven(job)
        return str(job.state)

    async def act(self, spec: EnsoActionSpec, key: str) -> ActionOutcome:
        """Do an action; if the job then has work to do, start a task that drives it."""
        size = await asyncio.to_thread(_growth, spec)
        action_id = idempotency_id(key, spec) if key else ""
        if spec.verb == "resume":
            await self._check_arguments(spec, action_id)
        job = self._load(spec.job)
        if action_id in job.acted:
            return ActionOutcome(
                str(job.state), "done already, when it was asked with this key before"
            )
        action = action_of(spec, action_id, _changed_definition(spec, job))
        if spec.verb == "resume" and job.id in self._ended:
            self._check_room(size + self._sizes[job.id])
        elif spec.verb != "cancel":  # which ends the job: then it can be forgotten
            self._check_room(size, jobs=0)
        self._apply(job.id, action)
        after = self._load(job.id)
        new = after.events[len(job.events) :]
        log_events(after, new)
        self._trace(after).committed(after, new)
        self._sizes[job.id] += size
        await self._ensure_driven(after)
        await asyncio.to_thread(_remove, *self._forget(0))
        return ActionOutcome(str(after.state), action.outcome(after))

    async def _check_arguments(self, spec: EnsoActionSpec, action_id: str) -> None:
        """Raise InvalidJob for arguments that the scripts which a resume runs do not take."""
        job = self._load(spec.job).copy()
        action = action_of(spec, action_id, _changed_definition(spec, job))
        if not job.why_not(action):
            job.obey(action, self._clock.now())
            await asyncio.to_thread(check_arguments, [*job.to_come(), *job.finals], self._library)

    def _apply(self, job_id: str, action: Action) -> None:
        for _ in range(MOST_TRIES):
            try:
                uow = InMemoryJobUnitOfWork(self._repository)
                services.act(job_id, action, job_uow=uow, clock=self._clock)
            except Conflict:  # its session has recorded an event meanwhile
                continue
            return
        raise Unavailable(f"job {job_id} changes all the time: try again")

    async def _ensure_driven(self, job: Job) -> None:
        """After a change of a job, start a drive if it has work to do and none.

        Where it has one, return when that has sent the job's session its control: then what is
        answered to the request holds before the session starts another script.
        """
        if job.state is JobState.RUNNING:
            self._executed.add(job.id)  # also one that was cancelled before it was executed
        if not job.finished:
            self._ended.pop(job.id, None)
        elif job.id not in self._drives:
            self._ended[job.id] = None
        if drive := self._drives.get(job.id):
            await drive.changed()
        elif (job.id in self._executed or job.cleans_up) and has_work(job):
            folder = self._root / job.id
            drive = Drive(
                job.id,
                self._repository,
                self._library,
                folder,
                self._progress_budget,
                self._trace(job),
            )
            self._drives[job.id] = drive
            self._tasks[job.id] = asyncio.create_task(self._run(job.id, drive))

    def _trace(self, job: Job) -> JobTrace:
        """Return the job's trace; no other job has its id."""
        return self._tracing.of(TracedJob(job.id, "of the HTTP API", {"enso.job.name": job.id}))

    async def _run(self, job_id: str, drive: Drive) -> None:
        """Drive one job as long as it has work to do; each time wait for a free slot."""
        try:
            while has_work(self._load(job_id)):
                async with self._slots:
                    await drive.run(self._clock)
                job = self._load(job_id)
                kept = job.scripts, job.events, self._run_of(job_id)
                self._sizes[job_id] = await asyncio.to_thread(memory_of, kept)
        except Exception:  # noqa: BLE001  # nobody awaits the task: else the error would be lost
            _log.exception("job %s: giving it up failed", job_id)
        finally:  # no await before this line: a change finds a drive that still reads it, or none
            del self._tasks[job_id], self._drives[job_id]
        if self._load(job_id).state is not JobState.SUSPENDED:
            self._ended[job_id] = None
        await asyncio.to_thread(_remove, *self._forget(0))

    def _forget(self, size: int) -> tuple[Path, ...]:
        """Drop the oldest ended jobs until `size` more bytes fit; return their folders."""
        folders: list[Path] = []
        room = self._limits.memory_bytes - size - sum(self._sizes.values())
        while self._ended and (room < 0 or len(self._ended) > self._limits.ended):
            job_id = next(iter(self._ended))
            del self._ended[job_id]
            room += self._sizes.pop(job_id)
            self._executed.discard(job_id)
            self._runs.pop(job_id, None)
            with self._repository.lock:
                del self._repository.jobs[job_id]
            folders.append(self._root / job_id)
        return tuple(folders)


def _growth(spec: EnsoActionSpec) -> int:
    """Return how much more memory a job takes once the action is done."""
    resume = spec.resume
    args = [change.args for change in resume.scripts] if resume else []
    events = 1 + (len(resume.skip) if resume else 0)
    return memory_of((spec.why, args)) + events * EVENT_BYTES


def _changed_definition(spec: EnsoActionSpec, job: Job) -> Definition | None:
    """Return the job's definition after the changes of a resume; None if there are none."""
    resume = spec.resume
    if resume is None or not (resume.scripts or resume.sessions):
        return None
    for session in resume.sessions:
        for field in POD_FIELDS & session.model_fields_set:
            raise InvalidJob(
                f"sessions[{session.name}].{to_camel(field)} cannot be changed here: the sessions "
                "of this server's jobs are processes of its own machine, and no Pods"
            )
    return changed_definition(suspended_manifest(job), job, resume)


def _remove(*folders: Path) -> None:
    for folder in folders:
        try:
            if folder.exists():
                shutil.rmtree(folder)
        except OSError as error:
            _log.warning("%s could not be removed: %s", folder, error)
