"""How a session's scripts are stopped, what they leave behind, and what is said of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.script import Container, Function, Missing, Script, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.runtime.child_runner import ChildRunner
from tests.support.eventually import until
from tests.support.running import is_alive
from tests.support.scripts import Scripts, pid_in
from tests.unit.runtime.conftest import Start

SECRET = "hunter2-" + "x" * 30
PROGRAM = """\
import sys
from pathlib import Path
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.processes import orphans

orphans.adopt()
source, *argv = sys.argv[1:]
runner = ChildRunner(Path.cwd(), argv, 20, 0.5)
script = Script("script", Source(source))
runner.announce(script, 1)
result = runner.run(script, 1)
assert result.cause is None, result.cause
runner.close()
print("done", file=sys.stderr)
"""
"""A supervisor: a process of its own, which runs one script."""


def supervisor(folder: Path, source: str, *argv: str, stdout: int = -3) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PROGRAM, textwrap.dedent(source), *(argv or [sys.executable])]
    return subprocess.Popen(command, cwd=folder, stdout=stdout, stderr=subprocess.PIPE)


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
    script = Script("wait", Function("pipe:wait"), {"n": 60}, timeout_seconds=0.5)
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
    assert str(scripts.fails(source, timeout=0.5).at) == "line 5 in down: time.sleep(60)"


def test_a_hang_below_a_folder_of_any_name_is_placed(tmp_path: Path) -> None:
    folder = tmp_path / "jürgen 📁"
    folder.mkdir()
    runner = ChildRunner(folder, [sys.executable], 20, 0.3)
    scripts = Scripts(runner, folder)
    cause = scripts.fails("import time\ndef main():\n    time.sleep(60)  # ü", timeout=0.5)
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
    told = capfd.readouterr().out.replace(SECRET, "", body.count("print("))  # its own words
    assert "hunter2" not in told


def test_a_secret_is_what_it_holds_to_the_script(scripts: Scripts) -> None:
    source = "def main(token): return len(token) if token.startswith('hunter2') else 0"
    assert scripts.run(source, token=Secret(SECRET)).output == len(SECRET)


def test_pause_lets_the_script_end(start: Start, tmp_path: Path) -> None:
    scripts = start()
    source = """
    import pathlib, time
    def main(folder):
        pathlib.Path(folder, "started").touch()
        while not pathlib.Path(folder, "go").exists(): time.sleep(0.01)
        return "ended"
    """
    with ThreadPoolExecutor() as pool:
        result = pool.submit(scripts.run, source, folder=str(tmp_path))
        until((tmp_path / "started").exists)
        stopping = [scripts.runner.stopping]
        scripts.runner.pause()
        assert [*stopping, scripts.runner.stopping] == [False, True]
        (tmp_path / "go").touch()
        assert result.result().output == "ended"


@pytest.mark.parametrize("stubborn", [False, True])
def test_cancel_ends_the_script(start: Start, tmp_path: Path, stubborn: bool) -> None:
    scripts = start()
    source = """
    import atexit, os, pathlib, signal, time
    def main(folder, stubborn):
        atexit.register(pathlib.Path(folder, "released").touch)
        if stubborn:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pathlib.Path(folder, "pid").write_text(f"{os.getpid()}\\n")
        try:
            time.sleep(60)
        finally:
            pathlib.Path(folder, "cleaned").touch()
    """
    with ThreadPoolExecutor() as pool:
        future = pool.submit(scripts.run, source, folder=str(tmp_path), stubborn=stubborn)
        pid = pid_in(tmp_path / "pid")
        scripts.runner.cancel()
        scripts.runner.cancel()
        result = future.result()
    assert result.cause
    assert result.interpreter_lost
    assert str(result.cause) == (
        "Cancelled: the script was ended, because the session was cancelled"
    )
    assert scripts.runner.stopping
    assert not is_alive(pid)
    assert (tmp_path / "cleaned").exists() is not stubborn
    assert (tmp_path / "released").exists() is not stubborn
    assert scripts.fails("def main(): pass").reason == Reason.CANCELLED


def test_cancel_works_while_the_interpreter_starts(start: Start, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    scripts = start(["sh", "-c", f"echo $$ > {pid}; exec sleep 60"])
    with ThreadPoolExecutor() as pool:
        result = pool.submit(scripts.fails, "def main(): pass")
        number = pid_in(pid)
        scripts.runner.cancel()
        assert result.result().reason == Reason.CANCELLED
    assert not is_alive(number)


def test_cancel_works_from_a_signals_handler(start: Start) -> None:
    scripts = start()
    before = signal.signal(signal.SIGALRM, lambda _number, _frame: scripts.runner.cancel())
    try:
        source = f"import os, time\ndef main(): os.kill({os.getpid()}, 14); time.sleep(60)"
        assert scripts.fails(source).reason == Reason.CANCELLED
    finally:
        signal.signal(signal.SIGALRM, before)


def test_cancel_after_the_end_changes_nothing(start: Start) -> None:
    scripts = start()
    scripts.good()
    scripts.runner.close()
    scripts.runner.cancel()


def test_the_interpreter_ends_in_its_own_time(start: Start, tmp_path: Path) -> None:
    scripts = start(end=20)
    source = """
    import atexit, os, pathlib, time
    def release(folder):
        time.sleep(0.2)
        pathlib.Path(folder, "released").touch()
    def main(folder):
        atexit.register(release, folder)
        return os.getpid()
    """
    pid = scripts.run(source, folder=str(tmp_path)).output
    scripts.runner.close()
    assert (tmp_path / "released").exists()
    assert isinstance(pid, int)
    assert not is_alive(pid)


def test_what_stays_in_the_group_is_ended(start: Start) -> None:
    scripts = start()
    source = "import subprocess\ndef main(): return subprocess.Popen(['sleep', '60']).pid"
    pid = scripts.run(source).output
    assert isinstance(pid, int)
    assert is_alive(pid)
    scripts.runner.close()
    until(lambda: not is_alive(pid))


def test_a_daemon_outside_of_the_group_is_ended_by_a_supervisor(tmp_path: Path) -> None:
    source = """
    import os, pathlib, signal, time
    def main():
        for file in ("gentle", "stubborn"):
            if not os.fork():
                os.setsid()
                if os.fork():
                    os._exit(0)
                if file == "stubborn":
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                pathlib.Path(file).write_text(f"{os.getpid()}\\n")
                time.sleep(60)
                os._exit(0)
            os.wait()
    """
    process = supervisor(tmp_path, source)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    until(lambda: not is_alive(pid_in(tmp_path / "gentle")))
    until(lambda: not is_alive(pid_in(tmp_path / "stubborn")))


@pytest.mark.parametrize("wrapped", [0, 1, 2], ids=["python", "a shell", "two shells"])
@pytest.mark.parametrize(
    "busy", ["time.sleep(60)", "re.match('(a+)+$', 'a' * 64 + 'b')"], ids=["asleep", "GIL"]
)
def test_a_killed_supervisor_takes_the_script_with_it(
    tmp_path: Path, wrapped: int, busy: str
) -> None:
    source = f"""
    import os, pathlib, re, signal, time
    def main():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        helper = os.fork()
        if helper:
            pathlib.Path("pids.part").write_text(f"[{{os.getpid()}}, {{helper}}]")
            os.rename("pids.part", "pids")
        {busy}
    """
    argv = sys.executable
    for number in range(wrapped):
        shell = tmp_path / f"shell{number}"
        shell.write_text(f'#!/bin/sh\n{argv} "$@"\nexit $?\n')
        shell.chmod(0o755)
        argv = str(shell)
    process = supervisor(tmp_path, source, argv)
    until((tmp_path / "pids").exists)
    process.kill()
    process.communicate()
    pids = json.loads((tmp_path / "pids").read_text())
    until(lambda: not any(map(is_alive, pids)))


def test_a_script_that_closed_everything_dies_with_its_supervisor(tmp_path: Path) -> None:
    source = """
    import os, pathlib, time
    def main():
        pathlib.Path("pid").write_text(f"{os.getpid()}\\n")
        os.closerange(0, 4096)
        time.sleep(60)
    """
    process = supervisor(tmp_path, source)
    pid = pid_in(tmp_path / "pid")
    process.kill()
    process.communicate()
    until(lambda: not is_alive(pid))


def test_a_gigabyte_is_passed_on(tmp_path: Path) -> None:
    source = """
    import os
    def main():
        block = bytes(range(256)) * 4096
        for _ in range(1024): os.write(1, block)
    """
    process = supervisor(tmp_path, source, stdout=subprocess.PIPE)
    assert process.stdout
    head = process.stdout.readline()
    size, block, wrong = 0, bytes(range(256)) * 4096, 0
    while data := process.stdout.read(len(block)):
        size += len(data)
        wrong += data != block
    assert process.communicate(timeout=60)[1] == b"done\n"
    assert (head, size, wrong) == (b"--- script, attempt 1\n", 1 << 30, 0)


def test_a_script_does_not_feel_that_nobody_reads(tmp_path: Path) -> None:
    source = "def main():\n    for _ in range(100_000): print('a line that nobody wants')"
    process = supervisor(tmp_path, source, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == b"done\n"
    assert process.wait(60) == 0
    process.stderr.close()


def test_a_reader_that_cannot_be_waited_for_misses_nothing(tmp_path: Path) -> None:
    """Who shares our standard output may have made it non-blocking."""
    source = "def main():\n    for n in range(100_000): print(n)"
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    process = supervisor(tmp_path, source, stdout=theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as output:
        lines = output.read().splitlines()
    assert process.communicate(timeout=60)[1] == b"done\n"
    assert lines[1:] == [b"%d" % n for n in range(100_000)]


def test_a_daemon_that_holds_the_output_is_not_waited_for(start: Start) -> None:
    scripts = start()
    source = """
    import subprocess
    def main(): return subprocess.Popen(["sleep", "60"], start_new_session=True).pid
    """
    pid = scripts.run(source).output
    assert isinstance(pid, int)
    scripts.good(1)
    scripts.runner.close()
    assert is_alive(pid)  # only a supervisor, a process of its own, may end what left the group
    os.kill(pid, signal.SIGKILL)


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
