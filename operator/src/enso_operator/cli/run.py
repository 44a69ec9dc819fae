"""``enso run``: a job on this machine, with a journal on disk, so that a failure can be resumed."""

from __future__ import annotations

import asyncio
import getpass
import signal
import sys
from contextlib import suppress
from pathlib import Path

from enso_operator import journals, manifest
from enso_operator.actor import Actor
from enso_operator.adapters.local import LocalSessions
from enso_operator.cli.progress import Progress
from enso_operator.journals import RunFolder
from enso_operator.manifest import Manifest, ManifestError
from job_execution_framework.domain.errors import EnsoError, InvalidJob, InvalidResume
from job_execution_framework.domain.failure_card import to_come
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Missing, Script, Session
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.runtime.journal import Journal, JournalUnitOfWork
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import ScriptLibrary, resolved

SUCCEEDED, FAILED, COULD_NOT_RUN = 0, 1, 2
"""Exit codes."""


def run(file: Path, *, resume: bool) -> int:
    """Run the job in `file`, or go on with its last run; return the exit code."""
    try:
        return _resume(file) if resume else _start(file)
    except (ManifestError, EnsoError) as error:
        print(f"enso: {error}", file=sys.stderr)
    except OSError as error:
        print(f"enso: the journal of {file} cannot be kept: {error}", file=sys.stderr)
    return COULD_NOT_RUN


def _busy(wanted: Manifest) -> InvalidResume:
    return InvalidResume(
        f"another `enso run` drives {wanted.name} right now: wait for it, or end it"
    )


def _start(file: Path) -> int:
    wanted = manifest.load(file)
    _check_library(wanted)
    last = journals.last_run(file, wanted.name)
    if last and not _ended(last, file, wanted.name):
        if not last.lock():
            raise _busy(wanted)
        raise InvalidJob(f"{wanted.name} has not ended: `enso run {file} --resume` goes on with it")
    folder = journals.new_run(file, wanted.name)
    folder.lock()
    _write_manifest(folder, file, wanted)
    uow = _unit_of_work(wanted, folder)
    services.add(
        wanted.scripts,
        job_uow=uow,
        job_id=wanted.name,
        sessions=wanted.sessions,
        deadline_seconds=wanted.deadline_seconds,
    )
    progress = Progress(folder, file)
    progress.say(f"{wanted.name}: {_count(wanted)}; journal {folder.path}")
    if wanted.ignored:
        progress.say(f"only a cluster heeds {', '.join(wanted.ignored)}")
    return _drive(uow, folder, progress)


def _resume(file: Path) -> int:
    wanted = manifest.load(file)
    folder = journals.last_run(file, wanted.name)
    if folder is None:
        raise InvalidResume(
            f"there is nothing to resume: {wanted.name} was never run from {file} before"
        )
    if not folder.lock():
        raise _busy(wanted)
    before = manifest.load(folder.manifest(file.suffix), name=wanted.name)
    uow = _unit_of_work(before, folder)
    try:
        job = uow.jobs.get(before.name)
    except EnsoError as error:
        raise InvalidResume(
            f"the journal {folder.journal} is damaged ({error}): run the job from the start, "
            "without --resume"
        ) from error
    progress = Progress(folder, file)
    if not job.finished:
        progress.attach(job)
        return _drive(uow, folder, progress)
    if job.state is JobState.SUCCEEDED:
        progress.say(f"{before.name} has succeeded: nothing is left to do")
        return SUCCEEDED
    _check_names(before, wanted)
    _check_library(wanted)
    uow = _unit_of_work(wanted, folder)
    again, job = job.to_come(), uow.jobs.get(wanted.name)
    # What runs must run by both manifests: a checkpoint that is new vouches for no new source.
    runs = {one.name for one in again} & {one.name for one in job.to_come()}
    changed = _changes(before, wanted, runs)
    services.check_resume(job)
    progress.say(f"resuming {wanted.name}: runs {to_come(job)}")
    kept = [name for name in job.rows if name not in {script.name for script in job.to_come()}]
    progress.say(f"kept as it is: {', '.join(kept) or 'nothing'}")
    _write_manifest(folder, file, wanted)
    services.resume(wanted.name, job_uow=uow, changed=changed, by=_user())
    return _drive(uow, folder, progress)


def _drive(uow: JournalUnitOfWork, folder: RunFolder, progress: Progress) -> int:
    job = asyncio.run(_drive_to_end(uow, folder, progress))
    return SUCCEEDED if job.state is JobState.SUCCEEDED else FAILED


async def _drive_to_end(uow: JournalUnitOfWork, folder: RunFolder, progress: Progress) -> Job:
    job_id = uow.job_ids()[0]
    sessions = LocalSessions(folder.sessions)
    actor = Actor(job_id, uow, sessions, ScriptLibrary(), SystemClock(), progress.committed)
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


def _unit_of_work(described: Manifest, folder: RunFolder) -> JournalUnitOfWork:
    """Return the job that a manifest describes, with what its journal tells."""
    job = Job(described.name, described.scripts, described.sessions, described.deadline_seconds)
    return JournalUnitOfWork(job, Journal(folder.journal))


def _ended(folder: RunFolder, file: Path, name: str) -> bool:
    """Whether that run is over; one whose journal is damaged cannot go on either."""
    try:
        last = manifest.load(folder.manifest(file.suffix), name=name)
        return _unit_of_work(last, folder).jobs.get(last.name).finished
    except (EnsoError, ManifestError):
        return True


def _check_names(before: Manifest, wanted: Manifest) -> None:
    """Raise InvalidResume where these are not the same scripts in the same sessions."""
    old, new = ([(one.name, one.session) for one in each.scripts] for each in (before, wanted))
    if old != new or [s.name for s in before.sessions] != [s.name for s in wanted.sessions]:
        raise InvalidResume(
            "scripts or sessions were added, removed, renamed or moved since the last run: "
            "run it from the start, without --resume"
        )


def _changes(before: Manifest, wanted: Manifest, runs: set[str]) -> list[str]:
    """Return what was changed since, as name.field. Raises InvalidResume where it may not be."""
    pairs = [*zip(before.scripts, wanted.scripts, strict=True)]
    changed = [(a.name, field) for a, b in pairs for field in _different(a, b)]
    for name, field in changed:
        if name not in runs:
            raise InvalidResume(
                f"{field} of script {name!r} was changed, but that script is done and does not "
                "run again: undo the change, or run the job from the start, without --resume"
            )
    sessions = zip(before.sessions, wanted.sessions, strict=True)
    changed += [(a.name, field) for a, b in sessions for field in _different(a, b)]
    return [f"{name}.{field}" for name, field in changed]


def _different(before: Script | Session, wanted: Script | Session) -> list[str]:
    return [field for field, old in vars(before).items() if getattr(wanted, field) != old]


def _check_library(wanted: Manifest) -> None:
    """Know before the start, not after hours, that a script is not there."""
    for script in wanted.scripts:
        work = resolved(script.work, ScriptLibrary())
        if isinstance(work, Missing):
            raise InvalidJob(f"script {script.name!r}: {work.why}")


def _write_manifest(folder: RunFolder, file: Path, wanted: Manifest) -> None:
    folder.manifest(file.suffix).write_text(wanted.text, "utf-8")


def _count(wanted: Manifest) -> str:
    return f"{len(wanted.scripts)} script{'s' if len(wanted.scripts) > 1 else ''}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""
