"""Lines of output by which an attempt fails: in a child process, and refused in this one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.control import CANCEL
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.fail_on import FailOn
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.service_layer.in_process import InProcessRunner
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.runner import Result
from tests.support.scripts import HANGS_SECONDS

LICENCE = FailOn("No licen[cs]e", "LicenseUnavailable")
BROKEN = FailOn("^ERROR: ", "Broken")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[ChildRunner]:
    child = ChildRunner(Launcher(tmp_path), [sys.executable], 60, 1)
    yield child
    child.close()


def run(
    runner: ChildRunner,
    *body: str,
    fail_on: tuple[FailOn, ...] = (LICENCE, BROKEN),
    timeout: float | None = None,
    **parameters: object,
) -> Result:
    source = "import os, sys\ndef main(**given):\n" + "".join(f"    {line}\n" for line in body)
    work = Source(source, "render.py")
    script = Script("render", work, parameters, fail_on=fail_on, timeout_seconds=timeout)
    runner.check([script])
    return runner.run(script, 1)


def told(result: Result) -> tuple[str, str]:
    assert result.cause
    return result.cause.reason, str(result.cause)


def test_a_line_fails_an_attempt_that_returned(runner: ChildRunner) -> None:
    result = run(runner, "print('12:04 No licence for Mantra')", "return 1")
    line = "LicenseUnavailable: 12:04 No licence for Mantra"
    assert told(result) == ("LicenseUnavailable", line)
    assert (result.output, result.interpreter_lost) == (None, False)
    assert result.cause
    assert result.cause.said == ("12:04 No licence for Mantra",)


@pytest.mark.parametrize(
    "body",
    [
        "sys.stderr.write('No license')",
        "os.write(1, b'a\\rNo license\\r')",
        "os.write(1, b'No lic'); __import__('time').sleep(0.2); os.write(1, b'ense\\n')",
        "os.system('echo No license')",
        "print('x' * 4086 + 'No license')",
        "print('No license'); sys.exit(0)",
        "os.write(1, b'\\xff\\xfe No license \\x00\\n')",
        "print('ok\\n' * 100_000); print('No license'); print('ok\\n' * 100_000)",
    ],
)
def test_wherever_it_writes_it_and_however_it_is_torn(runner: ChildRunner, body: str) -> None:
    assert told(run(runner, body))[0] == "LicenseUnavailable"


@pytest.mark.parametrize(
    "body", ["print('Licence found')", "print('x' * 4087 + 'No license')", "print('No\\nlicense')"]
)
def test_other_lines_and_what_stands_behind_4_kib_fail_nothing(
    runner: ChildRunner, body: str
) -> None:
    assert run(runner, body, "return 1").output == 1


def test_the_first_line_counts_and_of_a_line_the_first_pattern(runner: ChildRunner) -> None:
    result = run(runner, "print('ok')", "print('ERROR: No licence')", "print('No licence')")
    assert told(result) == ("LicenseUnavailable", "LicenseUnavailable: ERROR: No licence")


def test_an_attempt_does_not_fail_by_what_the_one_before_it_wrote(runner: ChildRunner) -> None:
    assert run(runner, "print('No licence', end='')").cause
    assert run(runner, "return 2").output == 2
    assert run(runner, "print('No licence')", fail_on=()).cause is None


@pytest.mark.parametrize(
    ("body", "end"),
    [
        ("raise ValueError('it broke')", "; then ValueError: it broke"),
        ("sys.exit(3)", "; then ExitCode: 3"),
        ("sys.exit('no No licence')", "; then ExitCode: 1: no No licence"),
        ("return object()", "; then BadResult: main returned"),
        ("os._exit(4)", "; then ExitedEarly: the interpreter exited with code 4"),
    ],
)
def test_the_line_says_more_than_how_it_ended_which_stands_behind_it(
    runner: ChildRunner, body: str, end: str
) -> None:
    reason, line = told(run(runner, "print('No licence')", "sys.stdout.flush()", body))
    assert reason == "LicenseUnavailable"
    assert line.startswith(f"LicenseUnavailable: No licence{end}")


def test_so_it_does_where_it_never_ended(runner: ChildRunner) -> None:
    waits = "print('No licence', flush=True); __import__('time').sleep(60)"
    result = run(runner, waits, timeout=HANGS_SECONDS)
    assert told(result)[1] == (
        f"LicenseUnavailable: No licence; then Timeout: ran longer than {HANGS_SECONDS} s"
    )
    assert result.interpreter_lost


def test_the_exception_itself_may_be_that_line(runner: ChildRunner) -> None:
    result = run(runner, "raise RuntimeError('No licence for Mantra')")
    assert told(result)[1] == "LicenseUnavailable: RuntimeError: No licence for Mantra"
    assert result.cause
    assert result.cause.at
    assert result.cause.at.line == 3


def test_code_in_a_traceback_is_no_such_line(runner: ChildRunner) -> None:
    result = run(runner, "assert 'No licence' in 'ok'")
    assert told(result)[1] == "AssertionError"


def test_an_interpreter_that_does_not_start_fails_by_what_it_says(tmp_path: Path) -> None:
    says = ["sh", "-c", "echo 'No licence for hython'; exit 3"]
    runner = ChildRunner(Launcher(tmp_path), says, 60, 1)
    try:
        reason, line = told(run(runner, "pass"))
    finally:
        runner.close()
    assert reason == "LicenseUnavailable"
    assert line.startswith(
        "LicenseUnavailable: No licence for hython; then InterpreterDidNotStart: sh -c"
    )


def test_what_somebody_cancels_is_cancelled(runner: ChildRunner) -> None:
    runner.tell(CANCEL)
    result = run(runner, "print('No licence', flush=True)", "__import__('time').sleep(60)")
    assert told(result)[0] == Reason.CANCELLED


def test_secrets_are_hidden_in_the_line(runner: ChildRunner) -> None:
    result = run(runner, "print('No licence for', given['token'])", token=Secret("canary-4711"))
    assert told(result)[1] == "LicenseUnavailable: No licence for ***"


def test_the_line_is_bounded(runner: ChildRunner) -> None:
    result = run(runner, "print('No licence ' + 'x' * 4000)")
    assert result.cause
    assert len(result.cause.message) == 1000


def test_scripts_in_this_process_are_refused_as_nobody_reads_their_output() -> None:
    script = Script("render", Source("def main(): pass"), fail_on=(LICENCE,))
    with pytest.raises(InvalidJob, match="script 'render' has failOn, but what a script in this"):
        InProcessRunner(ScriptLibrary([])).check([script])
