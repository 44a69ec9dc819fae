"""``enso run``: runs a job on this machine, with a journal on disk for `--resume`."""

from __future__ import annotations

import asyncio
import getpass
import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from enso_operator.blocking import in_thread
from enso_operator.cli import arguments, run_folders
from enso_operator.cli.display import refuse
from enso_operator.cli.last_run import LastRun, digests, unit_of_work, works_of
from enso_operator.cli.preflight import check
from enso_operator.cli.progress import Progress
from enso_operator.cli.run_folders import Context, RunFolder, Runs
from enso_operator.coordinator.actor import Actor
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.publisher import Publisher
from enso_operator.manifests import load
from enso_operator.manifests.load import ManifestError
from enso_operator.manifests.manifest import Manifest
from enso_operator.observability.traced_job import TracedJob
from enso_operator.observability.tracing import tracing_of
from enso_operator.sessions.local.sessions import LocalSessions
from job_execution_framework.domain import trace_context
from job_execution_framework.domain.actions import Cancel
from job_execution_framework.domain.errors import EnsoError, InvalidAction, InvalidJob
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.failure_card import to_come
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.runtime.journal import JournalUnitOfWork
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import PATH_VARIABLE, ScriptLibrary

SUCCEEDED, FAILED = 0, 1
"""Exit codes."""
SERVICE = "enso-run"
"""Its name in traces."""


def run(file: Path, params: Iterable[str] = ()) -> int:
    """Run the job in `file` from its start; return the exit code.

    `params` are those of a template, as ``NAME=VALUE``.
    """
    return run_or_refuse(file, lambda: _start(file, arguments.params(params)))


def run_or_refuse(file: Path, act: Callable[[], int]) -> int:
    """Call `act` and return its exit code; print errors, and return their exit code."""
    try:
        return act()
    except (ManifestError, EnsoError) as error:
        return refuse(str(error))
    except OSError as error:
        return refuse(f"the journal of {file} cannot be kept: {error}")


def _start(file: Path, params: Mapping[str, str]) -> int:
    manifest = load.load(file, params=params)
    runs = run_folders.runs_of(file, manifest.name)
    works = works_of(manifest.scripts)
    warnings = check(file, manifest, manifest.scripts, works)
    context = Context(
        str(Path.cwd()), os.environ.get(PATH_VARIABLE), digests(works), params={**params}
    )
    with runs.locked():
        hint = _resume_hint(runs, manifest, file)
        folder = runs.new()
        folder.lock()
        folder.save_manifest(manifest.text, file.suffix)
        folder.save_context(context)
        uow = unit_of_work(manifest, folder)
        services.add(
            manifest.scripts,
            job_uow=uow,
            job_id=manifest.name,
            sessions=manifest.sessions,
            deadline_seconds=manifest.deadline_seconds,
        )
    progress = Progress(folder, file)
    for line in filter(None, [hint, *warnings]):
        progress.say(line, "yellow")
    progress.say(f"{manifest.name}: {_count(manifest)}; journal {folder.path}")
    if manifest.ignored:
        progress.say(f"only a cluster uses {', '.join(manifest.ignored)}")
    return drive(uow, folder, progress)


def _resume_hint(runs: Runs, manifest: Manifest, file: Path) -> str:
    """Return a hint if the last run could be resumed; raise if it has not ended."""
    folder = runs.last()
    if folder is None:
        return ""
    if not folder.lock():  # held until this process ends, so that no other one resumes it
        raise job_in_use(manifest.name)
    try:
        last = LastRun.read(folder, manifest.name)
    except (EnsoError, ManifestError):
        return ""  # a damaged run cannot be resumed
    if not last.job.finished:
        raise InvalidJob(
            f"{manifest.name} has not ended: `enso run {file} --resume` goes on with it"
        )
    with suppress(EnsoError):
        last.check(manifest)
        if last.job.state is not JobState.SUCCEEDED:
            state = "failed" if last.job.state is JobState.FAILED else "was cancelled"
            return (
                f"starting afresh: the last run {state}, and `enso run {file} --resume` would have "
                f"gone on with {to_come(last.redefined(manifest))}"
            )
    return ""


def job_in_use(name: str) -> InvalidAction:
    """Return the error for a job that another process drives."""
    return InvalidAction(f"another `enso run` drives {name} right now: wait for it, or end it")


def drive(uow: JournalUnitOfWork, folder: RunFolder, progress: Progress) -> int:
    """Drive the job to its end; return the exit code."""
    job = asyncio.run(_drive_to_end(uow, folder, progress))
    return SUCCEEDED if job.state is JobState.SUCCEEDED else FAILED


async def _drive_to_end(uow: JournalUnitOfWork, folder: RunFolder, progress: Progress) -> Job:
    job_id = uow.job_ids()[0]
    sessions = LocalSessions(folder.sessions)
    tracing = tracing_of(os.environ, SERVICE, lambda why: progress.say(why, "yellow"))
    trace = tracing.of(_traced(uow.jobs.get(job_id), folder))

    def told(job: Job, events: Sequence[Event]) -> None:
        progress.committed(job, events)
        trace.committed(job, events)

    planner, publisher = Planner(ScriptLibrary(), trace.traceparent), Publisher(told)
    actor = Actor(job_id, uow, sessions, planner, SystemClock(), publisher)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        cancel = Cancel(by=user(), why=signal.Signals(number).name)
        loop.add_signal_handler(number, actor.ask, cancel)
    with progress:
        watch_task = asyncio.create_task(progress.watch())
        await actor.drive()
        watch_task.cancel()
        with suppress(asyncio.CancelledError):
            await watch_task
    job = uow.jobs.get(job_id)
    progress.ended(job)
    await in_thread(tracing.close)
    return job


def _traced(job: Job, folder: RunFolder) -> TracedJob:
    """Return the job as one that is traced: as a part of what calls `enso run`, if that says so."""
    return TracedJob(
        uid=f"{folder.path}/{job.events[0].at!r}",
        title=job.id,
        attributes={"enso.job.name": job.id},
        parent=os.environ.get(trace_context.VARIABLE, ""),
    )


def _count(manifest: Manifest) -> str:
    finals = sum(script.is_final for script in manifest.scripts)
    count = len(manifest.scripts) - finals
    beside = f" and {finals} of finally" if finals else ""
    return f"{count} script{'s' if count > 1 else ''}{beside}"


def user() -> str:
    """Return the name of the user who runs this; "" if there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""
