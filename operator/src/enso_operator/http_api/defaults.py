"""What a script that failed got beside what it was given: the defaults that the library knows.

Both backends have a `FailureDefaults`, which the page of a job asks: no record has the defaults.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from job_execution_framework.domain.errors import ScriptNotFound
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.parameters import Parameters
from job_execution_framework.domain.script import Function, Source
from job_execution_framework.domain.secret import Secret, shown
from job_execution_framework.service_layer.library import Library, resolved
from job_execution_framework.service_layer.preflight import taken_by

MOST_KEPT = 100
"""Failures of which a backend keeps them, those that were looked at last."""

LibraryAt = Callable[[float], Library]
"""Returns the library without the scripts that were changed since then."""


@dataclass(frozen=True)
class UnchangedFiles:
    """The library of this machine without the files that were written since a time."""

    library: Library
    since: float

    def find(self, name: str) -> Source | Function:
        """Return the script; raise ScriptNotFound also where it may be another one by now."""
        work = self.library.find(name)
        if isinstance(work, Source) and _written_at(work.file) > self.since:
            raise ScriptNotFound(f"script {name!r} was changed: {work.file} was written since")
        return work


def _written_at(file: str) -> float:
    try:
        return Path(file).stat().st_mtime
    except OSError:  # within an archive, say
        return 0


class FailureDefaults:
    """Finds the defaults out once for each failure: reading a source takes longer than a look."""

    def __init__(self, library_at: LibraryAt) -> None:
        self._library_at = library_at
        self._kept = OrderedDict[tuple[str, str, float], Mapping[str, object]]()
        self._lock = Lock()

    def of(self, job: Job) -> Mapping[str, object]:
        """Return those of the script at which the job failed, as people may see them."""
        if job.failure is None or job.failure.script not in job.rows:
            return {}
        key = job.id, job.failure.script, job.failure.at
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        # Its session was planned after that, with the script that the library had.
        library = self._library_at(job.resumed_at or job.started_at or 0)
        defaults = _defaults_of(job, job.failure.script, library)
        with self._lock:
            self._kept[key] = defaults
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return defaults


def _defaults_of(job: Job, name: str, library: Library) -> Mapping[str, object]:
    """Return those of one script; nothing where the library does not know them."""
    script = job.script(name)
    taken = taken_by(resolved(script.work, library)) or Parameters()
    secrets = {parameter.name for parameter in taken.listed if parameter.secret}
    return shown(
        {
            key: Secret(value) if key in secrets else value
            for key, value in taken.defaults.items()
            if key not in script.parameters
        }
    )
