"""Runs a session's scripts in its interpreter, and can end what does not end by itself."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from job_execution_framework.domain.cause import LINES_KEPT, Reason
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.script import Container, Function, Missing, Script, Source
from job_execution_framework.domain.secret import Redactor, revealed
from job_execution_framework.runtime.interpreter import DIED, TIMED_OUT, WOKEN, Interpreter
from job_execution_framework.runtime.pump import Pump, Said
from job_execution_framework.service_layer.report import result_of
from job_execution_framework.service_layer.runner import Result

LATE_SECONDS = 0.3
"""How long after its timeout a script is ended: until then it has been said where it hangs."""
DRAIN_SECONDS = 2.0
MARK = "--- "
"""What the one line begins with that stands before a script's own output."""
_CHILD = Path(__file__).with_name("child.py")
_PLACE = re.compile(r'  File "(.+)", line (\d+) in (.+)')


class ChildRunner:
    """Runs scripts in one interpreter, started when the first one needs it."""

    def __init__(
        self,
        directory: Path,
        interpreter: Sequence[str],
        start_timeout_seconds: float,
        grace_seconds: float = 5,
        job_id: str = "",
    ) -> None:
        self._directory, self._argv, self._job_id = directory, interpreter, job_id
        self._start_timeout, self._grace = start_timeout_seconds, grace_seconds
        self._said = Said()
        self._pumps = (Pump(1, self._said), Pump(2, self._said))
        self._woken, self._wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._interpreter: Interpreter | None = None
        self._paused = self._cancelled = False
        # Read through the package's loader: it may be inside of a zipapp.
        source = __loader__.get_data(str(_CHILD))  # type: ignore[name-defined]
        (directory / "child.py").write_bytes(source)

    @property
    def stopping(self) -> bool:
        """No other script may be started."""
        return self._paused or self._cancelled

    def pause(self) -> None:
        """Let the running script end, and start no other."""
        self._paused = True

    def cancel(self) -> None:
        """End the running script, and start no other. May be called from anywhere, repeatedly."""
        if not self._cancelled:
            self._cancelled = True
            os.write(self._wake, b"!")

    def close(self) -> None:
        """End the interpreter, which may give back its licence before."""
        if self._interpreter:
            self._interpreter.let_go(self._grace)
            self._interpreter = None
        self._drain()

    def check(self, scripts: Sequence[Script]) -> None:
        """Refuse what no interpreter can run."""
        for script in scripts:
            if isinstance(script.work, Container):
                raise InvalidJob(f"script {script.name!r} is a container, which needs a cluster")

    def run(self, script: Script, attempt: int) -> Result:
        """Run one attempt to its end, in the interpreter that is there or in a fresh one."""
        if isinstance(script.work, Missing):
            return self._result(script, 0, {"refused": Reason.SCRIPT_NOT_FOUND}, script.work.why)
        began = time.monotonic()
        fresh = self._interpreter is None
        if problem := self._start() if fresh else None:
            return self._result(script, time.monotonic() - began, *problem)
        interpreter = self._interpreter
        if interpreter is None:
            raise RuntimeError("an interpreter that started is there")
        self._mark(script, attempt)
        interpreter.crash_file.write_bytes(b"")
        interpreter.send(self._work(script, attempt))
        began, limit = time.monotonic(), script.timeout_seconds
        answer = interpreter.wait(None if limit is None else limit + LATE_SECONDS)
        seconds = time.monotonic() - began
        if isinstance(answer, dict):
            return self._result(script, seconds, answer)
        return self._loss(script, seconds, answer)

    def _mark(self, script: Script, attempt: int) -> None:
        """Say in the output whose lines follow."""
        newline = "" if self._said.ends_a_line else "\n"
        self._pumps[0].write(f"{newline}{MARK}{script.name}, attempt {attempt}\n".encode())
        self._said.ends_a_line = True

    def _start(self) -> tuple[dict[str, Any], str] | None:
        """Start the interpreter; return why that failed, if it did."""
        refused = {"refused": Reason.INTERPRETER_DID_NOT_START}
        name, inlets = " ".join(self._argv), (self._pumps[0].inlet, self._pumps[1].inlet)
        try:
            interpreter = Interpreter(self._argv, self._directory, inlets, self._woken)
        except OSError as error:
            return refused, f"{name} could not be started: {error.strerror or error}"
        answer = interpreter.wait(self._start_timeout)
        if isinstance(answer, dict):
            self._interpreter = interpreter
            return None
        status = interpreter.end(self._grace if answer == WOKEN else 0)
        why = {
            DIED: f"{name} {_ended(status)} before it was ready",
            TIMED_OUT: f"{name} was not ready within {self._start_timeout:g} s",
            WOKEN: f"{name} was cancelled before it was ready",
        }[answer]
        return ({"refused": Reason.CANCELLED} if answer == WOKEN else refused), why

    def _work(self, script: Script, attempt: int) -> dict[str, Any]:
        work: dict[str, Any] = {
            "parameters": {key: revealed(value) for key, value in script.parameters.items()},
            "timeout": script.timeout_seconds,
            "environment": {
                "ENSO_JOB": self._job_id,
                "ENSO_SCRIPT": script.name,
                "ENSO_ATTEMPT": str(attempt),
            },
        }
        if isinstance(script.work, Function):
            return {**work, "function": script.work.reference}
        if isinstance(script.work, Source):
            module = f"enso_script_{script.name.replace('-', '_')}"
            return {**work, "text": script.work.text, "file": script.work.file, "module": module}
        raise InvalidJob(f"script {script.name!r} cannot run in a session: {script.work!r}")

    def _loss(self, script: Script, seconds: float, what: str) -> Result:
        """End an interpreter that did not answer, and say why it is gone."""
        interpreter, self._interpreter = self._interpreter, None
        if interpreter is None:
            raise RuntimeError("an interpreter that did not answer is there")
        status = interpreter.end(0 if what == DIED else self._grace)
        report: dict[str, Any] = {"frame": self._place(script, interpreter.crash_file)}
        if what == WOKEN:
            report |= {"refused": Reason.CANCELLED}
            why = "the script was ended, because the session was cancelled"
        elif what == TIMED_OUT:
            report |= {"refused": Reason.TIMEOUT}
            why = f"ran longer than {script.timeout_seconds:g} s"
        elif status is not None and status < 0:
            report |= {"refused": Reason.SIGNAL, "signal": _signal(-status)}
            why = f"the interpreter was killed by {_signal(-status)}"
        else:
            report |= {"refused": Reason.EXITED_EARLY, "exit_code": status}
            why = f"the interpreter {_ended(status)} before main returned"
        return self._result(script, seconds, report, why, lost=True)

    def _result(
        self,
        script: Script,
        seconds: float,
        report: Mapping[str, Any],
        message: str = "",
        *,
        lost: bool = False,
    ) -> Result:
        self._drain()
        said, lines = self._said.take(LINES_KEPT)
        if message:
            report = {**report, "message": message}
        return result_of(report, seconds, Redactor(script.parameters), (said, lines), lost=lost)

    def _place(self, script: Script, crash_file: Path) -> list[Any] | None:
        """Return where a hang or a crash was; faulthandler names the innermost frame first."""
        file = script.work.file if isinstance(script.work, Source) else None
        for line in crash_file.read_text("utf-8", "replace").splitlines():
            place = _PLACE.match(line)
            if place and (place[1] == file or (file is None and not place[1].endswith("child.py"))):
                return [place[1], int(place[2]), place[3], self._line(script, int(place[2]))]
        return None

    def _line(self, script: Script, number: int) -> str:
        lines = script.work.text.splitlines() if isinstance(script.work, Source) else []
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def _drain(self) -> None:
        for pump in self._pumps:
            pump.drain(DRAIN_SECONDS)


def _ended(status: int | None) -> str:
    if status is None:
        return "could not be ended, not even by SIGKILL,"
    return f"was killed by {_signal(-status)}" if status < 0 else f"exited with code {status}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
