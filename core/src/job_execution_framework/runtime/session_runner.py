"""The runner of a session: it obeys the control file, which the coordinator writes at any time.

`services.execute` asks for the control right before it would start a script, and this runner then
reads the file: what stands there holds for the next script, however soon that one begins. While a
script runs, a thread looks for a cancel. The supervisor makes the runner.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

from job_execution_framework.domain import trace_context
from job_execution_framework.domain.cause import Reason, printable
from job_execution_framework.domain.control import CANCEL, SessionControl
from job_execution_framework.domain.errors import EnsoError, Unreadable
from job_execution_framework.domain.output_file import LONGEST_LOST, output_file
from job_execution_framework.domain.script import Script
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.runtime.missing_paths import missing
from job_execution_framework.runtime.output_files import OutputFiles
from job_execution_framework.service_layer import controls
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.runner import Result

POLL_SECONDS = 0.1
"""How often the control file is read while a script runs."""


class Terminated(EnsoError):
    """The session's Pod was terminated while a script ran; its outcome is not known."""


class SessionRunner(ChildRunner):
    """Runs the scripts of a plan. One that ends because its Pod is taken away has no outcome."""

    def __init__(
        self, plan: Plan, launcher: Launcher, control_file: Path, grace_seconds: float
    ) -> None:
        session = plan.session
        super().__init__(
            launcher,
            session.interpreter,
            session.start_timeout_seconds,
            grace_seconds,
            plan.job_id,
            session.end_timeout_seconds,
        )
        self._control_file, self._terminated = control_file, False
        self._to_look_for = plan.reads
        self.job_ended(plan.end)
        self._defaults = {defaults.script: defaults.arguments for defaults in plan.defaults}
        self._plan, self._files = plan, OutputFiles()
        self._pump.copy = self._files.write

    @property
    def control(self) -> SessionControl:
        """The control as the file has it now; where that cannot be read, as it was before."""
        if control := self._written_control():
            self.tell(control)
        return super().control

    def watch_for_cancel(self) -> None:
        """Start the thread that reads the control file while a script runs."""
        threading.Thread(target=self._watch, daemon=True).start()

    def terminate(self) -> None:
        """End the running script, which may clean up, and start no other."""
        self._terminated = True
        self.tell(CANCEL)

    def announce(self, script: Script, attempt: int) -> int | None:
        """Begin the file that keeps the attempt's output, where the session has one; say it."""
        plan, directory = self._plan, self._plan.session.output_directory
        if directory:
            number = [*plan.rows].index(script.name) + 1
            path = output_file(directory, plan.job_id, number, script.name, attempt)
            self._files.begin(Path(path), plan.run)
        return super().announce(script, attempt)

    def close(self) -> list[str]:
        """End the interpreter, and wait until its output is on disk."""
        left = super().close()
        self._files.settle()
        self._files.close()
        return left

    def run(self, script: Script, attempt: int) -> Result:
        """Run one attempt. Raises Terminated if it ended because the Pod is being terminated.

        Before the first one all paths are looked for that scripts of the session read.
        """
        if not_there := missing(self._to_look_for):
            return self._kept(self.refused(Reason.PATH_NOT_FOUND, "; ".join(not_there)))
        self._to_look_for = ()
        arguments = {**self._defaults.get(script.name, {}), **script.parameters}
        result = super().run(replace(script, parameters=arguments), attempt)
        if self._terminated and result.cause and result.cause.reason == Reason.CANCELLED:
            raise Terminated(f"script {script.name!r} was ended, as its session was taken away")
        return self._kept(result)

    def environment(self, script: Script, attempt: int) -> dict[str, str]:
        """Return the attempt's own variables; where its job has a trace, its place there, too."""
        own = super().environment(script, attempt)
        if job := self._plan.traceparent:
            own[trace_context.VARIABLE] = trace_context.of_attempt(job, script.name, attempt)
        return own

    def _kept(self, result: Result) -> Result:
        """Return the result with the reason for which the attempt's output is not all on disk."""
        return replace(result, output_lost=printable(self._files.settle(), LONGEST_LOST))

    def _watch(self) -> None:
        while not ((control := self._written_control()) and control.cancel):
            time.sleep(POLL_SECONDS)
        self.tell(CANCEL)

    def _written_control(self) -> SessionControl | None:
        """Return what the file says; None where there is nothing, or nothing that can be read."""
        try:
            text = self._control_file.read_text("utf-8")
            return controls.from_json(text) if text else None
        except (Unreadable, OSError):
            return None
