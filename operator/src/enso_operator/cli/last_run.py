"""The last run of a manifest: its job, the context it ran in, and whether it can be resumed.

`run.py` and `resume.py` read it from its folder.
"""

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
from enso_operator.manifests.manifest import NO_PARAMS, Manifest
from job_execution_framework.domain.changes import changes, reshaped, why_not_resumable
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import EnsoError, InvalidAction
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import references
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
    """A run whose journal has at least one record, so that there is a job."""

    folder: RunFolder
    manifest: Manifest
    """The manifest as it was run last."""
    job: Job

    @classmethod
    def read(cls, folder: RunFolder, name: str) -> Self:
        """Read a run from its folder. Raises InvalidAction if the journal is damaged."""
        params = folder.context.params if folder.context else NO_PARAMS
        manifest = load.load(folder.manifest, name=name, params=params)
        manifest = _with_arguments(manifest, _arguments_in(folder))
        try:
            job = unit_of_work(manifest, folder).jobs.get(manifest.name)
        except EnsoError as error:
            raise InvalidAction(
                f"the journal {folder.journal} is damaged ({error}): {FROM_THE_START}"
            ) from error
        return cls(folder, manifest, job)

    def restore_context(self) -> list[str]:
        """Restore the working directory and script path of the run; return lines about changes.

        Raises InvalidAction.
        """
        context = self.folder.context
        if context is None:
            return []
        lines: list[str] = []
        if context.directory != (present_directory := str(Path.cwd())):
            try:
                os.chdir(context.directory)
            except OSError as error:
                raise InvalidAction(
                    f"the folder {context.directory}, in which {self.job.id} began, cannot be "
                    f"entered ({error.strerror}): bring it back, or {FROM_THE_START}"
                ) from error
            lines.append(f"in {context.directory}, where it began, not in {present_directory}")
        if context.scripts_path != (present_path := os.environ.get(PATH_VARIABLE)):
            _set(PATH_VARIABLE, context.scripts_path)
            now, was = (
                f"{text!r}" if text else "unset" for text in (present_path, context.scripts_path)
            )
            lines.append(f"with {PATH_VARIABLE} as it was then, {was}; here it is {now}")
        return lines

    def redefined(self, manifest: Manifest) -> Job:
        """Return the job with its events, but with the definition in this manifest."""
        return self.job.redefined(definition_of(manifest))

    def with_arguments(self, manifest: Manifest, more: Arguments) -> Manifest:
        """Return the manifest with the arguments that earlier resumes changed, and with `more`.

        Raises InvalidAction if a script is not in the job, or takes no arguments.
        """
        merged: dict[str, dict[str, object]] = {
            name: {**values} for name, values in _arguments_in(self.folder).items()
        }
        for name, values in more.items():
            script = next((script for script in manifest.scripts if script.name == name), None)
            if script is None:
                names = ", ".join(script.name for script in manifest.scripts)
                raise InvalidAction(f"job {manifest.name} has no script {name!r}; it has {names}")
            if isinstance(script.work, Container):
                raise InvalidAction(f"script {name!r} is a container, which takes no arguments")
            for argument, of in references(script.parameters).items():
                if argument in values:
                    what = f"argument {argument!r} of script {name!r} comes from {of}"
                    raise InvalidAction(f"{what}, and stays")
            merged[name] = {**merged.get(name, {}), **values}
        return _with_arguments(manifest, merged)

    def check(self, manifest: Manifest, from_script: str = "") -> list[str]:
        """Return what was changed since the run, as ``script.field``.

        Raises InvalidAction if the job cannot be resumed with these changes.
        """
        refusal = reshaped(self.job, definition_of(manifest))
        changed: list[str] = []
        if not refusal:
            before, after = self._before_and_after(manifest)
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

    def save_context_of(self, library: Mapping[str, str], manifest: Manifest) -> None:
        """Save the digests of library scripts that will run now, and the changed arguments."""
        if context := self.folder.context:
            digests_by_script = {**context.library, **library}
            saved = replace(
                context,
                library=digests_by_script,
                arguments=manifest.changed_arguments,
                params={**manifest.params},
            )
            self.folder.save_context(saved)

    def _before_and_after(self, manifest: Manifest) -> tuple[Job, Definition]:
        """Return the job as it was, and its new definition, both with digests of library scripts.

        Scripts that do not run again have their old digest in both.
        """
        after = self.redefined(manifest)
        context = self.folder.context
        was: Mapping[str, str] = context.library if context else {}
        now = digests(works_of(after.to_come()))
        now = {**was, **{name: digest for name, digest in now.items() if name in was}}
        return _with_digests(self.job, was), _with_digests(after, now).definition


def _arguments_in(folder: RunFolder) -> Arguments:
    """Return the arguments that earlier resumes of a run changed."""
    return context.arguments if (context := folder.context) else {}


def _with_arguments(manifest: Manifest, arguments: Arguments) -> Manifest:
    scripts = tuple(
        replace(script, parameters={**script.parameters, **arguments.get(script.name, {})})
        for script in manifest.scripts
    )
    return replace(manifest, scripts=scripts, changed_arguments=arguments)


def definition_of(manifest: Manifest) -> Definition:
    """Return the definition in a manifest."""
    return Definition(manifest.scripts, manifest.sessions, manifest.deadline_seconds)


def unit_of_work(manifest: Manifest, folder: RunFolder) -> JournalUnitOfWork:
    """Return a unit of work with the job of a manifest and the events in its journal."""
    job = Job(manifest.name, manifest.scripts, manifest.sessions, manifest.deadline_seconds)
    return JournalUnitOfWork(job, Journal(folder.journal))


def works_of(scripts: Iterable[Script]) -> dict[str, Work]:
    """Return what each script runs, by its name, with library scripts resolved."""
    library = ScriptLibrary()
    return {script.name: resolved(script.work, library) for script in scripts}


def digests(works: Mapping[str, Work]) -> dict[str, str]:
    """Return a digest of what each script runs, by its name."""
    texts = {
        name: work.text if isinstance(work, Source) else str(work) for name, work in works.items()
    }
    return {
        name: hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        for name, text in texts.items()
    }


def _with_digests(job: Job, library: Mapping[str, str]) -> Job:
    """Return a copy of the job whose library scripts have their digest in their name."""
    scripts = (
        replace(script, work=LibraryScript(f"{script.work.name} {library.get(script.name)}"))
        if isinstance(script.work, LibraryScript)
        else script
        for script in job.scripts
    )
    copy = job.copy()
    copy.scripts = tuple(scripts)
    return copy


def _set(variable: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value
