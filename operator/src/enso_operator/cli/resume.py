"""``enso run FILE --resume``: go on with the last run of a manifest, as its user asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from enso_operator.cli import arguments, run_folders
from enso_operator.cli.last_run import LastRun, digests, unit_of_work, works_of
from enso_operator.cli.preflight import checked
from enso_operator.cli.progress import Progress
from enso_operator.cli.run import SUCCEEDED, busy, drive, or_refused, user
from enso_operator.manifests import load
from enso_operator.manifests.load import Manifest, ManifestError
from job_execution_framework.domain.actions import Resume
from job_execution_framework.domain.errors import InvalidAction
from job_execution_framework.domain.failure_card import to_come
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.service_layer import services


@dataclass(frozen=True)
class Wish:
    """How the job is to go on; with nothing in it, as the checkpoint rule says."""

    from_script: str = ""
    skip: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    """What is changed, as ``SCRIPT.PARAMETER=JSON``."""
    why: str = ""


def resume(file: Path, wish: Wish) -> int:
    """Go on with the last run of `file`; return the exit code."""
    return or_refused(file, lambda: _resume(file, wish))


def _resume(file: Path, wish: Wish) -> int:
    changes = arguments.changed(wish.arguments)
    wanted, slip = _read(file)
    runs = run_folders.runs_of(file, wanted.name) if wanted else run_folders.known_runs(file)
    if runs is None or runs.last() is None:
        raise slip or InvalidAction(
            f"there is nothing to resume: {file} was never run before, or under another name"
        )
    with runs.alone():
        folder = runs.last()
        if folder is None or not folder.lock():
            raise busy(runs.job_name)
    last = LastRun.read(folder, runs.job_name)
    progress = Progress(folder, file)
    for line in last.return_to():
        progress.say(line)
    if not last.job.finished:
        if wish != Wish() and (why := last.job.why_not(_action(wish))):
            raise InvalidAction(why)
        progress.attach(last.job)
        code = drive(unit_of_work(last.described, folder), folder, progress)
        if wish == Wish():
            return code
        # Its end was decided before, and only its session had to end: now it can go on.
        last, progress = LastRun.read(folder, runs.job_name), Progress(folder, file)
    if wanted is None:
        raise slip or InvalidAction(f"{file} describes no job")
    return _go_on(last, last.with_arguments(wanted, changes), wish, file, progress)


def _go_on(last: LastRun, wanted: Manifest, wish: Wish, file: Path, progress: Progress) -> int:
    """Say what comes, and do it."""
    changed = last.check(wanted, wish.from_script)
    if last.job.state is JobState.SUCCEEDED and not wish.from_script:
        progress.say(f"{wanted.name} has succeeded: nothing is left to do")
        return SUCCEEDED
    job = last.as_wanted(wanted)
    action = replace(_action(wish), changed=tuple(changed))
    job.obey(action, 0)  # on a copy, to see what comes
    coming = job.to_come()
    works = works_of(coming)
    for line in checked(file, wanted, coming, works):
        progress.say(line, "yellow")
    if changed:
        progress.say(f"changed since the last run: {', '.join(changed)}")
    progress.say(f"resuming {wanted.name}: runs {to_come(job)}")
    if wish.skip:
        progress.say(f"skips {', '.join(wish.skip)}")
    runs = {script.name for script in coming} | {*wish.skip}
    kept = [name for name in job.rows if name not in runs]
    progress.say(f"kept as it is: {', '.join(kept) or 'nothing'}")
    last.folder.keep_manifest(wanted.text, file.suffix)
    last.remember(digests(works), wanted)
    uow = unit_of_work(wanted, last.folder)
    services.act(wanted.name, action, job_uow=uow)
    return drive(uow, last.folder, progress)


def _action(wish: Wish) -> Resume:
    return Resume(from_script=wish.from_script, skip=wish.skip, by=user(), why=wish.why)


def _read(file: Path) -> tuple[Manifest | None, ManifestError | None]:
    """Return what the file describes, or why it describes nothing."""
    try:
        return load.load(file), None
    except ManifestError as error:
        return None, error
