"""``enso run FILE --resume``: resumes the last run of a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from enso_operator.cli import arguments, run_folders
from enso_operator.cli.last_run import LastRun, digests, unit_of_work, works_of
from enso_operator.cli.preflight import check
from enso_operator.cli.progress import Progress
from enso_operator.cli.run import SUCCEEDED, drive, job_in_use, run_or_refuse, user
from enso_operator.manifests import load
from enso_operator.manifests.load import ManifestError
from enso_operator.manifests.manifest import NO_PARAMS, Manifest
from job_execution_framework.domain.actions import Resume
from job_execution_framework.domain.errors import InvalidAction
from job_execution_framework.domain.failure_card import to_come
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.service_layer import services


@dataclass(frozen=True)
class ResumeOptions:
    """The options of a resume; without any, the checkpoints decide what runs again."""

    from_script: str = ""
    skip: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    """Changed arguments, as ``SCRIPT.PARAMETER=JSON``."""
    why: str = ""
    params: tuple[str, ...] = ()
    """Parameters of a template, as ``NAME=VALUE``, that are not what they were."""


def resume(file: Path, options: ResumeOptions) -> int:
    """Resume the last run of `file`; return the exit code."""
    return run_or_refuse(file, lambda: _resume(file, options))


def _resume(file: Path, options: ResumeOptions) -> int:
    changes, params = arguments.changed(options.arguments), arguments.params(options.params)
    manifest, error = _read(file, {**_last_params(file), **params})
    runs = run_folders.runs_of(file, manifest.name) if manifest else run_folders.known_runs(file)
    if runs is None or runs.last() is None:
        raise error or InvalidAction(
            f"there is nothing to resume: {file} was never run before, or under another name"
        )
    with runs.locked():
        folder = runs.last()
        if folder is None or not folder.lock():
            raise job_in_use(runs.job_name)
    last = LastRun.read(folder, runs.job_name)
    progress = Progress(folder, file)
    for line in last.restore_context():
        progress.say(line)
    if not last.job.finished:
        if options != ResumeOptions() and (why := last.job.why_not(_action(options))):
            raise InvalidAction(why)
        progress.attach(last.job)
        code = drive(unit_of_work(last.manifest, folder), folder, progress)
        if options == ResumeOptions():
            return code
        # Its end was decided before, and only its session had to end: now it can go on.
        last, progress = LastRun.read(folder, runs.job_name), Progress(folder, file)
    if manifest is None:
        raise error or InvalidAction(f"{file} describes no job")
    return _resume_run(last, last.with_arguments(manifest, changes), options, file, progress)


def _resume_run(
    last: LastRun, manifest: Manifest, options: ResumeOptions, file: Path, progress: Progress
) -> int:
    """Print what will run, and run it."""
    changed = last.check(manifest, options.from_script)
    if last.job.state is JobState.SUCCEEDED and not options.from_script:
        progress.say(f"{manifest.name} has succeeded: nothing is left to do")
        return SUCCEEDED
    job = last.redefined(manifest)
    action = replace(_action(options), changed=tuple(changed))
    job.obey(action, 0)  # on a copy, to see which scripts will run
    scripts = [*job.to_come(), *job.finals]
    works = works_of(scripts)
    for line in check(file, manifest, scripts, works):
        progress.say(line, "yellow")
    if changed:
        progress.say(f"changed since the last run: {', '.join(changed)}")
    progress.say(f"resuming {manifest.name}: runs {to_come(job)}")
    if options.skip:
        progress.say(f"skips {', '.join(options.skip)}")
    runs = {script.name for script in scripts} | {*options.skip}
    unchanged = [script.name for script in job.main if script.name not in runs]
    progress.say(f"kept as it is: {', '.join(unchanged) or 'nothing'}")
    if job.finals and job.to_come():
        progress.say(f"at its end: {', '.join(script.name for script in job.finals)}")
    last.folder.save_manifest(manifest.text, file.suffix)
    last.save_context_of(digests(works), manifest)
    uow = unit_of_work(manifest, last.folder)
    services.act(manifest.name, action, job_uow=uow)
    return drive(uow, last.folder, progress)


def _action(options: ResumeOptions) -> Resume:
    return Resume(from_script=options.from_script, skip=options.skip, by=user(), why=options.why)


def _last_params(file: Path) -> Mapping[str, str]:
    """Return the parameters with which the template in a file was run last."""
    runs = run_folders.known_runs(file)
    folder = runs and runs.last()
    context = folder and folder.context
    return context.params if context else NO_PARAMS


def _read(file: Path, params: Mapping[str, str]) -> tuple[Manifest | None, ManifestError | None]:
    """Return the manifest in the file, or the error why it has none."""
    try:
        return load.load(file, params=params), None
    except ManifestError as error:
        return None, error
