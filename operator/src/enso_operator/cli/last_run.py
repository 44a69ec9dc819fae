"""The last run of a manifest: what it was, what it depended on, and how it may go on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from enso_operator.cli.arguments import Arguments
from enso_operator.cli.run_folders import RunFolder
from enso_operator.manifests import load
from enso_operator.manifests.load import Manifest
from job_execution_framework.domain.changes import changes, reshaped, why_not_resumable
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import EnsoError, InvalidAction
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Container, LibraryScript, Script, Source, Work
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
        """Read it from its folder. Raises InvalidAction where that is damaged."""
        described = _with_arguments(load.load(folder.manifest, name=name), _arguments_in(folder))
        try:
            job = unit_of_work(described, folder).jobs.get(described.name)
        except EnsoError as error:
            raise InvalidAction(
                f"the journal {folder.journal} is damaged ({error}): {FROM_THE_START}"
            ) from error
        return cls(folder, described, job)

    def return_to(self) -> list[str]:
        """Go back to what the run depends on; say what is otherwise here. Raises InvalidAction."""
        context = self.folder.context
        if context is None:
            return []
        told: list[str] = []
        if context.directory != (here := str(Path.cwd())):
            try:
                os.chdir(context.directory)
            except OSError as error:
                raise InvalidAction(
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
        return self.job.redefined(definition_of(wanted))

    def with_arguments(self, wanted: Manifest, more: Arguments) -> Manifest:
        """Return the manifest with the arguments that earlier resumes changed, and with `more`.

        Raises InvalidAction where a script is none of the job's, or takes no arguments.
        """
        merged: dict[str, dict[str, object]] = {
            name: {**values} for name, values in _arguments_in(self.folder).items()
        }
        for name, values in more.items():
            script = next((script for script in wanted.scripts if script.name == name), None)
            if script is None:
                names = ", ".join(script.name for script in wanted.scripts)
                raise InvalidAction(f"job {wanted.name} has no script {name!r}; it has {names}")
            if isinstance(script.work, Container):
                raise InvalidAction(f"script {name!r} is a container, which takes no arguments")
            merged[name] = {**merged.get(name, {}), **values}
        return _with_arguments(wanted, merged)

    def check(self, wanted: Manifest, from_script: str = "") -> list[str]:
        """Return what was changed since, as ``script.field``.

        Raises InvalidAction where it cannot go on so.
        """
        refusal = reshaped(self.job, definition_of(wanted))
        changed: list[str] = []
        if not refusal:
            before, after = self._as_found(wanted)  # of then, and of now
            changed = [str(change) for change in changes(before, after)]
            refusal = why_not_resumable(before, after, from_script) if changed else ""
        if self.job.state is JobState.SUCCEEDED and (refusal or changed) and not from_script:
            differs = f"changed are {', '.join(changed)}" if changed else refusal
            raise InvalidAction(
                f"{self.job.id} has succeeded, and nothing of it is left to do; but the file is "
                f"not what was run, {differs}: {FROM_THE_START}"
            )
        if refusal:
            raise InvalidAction(f"{refusal}: undo the change, or {FROM_THE_START}")
        return changed

    def remember(self, library: Mapping[str, str], wanted: Manifest) -> None:
        """Keep what the library has for scripts that will run now, and their changed arguments."""
        if context := self.folder.context:
            known = {**context.library, **library}
            kept = replace(context, library=known, arguments=wanted.changed_arguments)
            self.folder.keep_context(kept)

    def _as_found(self, wanted: Manifest) -> tuple[Job, Definition]:
        """Return the job as it was and what it is to be, with the scripts of the library.

        Of those that do not run again it does not matter what they are now.
        """
        after = self.as_wanted(wanted)
        context = self.folder.context
        was: Mapping[str, str] = context.library if context else {}
        now = digests(works_of(after.to_come()))
        now = {**was, **{name: digest for name, digest in now.items() if name in was}}
        return _with(self.job, was), _with(after, now).definition


def _arguments_in(folder: RunFolder) -> Arguments:
    """Return the arguments that earlier resumes of a run changed."""
    return context.arguments if (context := folder.context) else {}


def _with_arguments(described: Manifest, arguments: Arguments) -> Manifest:
    scripts = tuple(
        replace(script, parameters={**script.parameters, **arguments.get(script.name, {})})
        for script in described.scripts
    )
    return replace(described, scripts=scripts, changed_arguments=arguments)


def definition_of(described: Manifest) -> Definition:
    """Return what a manifest says that its job is made of."""
    return Definition(described.scripts, described.sessions, described.deadline_seconds)


def unit_of_work(described: Manifest, folder: RunFolder) -> JournalUnitOfWork:
    """Return the job that a manifest describes, with what its journal tells."""
    job = Job(described.name, described.scripts, described.sessions, described.deadline_seconds)
    return JournalUnitOfWork(job, Journal(folder.journal))


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
