"""How a session runs its scripts, and what it reports of failures."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.script import Container, Function, Missing, Script, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.launcher import Launcher
from tests.support.scripts import HANGS_SECONDS, Scripts
from tests.unit.runtime.conftest import Start

SECRET = "hunter2-" + "x" * 30


def test_scripts_share_modules_and_a_dict(scripts: Scripts) -> None:
    scripts.run("import enso, json\ndef main(): enso.shared['scene'] = json.mine = {'a': 1}")
    result = scripts.run("from enso import shared\nimport json\ndef main(): return json.mine")
    assert result.output == {"a": 1}
    result = scripts.run("import enso_script_first\ndef main(): return enso_script_first.left", "x")
    assert result.cause
    scripts.run("left = 5\ndef main(): pass", "first")
    result = scripts.run("import enso_script_first\ndef main(): return enso_script_first.left", "x")
    assert result.output == 5


def test_a_script_knows_its_attempt(scripts: Scripts) -> None:
    source = """
    import os
    def main(): return [os.environ.get("ENSO_" + name) for name in ("JOB", "SCRIPT", "ATTEMPT")]
    """
    work = Source(textwrap.dedent(source))
    assert scripts.runner.run(Script("a-b", work), 7).output == ["job-1", "a-b", "7"]


def test_a_traceback_names_a_file_that_is_there(
    scripts: Scripts, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    scripts.run("def main(): pass", "first")
    cause = scripts.fails("def main():\n    print('half a line', end='')\n    1/0", "second")
    file = tmp_path / "scripts" / "enso_script_second.py"
    assert cause.at
    assert cause.at.file == str(file)
    assert file.read_text().endswith("1/0")
    said = capfd.readouterr()
    assert said.out.startswith(
        "--- first, attempt 1\n--- second, attempt 1\nhalf a line\n"
        f'Traceback (most recent call last):\n  File "{file}"'
    )
    assert said.out.endswith("ZeroDivisionError: division by zero\n")
    assert said.err == ""


def test_output_and_errors_stay_in_the_order_in_which_they_were_written(
    scripts: Scripts, capfd: pytest.CaptureFixture[str]
) -> None:
    source = """
    import subprocess, sys
    def main():
        for n in range(200):
            print(n)
            print(n, "err", file=sys.stderr)
            if n % 50 == 0:
                subprocess.run(["sh", "-c", f"echo {n} child; echo {n} child err >&2"])
    """
    assert scripts.run(source).cause is None
    lines = capfd.readouterr().out.splitlines()[1:]
    expected: list[str] = []
    for n in range(200):
        expected += [f"{n}", f"{n} err"]
        expected += [f"{n} child", f"{n} child err"] if n % 50 == 0 else []
    assert lines == expected


def test_a_function_is_called_in_the_interpreter(start: Start, tmp_path: Path) -> None:
    (tmp_path / "pipe.py").write_text("import time\ndef wait(n): time.sleep(n)\ndef no(): 1/0\n")
    scripts = start(["env", f"PYTHONPATH={tmp_path}", sys.executable])
    cause = scripts.call("pipe:no").cause
    assert cause
    assert str(cause.at) == "line 3 in no: def no(): 1/0"
    cause = scripts.call("pipe:nothing").cause
    assert cause
    assert (cause.reason, cause.message) == (Reason.SCRIPT_NOT_FOUND, "pipe has no 'nothing'")
    script = Script("wait", Function("pipe:wait"), {"n": 60}, timeout_seconds=HANGS_SECONDS)
    cause = scripts.runner.run(script, 1).cause
    assert cause
    assert str(cause.at) == "line 2 in wait: def wait(n): time.sleep(n)"


def test_a_hang_deeper_than_a_dump_is_placed(scripts: Scripts) -> None:
    source = """
    import time
    def down(n):
        if n: down(n - 1)
        time.sleep(60)
    def main(): down(500)
    """
    assert str(scripts.fails(source, timeout=HANGS_SECONDS).at) == "line 5 in down: time.sleep(60)"


def test_a_hang_below_a_folder_of_any_name_is_placed(tmp_path: Path) -> None:
    folder = tmp_path / "jürgen 📁"
    folder.mkdir()
    runner = ChildRunner(Launcher(folder), [sys.executable], 20, 0.3)
    scripts = Scripts(runner, folder)
    cause = scripts.fails(
        "import time\ndef main():\n    time.sleep(60)  # ü", timeout=HANGS_SECONDS
    )
    assert str(cause.at) == "line 3 in main: time.sleep(60)  # ü"
    runner.close()


def test_a_missing_script_is_not_found(scripts: Scripts) -> None:
    result = scripts.runner.run(Script("gone", Missing("there is no script 'gone'")), 1)
    assert result.cause
    assert str(result.cause) == "ScriptNotFound: there is no script 'gone'"


def test_a_container_is_refused(scripts: Scripts) -> None:
    with pytest.raises(InvalidJob) as error:
        scripts.runner.check([Script("c", Container("busybox"))])
    assert str(error.value) == "script 'c' is a container, which needs a cluster"


@pytest.mark.parametrize("value", [Path("/a"), float("nan"), Secret({"deep": {1, 2}}), [object()]])
def test_a_parameter_that_is_no_json_is_refused(scripts: Scripts, value: object) -> None:
    with pytest.raises(InvalidJob) as error:
        scripts.runner.check([Script("p", Source(""), {"fine": 1, "odd": value})])
    sentence = (
        "script 'p': parameter 'odd' cannot be sent to another process, because it is no JSON"
    )
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("raise ValueError(token)", "ValueError: ***"),
        ("raise ValueError('bad token ' + token + '!')", "ValueError: bad token ***!"),
        ("raise ValueError(repr({'t': token}))", "ValueError: {'t': '***'}"),
        ("raise ValueError('no secret in it')", "ValueError: no secret in it"),
        ("raise ValueError('x' * 65530 + token)", "ValueError: xxx"),
        ("print('with ' + token); raise OSError", "OSError"),
        ("import sys; sys.exit('no: ' + token)", "ExitCode: 1: no: ***"),
        ("print(token, flush=True); import os; os._exit(1)", "ExitedEarly: the interpreter"),
        ("print('half ' + token, end='', flush=True); import os; os.abort()", "Signal: "),
        ("return {token}", "BadResult: main returned set"),
        ("return main(token, 1)", "TypeError: main() takes 1 positional argument but 2 were given"),
    ],
)
def test_no_failure_tells_a_secret(
    scripts: Scripts, capfd: pytest.CaptureFixture[str], body: str, shown: str
) -> None:
    result = scripts.run(f"def main(token): {body}", token=Secret(SECRET))
    assert result.cause
    assert str(result.cause).startswith(shown)
    assert "hunter2" not in repr(result)
    told = capfd.readouterr().out.replace(SECRET, "", body.count("print("))  # printed by itself
    assert "hunter2" not in told


def test_a_secret_is_what_it_holds_to_the_script(scripts: Scripts) -> None:
    source = "def main(token): return len(token) if token.startswith('hunter2') else 0"
    assert scripts.run(source, token=Secret(SECRET)).output == len(SECRET)


def test_the_last_lines_of_what_was_said_are_kept(scripts: Scripts) -> None:
    source = """
    import sys
    def main():
        for n in range(100): print("line", n)
        print("x" * 100_000)
        print("\\n\\nprogress 1%\\rprogress 2%", end="")
        raise ValueError
    """
    cause = scripts.fails(source)
    assert cause.said_lines == 105
    assert cause.said == ("progress 1%", "progress 2%")
    scripts.run("def main(): print('another')")
    assert scripts.fails("def main(): 1/0").said == ()
