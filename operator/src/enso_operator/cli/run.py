"""``enso run``: a job on this machine, with a journal on disk, so that a failure can be resumed."""

from __future__ import annotations

import asyncio
import getpass
import os
import signal
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from enso_operator.cli import run_folders
from enso_operator.cli.display import refuse
from enso_operator.cli.last_run import LastRun, digests, unit_of_work, works_of
from enso_operator.cli.preflight import preflight
from enso_operator.cli.progress import Progress
from enso_operator.cli.run_folders import Context, RunFolder, Runs
from enso_operator.coordinator.actor import Actor
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.publisher import Publisher
from enso_operator.manifests import load
from enso_operator.manifests.load import Manifest, ManifestError
from enso_operator.sessions.local.sessions import LocalSessions
from job_execution_framework.domain.errors import EnsoError, InvalidJob, InvalidResume
from job_execution_framework.domain.failure_card import to_come
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script, Work
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.runtime.journal import JournalUnitOfWork
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import PATH_VARIABLE, ScriptLibrary

SUCCEEDED, FAILED = 0, 1
"""Exit codes."""


def run(file: Path, *, resume: bool) -> int:
    """Run the job in `file`, or go on with its last run; return the exit code."""
    try:
        return _resume(file) if resume else _start(file)
    except (ManifestError, EnsoError) as error:
        return refuse(str(error))
    except OSError as error:
        return refuse(f"the journal of {file} cannot be kept: {error}")


def _start(file: Path) -> int:
    wanted = load.load(file)
    runs = run_folders.runs_of(file, wanted.name)
    works = works_of(wanted.scripts)
    doubts = _preflight(file, wanted, wanted.scripts, works)
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
    return _drive(uow, folder, progress)


def _left(runs: Runs, wanted: Manifest, file: Path) -> str:
    """Say what a run afresh leaves behind, if the last one can be resumed; raise where it lives."""
    folder = runs.last()
    if folder is None:
        return ""
    if not folder.lock():  # held from now on: nobody resumes it while another run goes on
        raise _busy(wanted.name)
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


def _resume(file: Path) -> int:
    wanted, slip = _read(file)
    runs = run_folders.runs_of(file, wanted.name) if wanted else run_folders.known_runs(file)
    if runs is None or runs.last() is None:
        raise slip or InvalidResume(
            f"there is nothing to resume: {file} was never run before, or under another name"
        )
    with runs.alone():
        folder = runs.last()
        if folder is None or not folder.lock():
            raise _busy(runs.job_name)
    last = LastRun.read(folder, runs.job_name)
    progress = Progress(folder, file)
    for line in last.return_to():
        progress.say(line)
    if not last.job.finished:
        progress.attach(last.job)
        return _drive(unit_of_work(last.described, folder), folder, progress)
    if wanted is None:
        raise slip or InvalidResume(f"{file} describes no job")
    changed = last.check(wanted)
    if last.job.state is JobState.SUCCEEDED:
        progress.say(f"{wanted.name} has succeeded: nothing is left to do")
        return SUCCEEDED
    return _go_on(last, wanted, changed, file, progress)


def _go_on(
    last: LastRun, wanted: Manifest, changed: list[str], file: Path, progress: Progress
) -> int:
    """Say what comes, and do it."""
    job = last.as_wanted(wanted)
    services.check_resume(job)
    coming = job.to_come()
    works = works_of(coming)
    for line in _preflight(file, wanted, coming, works):
        progress.say(line, "yellow")
    if changed:
        progress.say(f"changed since the last run: {', '.join(changed)}")
    progress.say(f"resuming {wanted.name}: runs {to_come(job)}")
    kept = [name for name in job.rows if name not in {script.name for script in coming}]
    progress.say(f"kept as it is: {', '.join(kept) or 'nothing'}")
    last.folder.keep_manifest(wanted.text, file.suffix)
    last.remember(digests(works))
    uow = unit_of_work(wanted, last.folder)
    services.resume(wanted.name, job_uow=uow, changed=changed, by=_user())
    return _drive(uow, last.folder, progress)


def _preflight(
    file: Path, wanted: Manifest, scripts: Iterable[Script], works: Mapping[str, Work]
) -> list[str]:
    """Refuse what cannot work; return what a newer interpreter may know better."""
    findings = preflight(file, wanted, scripts, works)
    if any(finding.is_certain for finding in findings):
        raise ManifestError(load.told(file, [finding.sentence for finding in findings]))
    return [f"warning: {file}: {finding.sentence}" for finding in findings]


def _read(file: Path) -> tuple[Manifest | None, ManifestError | None]:
    """Return what the file describes, or why it describes nothing."""
    try:
        return load.load(file), None
    except ManifestError as error:
        return None, error


def _busy(name: str) -> InvalidResume:
    return InvalidResume(f"another `enso run` drives {name} right now: wait for it, or end it")


def _drive(uow: JournalUnitOfWork, folder: RunFolder, progress: Progress) -> int:
    job = asyncio.run(_drive_to_end(uow, folder, progress))
    return SUCCEEDED if job.state is JobState.SUCCEEDED else FAILED


async def _drive_to_end(uow: JournalUnitOfWork, folder: RunFolder, progress: Progress) -> Job:
    job_id = uow.job_ids()[0]
    sessions = LocalSessions(folder.sessions)
    planner, publisher = Planner(ScriptLibrary()), Publisher(progress.committed)
    actor = Actor(job_id, uow, sessions, planner, SystemClock(), publisher)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, actor.cancel, _user(), signal.Signals(number).name)
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


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""
