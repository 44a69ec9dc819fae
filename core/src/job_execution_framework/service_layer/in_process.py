"""The runner that calls scripts in this process: the default of `services.execute`.

Nothing has to be started, and nothing can be killed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import chain, count
from threading import Lock

from job_execution_framework import child
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.control import GO_ON
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.final import JobEnd
from job_execution_framework.domain.script import (
    Container,
    Function,
    Missing,
    Script,
    Source,
    module_of,
)
from job_execution_framework.domain.secret import Redactor, revealed
from job_execution_framework.service_layer.library import Library, ScriptLibrary, resolved
from job_execution_framework.service_layer.report import result_of
from job_execution_framework.service_layer.runner import Result

_names_in_use = set[str]()
"""Names of the modules of the scripts that run now, in any thread."""
_names_lock = Lock()


class InProcessRunner:
    """Calls each script's ``main`` here, with the parameters themselves, of any type."""

    control = GO_ON

    def __init__(self, library: Library | None = None) -> None:
        self._library = library or ScriptLibrary()
        self._redactor = Redactor()
        self._end = JobEnd()

    def check(self, scripts: Sequence[Script]) -> None:
        """Raise InvalidJob for what needs a process; hide all scripts' secrets from now on."""
        for script in scripts:
            self._redactor.learn(script.parameters)
            if (script.timeout_seconds or script.idle_timeout_seconds) is not None:
                raise InvalidJob(
                    f"script {script.name!r} has a timeout, but a script in this process cannot be "
                    "stopped: remove the timeout, or run the job with `enso run`"
                )
            if script.fail_on:
                raise InvalidJob(
                    f"script {script.name!r} has failOn, but what a script in this process writes "
                    "is not read: remove it, or run the job with `enso run`"
                )
            if isinstance(script.work, Container):
                raise InvalidJob(f"script {script.name!r} is a container, which needs a cluster")

    def announce(self, script: Script, attempt: int) -> None:
        """Write nothing: the output of this process belongs to its caller."""
        del script, attempt

    def job_ended(self, end: JobEnd) -> None:
        """Let scripts find out how the job ended, in ``enso.job``."""
        self._end = end

    def run(self, script: Script, attempt: int) -> Result:
        """Run one attempt to its end."""
        del attempt  # a call has no identity of its own
        self._redactor.learn(script.parameters)
        work = resolved(script.work, self._library)
        parameters = {key: revealed(value) for key, value in script.parameters.items()}
        child.show_end(asdict(self._end))
        began = time.monotonic()
        if isinstance(work, Source):
            _let_import_neighbours(work.file)
            with _module(script.name) as module:
                report = child.run_source(work.text, work.file, module, parameters)
        elif isinstance(work, Function):
            report = child.run_function(work.reference, parameters)
        else:
            why = work.why if isinstance(work, Missing) else "it cannot run in this process"
            report = {"refused": Reason.SCRIPT_NOT_FOUND, "message": why}
        result = result_of(report, time.monotonic() - began, self._redactor)
        return replace(result, interrupted="interrupt" in report)


@contextmanager
def _module(script: str) -> Generator[str]:
    """Reserve a module name for a script that no script of another thread has meanwhile."""
    name = module_of(script)
    with _names_lock:
        candidates = chain([name], (f"{name}_{number}" for number in count(2)))
        name = next(candidate for candidate in candidates if candidate not in _names_in_use)
        _names_in_use.add(name)
    try:
        yield name
    finally:
        _names_in_use.discard(name)


def _let_import_neighbours(file: str) -> None:
    """Let a library script import the files in its folder, after everything on `sys.path`."""
    folder = os.path.dirname(file)  # noqa: PTH120  # pathlib is slow, and this runs before each script
    if os.path.isabs(folder) and folder not in sys.path:  # noqa: PTH117  # the same
        sys.path.append(folder)
