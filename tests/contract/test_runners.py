"""The contract of runners: in this process, and in a child process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.script import (
    Container,
    Function,
    LibraryScript,
    Missing,
    Script,
    Source,
    Work,
)
from job_execution_framework.domain.secret import Secret
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.service_layer.in_process import InProcessRunner
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.runner import Result, Runner

CANARY = "canary-4711"


NESTED = """
def main():
    value = []
    for _ in range({} - 1):
        value = [value]
    return value
"""


@pytest.fixture(params=["in process", "child"])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runner]:
    if request.param == "in process":
        yield InProcessRunner(ScriptLibrary([]))
    else:
        child = ChildRunner(Launcher(tmp_path), [sys.executable], 60, 1)
        yield child
        child.close()


def run(runner: Runner, work: Work | str, **parameters: object) -> Result:
    work = Source(work, "script.py") if isinstance(work, str) else work
    return runner.run(Script("script", work, parameters), 1)


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("def main(): pass", None),
        ("def main(): return {'frames': (1, 2)}", {"frames": [1, 2]}),
        ("def main(): raise SystemExit", None),
        ("import sys\ndef main(): sys.exit(0)", None),
        ("main = lambda: 'called'", "called"),
    ],
)
def test_what_returns_has_succeeded(runner: Runner, source: str, output: object) -> None:
    result = run(runner, source)
    assert result.cause is None
    assert result.output == output
    assert not result.interpreter_lost


def test_what_returns_64_levels_has_succeeded(runner: Runner) -> None:
    assert run(runner, NESTED.format(64)).cause is None


def test_parameters_arrive_and_secrets_are_revealed(runner: Runner) -> None:
    result = run(runner, "def main(a, b): return [a['x'], len(b)]", a={"x": 1}, b=Secret(CANARY))
    assert result.output == [1, len(CANARY)]


@pytest.mark.parametrize(
    ("source", "reason", "text"),
    [
        ("def main(): raise ValueError('no cache')", Reason.EXCEPTION, "ValueError: no cache"),
        ("def main(): raise KeyboardInterrupt", Reason.EXCEPTION, "KeyboardInterrupt"),
        ("class Odd(BaseException): pass\ndef main(): raise Odd", Reason.EXCEPTION, "Odd"),
        ("import sys\ndef main(): sys.exit(3)", Reason.EXIT_CODE, "3"),
        ("import sys\ndef main(): sys.exit('no licence')", Reason.EXIT_CODE, "no licence"),
        ("def main(:", Reason.EXCEPTION, "SyntaxError"),
        ("print('hello')", Reason.NO_MAIN, "def main"),
        ("main = 3", Reason.NO_MAIN, "of type int"),
        ("async def main(): pass", Reason.NO_MAIN, "async def"),
        ("def main(): yield 1", Reason.NO_MAIN, "generator"),
        ("def main(): return object()", Reason.BAD_RESULT, "object"),
        ("def main(): return float('nan')", Reason.BAD_RESULT, "float"),
        ("def main(): return 'x' * 5000", Reason.BAD_RESULT, "4096"),
        (NESTED.format(65), Reason.BAD_RESULT, "nested more than 64 levels"),
        (NESTED.format(500), Reason.BAD_RESULT, "nested more than 64 levels"),
        (NESTED.format(2000), Reason.BAD_RESULT, "no JSON"),
        (
            "def main(path, frames=1): pass",
            Reason.BAD_PARAMETERS,
            "takes path, frames=1; it was not",
        ),
    ],
)
def test_what_fails_says_why(runner: Runner, source: str, reason: str, text: str) -> None:
    result = run(runner, source)
    assert result.cause
    assert result.cause.reason == reason
    assert text in str(result.cause)
    assert not result.interpreter_lost


def test_the_innermost_line_of_the_users_own_code_is_named(runner: Runner) -> None:
    source = (
        "import json\ndef load(text):\n    return json.loads(text)\ndef main():\n    load('{')\n"
    )
    result = run(runner, source)
    assert result.cause
    assert str(result.cause.at) == "line 3 in load: return json.loads(text)"


def test_a_parameter_that_main_does_not_take_is_refused_before_it_is_called(
    runner: Runner, tmp_path: Path
) -> None:
    file = tmp_path / "called"
    source = f"def main(a):\n    with open({str(file)!r}, 'w') as f: f.write(a)\n"
    result = run(runner, source, b=1)
    assert result.cause
    assert result.cause.message.endswith("takes a; it was not given a; it does not take b")
    assert not file.exists()


@pytest.mark.parametrize(
    ("work", "reason", "text"),
    [
        (Function("no_such_module:main"), Reason.SCRIPT_NOT_FOUND, "no_such_module"),
        (Function("os.path:no_such_name"), Reason.SCRIPT_NOT_FOUND, "no_such_name"),
        (Function("os:sep"), Reason.NO_MAIN, "os:sep"),
        (Missing("there is no script 'x'"), Reason.SCRIPT_NOT_FOUND, "there is no script 'x'"),
    ],
)
def test_what_is_not_there_is_a_failure(runner: Runner, work: Work, reason: str, text: str) -> None:
    result = run(runner, work)
    assert result.cause
    assert result.cause.reason == reason
    assert text in result.cause.message


def test_a_function_reference_is_called(runner: Runner) -> None:
    result = run(runner, Function("os.path:basename"), p="/shots/010.hip")
    assert result.output == "010.hip"


def test_a_secret_is_in_nothing_that_comes_back(runner: Runner) -> None:
    source = (
        "def main(token, nested):\n"
        "    raise ValueError('refused: ' + token + ' and ' + repr(nested))\n"
    )
    result = run(runner, source, token=Secret(CANARY), nested={"deep": [Secret(f"{CANARY}\n2")]})
    assert result.cause
    assert CANARY not in repr(result)
    assert result.cause.message.startswith("refused: ***")


LOGIN = "import enso\ndef main(token): enso.shared['login'] = token"
TELLS = "import enso\ndef main(): raise OSError('401 for /x?token=' + enso.shared['login'])"


def test_a_secret_is_in_nothing_that_comes_back_of_other_scripts(runner: Runner) -> None:
    token = {"token": Secret(f"{CANARY}/+")}
    scripts = [Script("login", Source(LOGIN), token), Script("publish", Source(TELLS))]
    runner.check(scripts)
    runner.run(scripts[0], 1)
    cause = runner.run(scripts[1], 1).cause
    assert str(cause) == "OSError: 401 for /x?token=***"


def test_the_secrets_of_scripts_to_come_are_hidden(runner: Runner) -> None:
    scripts = [
        Script("open", Source(f"def main(): raise ValueError({CANARY!r})")),
        Script("publish", Source(LOGIN), {"token": Secret(CANARY)}),
    ]
    runner.check(scripts)
    assert str(runner.run(scripts[0], 1).cause) == "ValueError: ***"


def test_a_container_is_refused(runner: Runner) -> None:
    with pytest.raises(InvalidJob, match="container"):
        runner.check([Script("notify", Container("busybox"))])


def test_each_script_sees_the_modules_of_those_before_it(runner: Runner) -> None:
    assert run(runner, "import colorsys\ndef main(): colorsys.opened = 'scene'").cause is None
    assert run(runner, "import colorsys\ndef main(): return colorsys.opened").output == "scene"


def test_a_library_script_that_is_not_there_says_where_it_was_looked_for() -> None:
    result = run(InProcessRunner(ScriptLibrary([])), LibraryScript("exampel_script"))
    assert result.cause
    assert "did you mean 'example_script'?" in result.cause.message


def test_in_process_a_timeout_is_refused() -> None:
    script = Script("slow", Source("def main(): pass"), timeout_seconds=1)
    with pytest.raises(InvalidJob, match="enso run"):
        InProcessRunner().check([script])


def test_a_child_knows_its_attempt(tmp_path: Path) -> None:
    runner = ChildRunner(Launcher(tmp_path), [sys.executable], 60, 1, job_id="job-1")
    source = (
        "import os\n"
        "def main(): return [os.environ[n] for n in ('ENSO_JOB', 'ENSO_SCRIPT', 'ENSO_ATTEMPT')]"
    )
    try:
        assert runner.run(Script("do", Source(source)), 3).output == ["job-1", "do", "3"]
    finally:
        runner.close()
    assert "ENSO_JOB" not in os.environ
