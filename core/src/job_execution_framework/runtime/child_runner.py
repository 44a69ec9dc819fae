"""Runs scripts in an interpreter, which is a process of its own, and can end them.

A session's runner (`session_runner`) is one. `interpreter` has the process, `pump` its output,
`crash` says where a script was when it hung or crashed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Any

from job_execution_framework.domain.cause import LINES_KEPT, Reason
from job_execution_framework.domain.control import CANCEL, GO_ON, SessionControl
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.final import JobEnd
from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.script import (
    Container,
    Function,
    Missing,
    Script,
    Session,
    Source,
    module_of,
)
from job_execution_framework.domain.secret import Redactor, revealed
from job_execution_framework.runtime import crash, memory, time_limits
from job_execution_framework.runtime.fail_on import LineWatch
from job_execution_framework.runtime.interpreter import DIED, TIMED_OUT, WOKEN, Interpreter
from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.runtime.progress import ProgressReader
from job_execution_framework.runtime.pump import OutputTail, Pump
from job_execution_framework.runtime.sources import Sources
from job_execution_framework.service_layer.record_line import PROGRESS
from job_execution_framework.service_layer.report import (
    last_words,
    redacted,
    result_of,
    with_failure,
    with_line,
)
from job_execution_framework.service_layer.runner import Result

DRAIN_SECONDS = 2.0
"""How long passing on a script's output may take: perhaps nobody reads it."""
LOOK_SECONDS = 30.0
"""The same where its lines are looked through, which may take longer."""
MARK = "--- "
"""The beginning of the line that `mark` returns."""


def mark(script: str, attempt: int) -> str:
    """Return the line that precedes the output of an attempt."""
    return f"{MARK}{script}, attempt {attempt}\n"


class ChildRunner:
    """Runs scripts in one interpreter, started when the first one needs it.

    One thread uses it, and must live as long as the interpreter; `tell` may be called
    from any thread and from signal handlers. Scripts share memory, so that each may write the
    secrets of another: those of all scripts are hidden.
    """

    def __init__(
        self,
        launcher: Launcher,
        interpreter: Sequence[str],
        start_timeout_seconds: float,
        grace_seconds: float = 5,
        job_id: str = "",
        end_timeout_seconds: float = Session.end_timeout_seconds,
    ) -> None:
        directory = launcher.directory
        self._launcher, self._argv, self._job_id = launcher, interpreter, job_id
        self._start_timeout, self._grace = start_timeout_seconds, grace_seconds
        self._end_timeout = end_timeout_seconds
        self.redactor = Redactor()
        """Hides the secrets that it has learnt. The supervisor adds those of the environment."""
        self._tail, self._oom_kills = OutputTail(), memory.kills()
        # One pipe for output and errors, to keep the order in which a script writes them.
        self._progress = ProgressReader(directory / PROGRESS, self.redactor)
        self._lines = LineWatch()
        self._pump = Pump(launcher.output, 1, self._tail, self._progress.add, self._lines.add)
        self._interpreter: Interpreter | None = None
        self._latest_control, self._is_cancelled = GO_ON, False
        self._sources = Sources(directory / "scripts")
        self._end = JobEnd()

    @property
    def control(self) -> SessionControl:
        """The latest control of the session."""
        return CANCEL if self._is_cancelled else self._latest_control

    def tell(self, control: SessionControl) -> None:
        """Follow a new control from now on; a cancel cannot be withdrawn."""
        self._latest_control = control
        if control.cancel and not self._is_cancelled:
            self._is_cancelled = True
            self._launcher.wake()

    def close(self) -> list[str]:
        """End the interpreter, after giving what scripts left running in it time to end.

        Returns names of what did not end by itself. It may be called twice.
        """
        left: list[str] = []
        if self._launcher.closed:
            return left
        if self._interpreter:
            left = self._interpreter.shut_down(self._end_timeout, self._grace)
            self._interpreter = None
        self._launcher.end_unused(self._grace)
        self._pump.close(DRAIN_SECONDS)
        self._launcher.close()
        return left

    def add_modules(self, scripts: Sequence[Script]) -> None:
        """Make modules of scripts that do not run again, so that their objects can be unpickled."""
        for script in scripts:
            if isinstance(script.work, Source):
                self._sources.add(script.name, script.work)

    def check(self, scripts: Sequence[Script]) -> None:
        """Raise InvalidJob for what cannot run here; hide all scripts' secrets from now on."""
        for script in scripts:
            self.redactor.learn(script.parameters)
            if isinstance(script.work, Container):
                raise InvalidJob(f"script {script.name!r} is a container, which needs a cluster")
            for name, value in script.parameters.items():
                if isinstance(value, OutputOf):
                    continue  # it becomes JSON
                try:
                    json.dumps(revealed(value), allow_nan=False)
                except (TypeError, ValueError, RecursionError) as error:
                    raise InvalidJob(
                        f"script {script.name!r}: parameter {name!r} cannot be sent to another "
                        f"process, because it is no JSON: {type(error).__name__}"
                    ) from None  # the error's message may show a secret

    def announce(self, script: Script, attempt: int) -> int | None:
        """Write the attempt's mark; return how many bytes of output there are then."""
        return self._pump.insert(mark(script.name, attempt), DRAIN_SECONDS)

    def job_ended(self, end: JobEnd) -> None:
        """Let scripts find out how the job ended, in ``enso.job``."""
        self._end = end

    def run(self, script: Script, attempt: int) -> Result:
        """Run one attempt to its end, in the present interpreter or in a fresh one."""
        self.redactor.learn(script.parameters)
        if isinstance(script.work, Missing):
            return self.refused(Reason.SCRIPT_NOT_FOUND, script.work.why)
        request, began = self._request(script, attempt), time.monotonic()
        self._lines.begin(script.fail_on)  # an interpreter, too, may say that it has no licence
        self._pump.begin()
        interpreter = self._interpreter or self._started()
        if not isinstance(interpreter, Interpreter):
            return self._result(time.monotonic() - began, interpreter)
        self._interpreter = interpreter
        self._oom_kills = memory.kills()
        self._progress.begin(script.name, attempt)
        interpreter.send(request)
        began = time.monotonic()
        answer = time_limits.wait(interpreter, script, lambda: self._tail.written_at)
        seconds = time.monotonic() - began
        if isinstance(answer, dict):
            return self._result(seconds, answer)
        return self._result(seconds, self._lost_report(script, answer, interpreter), lost=True)

    def environment(self, script: Script, attempt: int) -> dict[str, str]:
        """Return the variables that only this attempt has in its environment."""
        return {
            "ENSO_JOB": self._job_id,
            "ENSO_SCRIPT": script.name,
            "ENSO_ATTEMPT": str(attempt),
        }

    def refused(self, reason: str, why: str) -> Result:
        """Return the result of an attempt for which nothing was started."""
        return self._result(0, _refusal(reason, why))

    def _started(self) -> Interpreter | dict[str, Any]:
        """Start the interpreter; where that fails return a report that says why."""
        name, reason = " ".join(self._argv), Reason.INTERPRETER_DID_NOT_START
        try:
            interpreter = self._launcher.start(self._argv)
        except FileNotFoundError:
            where = "is not there" if "/" in self._argv[0] else "is not on PATH"
            if Path(self._argv[0]).exists():
                where = "cannot be started: the program in its first line is not there"
            elif " " in self._argv[0]:
                where += ": each word stands for itself, as in [python3, -u]"
            return _refusal(reason, f"{self._argv[0]} {where}")
        except OSError as error:
            return _refusal(reason, f"{name} cannot be started: {error.strerror}")
        answer = interpreter.wait(self._start_timeout)
        if isinstance(answer, dict):
            return interpreter
        status = interpreter.status() if answer == DIED else None
        interpreter.end(self._grace)
        if answer == WOKEN:
            why = f"{name} was not ready yet when the session was cancelled"
            return _refusal(Reason.CANCELLED, why)
        if answer == TIMED_OUT:
            return _refusal(reason, f"{name} was not ready within {self._start_timeout:g} s")
        return _refusal(reason, f"{name} {_how_it_ended(status)} before it was ready")

    def _request(self, script: Script, attempt: int) -> dict[str, Any]:
        """Return what worker.py needs for one attempt, as JSON."""
        request: dict[str, Any] = {
            "parameters": {key: revealed(value) for key, value in script.parameters.items()},
            "timeout": script.timeout_seconds,
            "dump_on": time_limits.DUMP_SIGNAL if script.idle_timeout_seconds else None,
            "environment": self.environment(script, attempt),
        }
        if self._end != JobEnd():
            request["job"] = asdict(self._end)
        if isinstance(script.work, Function):
            return {**request, "path": self._sources.path, "function": script.work.reference}
        if isinstance(script.work, Source):
            file, module = self._sources.add(script.name, script.work), module_of(script.name)
            source = {"text": script.work.text, "file": file, "module": module}
            return {**request, "path": self._sources.path, **source}
        raise InvalidJob(f"script {script.name!r} cannot run in a session: {script.work!r}")

    def _lost_report(self, script: Script, what: str, interpreter: Interpreter) -> dict[str, Any]:
        """End an interpreter that did not answer, and report why it is gone."""
        self._interpreter = None
        if what == WOKEN:
            why = "the script was ended, because the session was cancelled"
            report = _refusal(Reason.CANCELLED, why)
        elif what == TIMED_OUT:
            crash.wait_for(interpreter.crash_file)
            report = _refusal(Reason.TIMEOUT, f"ran longer than {script.timeout_seconds:g} s")
        elif what == time_limits.IDLE:
            crash.wait_for(interpreter.crash_file)
            why = f"wrote nothing for {script.idle_timeout_seconds:g} s"
            report = _refusal(Reason.IDLE_TIMEOUT, why)
        else:
            status = interpreter.status()
            why = f"the interpreter {_how_it_ended(status)} before main returned"
            if status == -SIGKILL and memory.kills() > self._oom_kills:
                why = f"the session used more memory than its limit{_limit_text()}"
                report = _refusal(Reason.OUT_OF_MEMORY, f"{why}, and the kernel killed it")
            elif status is not None and status < 0:
                report = {**_refusal(Reason.SIGNAL, why), "signal": _signal(-status)}
            else:
                report = {**_refusal(Reason.EXITED_EARLY, why), "exit_code": status}
        file = self._sources.file(script.name)
        report["frame"] = crash.location(interpreter.crash_file, file)
        interpreter.end(self._grace)
        return report

    def _result(self, seconds: float, report: dict[str, Any], *, lost: bool = False) -> Result:
        ends = self._pump.drain(LOOK_SECONDS if self._lines.looks else DRAIN_SECONDS)
        said, redactor = self._tail.take(LINES_KEPT), self.redactor
        match = self._lines.end(last_words(report))
        report = with_failure(report, self._progress.end())
        if memory.kills() > self._oom_kills and report.get("refused") != Reason.OUT_OF_MEMORY:
            # Before the failure's own message, which may be long.
            why = f"the kernel killed a process of it, beyond its memory limit{_limit_text()}"
            report["message"] = "; ".join(filter(None, [why, str(report.get("message", ""))]))
        if report.get("refused") == Reason.INTERPRETER_DID_NOT_START and said[0]:
            # Often about a licence server, or a missing library.
            report["message"] += f": {said[0][-1]}"
        if text := str(report.get("traceback", "")):
            # Written to the script's output, where Python would print it.
            ends = self._pump.insert(redacted(text, redactor).rstrip() + "\n", DRAIN_SECONDS)
        result = result_of(report, seconds, redactor, said, lost=lost)
        if match:
            result = with_line(
                result, match.reason, redactor.hide(match.line, cut=match.is_cut), said
            )
        return replace(result, output_ends=ends)


def _limit_text() -> str:
    size = memory.limit()
    return f" of {size}" if size else ""


def _refusal(reason: str, why: str) -> dict[str, Any]:
    return {"refused": reason, "message": why}


def _how_it_ended(status: int | None) -> str:
    if status is None:
        return "ended"
    return f"was killed by {_signal(-status)}" if status < 0 else f"exited with code {status}"


def _signal(number: int) -> str:
    return next((known.name for known in Signals if known == number), f"signal {number}")
