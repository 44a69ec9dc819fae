"""``enso run``: a job on this machine, with a journal on disk, so that a failure can be resumed."""

from __future__ import annotations

import asyncio
import getpass
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from enso_operator.cli import run_folders
from enso_operator.cli.display import refuse
from enso_operator.cli.last_run import LastRun, digests, unit_of_work, works_of
from enso_operator.cli.preflight import checked
from enso_operator.cli.progress import Progress
from enso_operator.cli.run_folders import Context, RunFolder, Runs
from enso_operator.coordinator.actor import Actor
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.publisher import Publisher
from enso_operator.manifests import load
from enso_operator.manifests.load import Manifest, ManifestError
from enso_operator.sessions.local.sessions import LocalSessions
from job_execution_framework.domain.actions import Cancel
from job_execution_framework.domain.errors import EnsoError, InvalidAction, InvalidJob
from job_execution_framework.domain.failure_card import to_come
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.runtime.journal import JournalUnitOfWork
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import PATH_VARIABLE, ScriptLibrary

SUCCEEDED, FAILED = 0, 1
"""Exit codes."""


def run(file: Path) -> int:
    """Run the job in `file` from its start; return the exit code."""
    return or_refused(file, lambda: _start(file))


def or_refused(file: Path, act: Callable[[], int]) -> int:
    """Return the exit code; where something is refused, say why."""
    try:
        return act()
    except (ManifestError, EnsoError) as error:
        return refuse(str(error))
    except OSError as error:
        return refuse(f"the journal of {file} cannot be kept: {error}")


def _start(file: Path) -> int:
    wanted = load.load(file)
    runs = run_folders.runs_of(file, wanted.name)
    works = works_of(wanted.scripts)
    doubts = checked(file, wanted, wanted.scripts, works)
    context = Context(str(Path.cwd()), os.environ.get(PATH_VARIABLE), digests(works))
    with runs.alone():
        hint = _left(runs, wanted, file)
        folder = runs.new()
        folder.lock()
        folder.keep_manifest(wanted.text, file.suffix)
        folder.keep_context(context)
        uow = unit_of_work(wanted, folder)
        services.add(
            wanted.scripts,
            job_uow=uow,
            job_id=wanted.name,
            sessions=wanted.sessions,
            deadline_seconds=wanted.deadline_seconds,
        )
    progress = Progress(folder, file)
    for line in filter(None, [hint, *doubts]):
        progress.say(line, "yellow")
    progress.say(f"{wanted.name}: {_count(wanted)}; journal {folder.path}")
    if wanted.ignored:
        progress.say(f"only a cluster heeds {', '.join(wanted.ignored)}")
    return drive(uow, folder, progress)


def _left(runs: Runs, wanted: Manifest, file: Path) -> str:
    """Say what a run afresh leaves behind, if the last one can be resumed; raise where it lives."""
    folder = runs.last()
    if folder is None:
        return ""
    if not folder.lock():  # held from now on: nobody resumes it while another run goes on
        raise busy(wanted.name)
    try:
        last = LastRun.read(folder, wanted.name)
    except (EnsoError, ManifestError):
        return ""  # one that is damaged cannot go on
    if not last.job.finished:
        raise InvalidJob(f"{wanted.name} has not ended: `enso run {file} --resume` goes on with it")
    with suppress(EnsoError):
        last.check(wanted)
        if last.job.state is not JobState.SUCCEEDED:
            state = "failed" if last.job.state is JobState.FAILED else "was cancelled"
            return (
                f"starting afresh: the last run {state}, and `enso run {file} --resume` would have "
                f"gone on with {to_come(last.as_wanted(wanted))}"
            )
    return ""


def busy(name: str) -> InvalidAction:
    """Return the refusal where somebody else drives the job."""
    return InvalidAction(f"another `enso run` drives {name} right now: wait for it, or end it")


def drive(uow: JournalUnitOfWork, folder: RunFolder, progress: Progress) -> int:
    """Drive the job to its end; return the exit code."""
    job = asyncio.run(_drive_to_end(uow, folder, progress))
    return SUCCEEDED if job.state is JobState.SUCCEEDED else FAILED


async def _drive_to_end(uow: JournalUnitOfWork, folder: RunFolder, progress: Progress) -> Job:
    job_id = uow.job_ids()[0]
    sessions = LocalSessions(folder.sessions)
    planner, publisher = Planner(ScriptLibrary()), Publisher(progress.committed)
    actor = Actor(job_id, uow, sessions, planner, SystemClock(), publisher)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        cancel = Cancel(by=user(), why=signal.Signals(number).name)
        loop.add_signal_handler(number, actor.ask, cancel)
    with progress:
        watching = asyncio.create_task(progress.watch())
        await actor.drive()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    job = uow.jobs.get(job_id)
    progress.ended(job)
    return job


def _count(wanted: Manifest) -> str:
    return f"{len(wanted.scripts)} script{'s' if len(wanted.scripts) > 1 else ''}"


def user() -> str:
    """Return who runs this, as this machine knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""
