"""The last run of a manifest: what it was, what it depended on, and how it may go on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from enso_operator.cli.run_folders import RunFolder
from enso_operator.manifests import load
from enso_operator.manifests.load import Manifest
from job_execution_framework.domain.changes import changes, reshaped, why_not_resumable
from job_execution_framework.domain.errors import EnsoError, InvalidResume
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import LibraryScript, Script, Source, Work
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.runtime.journal import Journal, JournalUnitOfWork
from job_execution_framework.service_layer.library import (
    PATH_VARIABLE,
    ScriptLibrary,
    resolved,
)

FROM_THE_START = "run it from the start, without --resume"


@dataclass(frozen=True)
class LastRun:
    """A run that came as far as having a job."""

    folder: RunFolder
    described: Manifest
    """The job as it was run last."""
    job: Job

    @classmethod
    def read(cls, folder: RunFolder, name: str) -> Self:
        """Read it from its folder. Raises InvalidResume where that is damaged."""
        described = load.load(folder.manifest, name=name)
        try:
            job = unit_of_work(described, folder).jobs.get(described.name)
        except EnsoError as error:
            raise InvalidResume(
                f"the journal {folder.journal} is damaged ({error}): {FROM_THE_START}"
            ) from error
        return cls(folder, described, job)

    def return_to(self) -> list[str]:
        """Go back to what the run depends on; say what is otherwise here. Raises InvalidResume."""
        context = self.folder.context
        if context is None:
            return []
        told: list[str] = []
        if context.directory != (here := str(Path.cwd())):
            try:
                os.chdir(context.directory)
            except OSError as error:
                raise InvalidResume(
                    f"the folder {context.directory}, in which {self.job.id} began, cannot be "
                    f"entered ({error.strerror}): bring it back, or {FROM_THE_START}"
                ) from error
            told.append(f"in {context.directory}, where it began, not in {here}")
        if context.scripts_path != (set_here := os.environ.get(PATH_VARIABLE)):
            _set(PATH_VARIABLE, context.scripts_path)
            now, was = (
                f"{text!r}" if text else "unset" for text in (set_here, context.scripts_path)
            )
            told.append(f"with {PATH_VARIABLE} as it was then, {was}; here it is {now}")
        return told

    def as_wanted(self, wanted: Manifest) -> Job:
        """Return the job, with what happened to it, as the manifest describes it now."""
        return self.job.described_as(job_of(wanted))

    def check(self, wanted: Manifest) -> list[str]:
        """Return what was changed since, as ``script.field``.

        Raises InvalidResume where it cannot go on so.
        """
        refusal = reshaped(self.job, job_of(wanted))
        changed: list[str] = []
        if not refusal:
            before, after = self._as_found(wanted)
            changed = [str(change) for change in changes(before, after)]
            refusal = why_not_resumable(before, after) if changed else ""
        if self.job.state is JobState.SUCCEEDED and (refusal or changed):
            differs = f"changed are {', '.join(changed)}" if changed else refusal
            raise InvalidResume(
                f"{self.job.id} has succeeded, and nothing of it is left to do; but the file is "
                f"not what was run, {differs}: {FROM_THE_START}"
            )
        if refusal:
            raise InvalidResume(f"{refusal}: undo the change, or {FROM_THE_START}")
        return changed

    def remember(self, library: Mapping[str, str]) -> None:
        """Keep what the library has for scripts that will run now."""
        if context := self.folder.context:
            known = {**context.library, **library}
            self.folder.keep_context(replace(context, library=known))

    def _as_found(self, wanted: Manifest) -> tuple[Job, Job]:
        """Return the job as it was and as it is wanted, with the library's scripts of then and now.

        Of those that do not run again it does not matter what they are now.
        """
        after = self.as_wanted(wanted)
        context = self.folder.context
        was: Mapping[str, str] = context.library if context else {}
        now = digests(works_of(after.to_come()))
        now = {**was, **{name: digest for name, digest in now.items() if name in was}}
        return _with(self.job, was), _with(after, now)


def job_of(described: Manifest) -> Job:
    """Return the job that a manifest describes, to which nothing has happened yet."""
    return Job(described.name, described.scripts, described.sessions, described.deadline_seconds)


def unit_of_work(described: Manifest, folder: RunFolder) -> JournalUnitOfWork:
    """Return the job that a manifest describes, with what its journal tells."""
    return JournalUnitOfWork(job_of(described), Journal(folder.journal))


def works_of(scripts: Iterable[Script]) -> dict[str, Work]:
    """Return what each script runs, with what the library has for it now."""
    library = ScriptLibrary()
    return {script.name: resolved(script.work, library) for script in scripts}


def digests(works: Mapping[str, Work]) -> dict[str, str]:
    """Return by the scripts' names what tells their sources from others."""
    texts = {
        name: work.text if isinstance(work, Source) else str(work) for name, work in works.items()
    }
    return {
        name: hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        for name, text in texts.items()
    }


def _with(job: Job, library: Mapping[str, str]) -> Job:
    """Return the job with each script of the library told apart by what the library had for it."""
    scripts = (
        replace(script, work=LibraryScript(f"{script.work.name} {library.get(script.name)}"))
        if isinstance(script.work, LibraryScript)
        else script
        for script in job.scripts
    )
    twin = job.copy()
    twin.scripts = tuple(scripts)
    return twin


def _set(variable: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value
