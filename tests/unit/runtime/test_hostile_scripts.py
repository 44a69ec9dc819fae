# ruff: noqa: E501  # a table: one case, one line
"""Scripts that do what scripts should not: each ends in an honest record, and hurts no other.

After each of them a well-behaved script runs in the same session, and must find its world whole.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.service_layer.runner import Result
from tests.support.scripts import HANGS_SECONDS

OK = "ok"
TIMEOUT_SECONDS = 0.7
AFTER = """\
import builtins, enso, json, os, signal, subprocess, sys

def main(directory, kept):
    print("still here")
    assert open is builtins.open and len([1]) == 1 and json.dumps([1]) == "[1]"
    assert os.getcwd() == directory and "LEFT_BEHIND" not in os.environ
    assert "left/behind" not in sys.path and sys.getrecursionlimit() < 5000
    assert sys.stdin.read() == ""
    assert subprocess.run([sys.executable, "-S", "-c", ""]).returncode == 0
    assert not kept or enso.shared == {"opened": "scene"}
"""


@dataclass(frozen=True)
class Case:
    """What a script does, how its attempt must end, and whether its interpreter survives it."""

    name: str
    body: str
    ends: str = OK
    says: str = ""
    survives: bool = True


CASES = [
    Case("a BaseException of its own", "class Odd(BaseException): pass\nraise Odd('x')", Reason.EXCEPTION, "Odd: x"),
    Case("GeneratorExit", "raise GeneratorExit", Reason.EXCEPTION, "GeneratorExit"),
    Case("a str that raises", "class E(Exception):\n    def __str__(self): raise self\nraise E", Reason.EXCEPTION, "could not be had"),
    Case("a message of 5 MB", "raise ValueError('x' * 5_000_000)", Reason.EXCEPTION, "ValueError: xxx"),
    Case("a message with surrogates", r"raise ValueError('\udcff\ud800')", Reason.EXCEPTION, r"\udcff"),
    Case("a message with control characters", r"raise ValueError('\x1b[2J\x00')", Reason.EXCEPTION, r"\x1b[2J\x00"),
    Case("sys.exit(0)", "import sys; sys.exit(0)"),
    Case("sys.exit(3)", "import sys; sys.exit(3)", Reason.EXIT_CODE, "3"),
    Case("os._exit(0)", "import os; os._exit(0)", Reason.EXITED_EARLY, "code 0", survives=False),
    Case("os._exit(7)", "import os; os._exit(7)", Reason.EXITED_EARLY, "code 7", survives=False),
    Case("a segfault", "import ctypes; ctypes.string_at(0)", Reason.SIGNAL, "SIGSEGV", survives=False),
    Case("an abort", "import os; os.abort()", Reason.SIGNAL, "SIGABRT", survives=False),
    Case("SIGKILL of itself", "import os; os.kill(os.getpid(), 9)", Reason.SIGNAL, "SIGKILL", survives=False),
    Case("SIGKILL of its group", "import os; os.killpg(0, 9)", Reason.SIGNAL, "SIGKILL", survives=False),
    Case("an endless loop", "while True: pass", Reason.TIMEOUT, "ran longer than 0.7 s", survives=False),
    Case("an endless loop that holds the GIL", "import re; re.match(r'(a+)+$', 'a' * 64 + 'b')", Reason.TIMEOUT, "", survives=False),
    Case("SIGTERM ignored", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)", Reason.TIMEOUT, "", survives=False),
    Case("SIGTERM blocked", "import signal, time; signal.pthread_sigmask(0, [15]); time.sleep(60)", Reason.TIMEOUT, "", survives=False),
    Case("a daemon that holds the output", "import subprocess; subprocess.Popen(['sleep', '60'])"),
    Case("a daemon in a session of its own", "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)"),
    Case("a thread that goes on", "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"),
    Case("a thread that is no daemon", "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()"),
    Case("a closed stdout", "import sys; sys.stdout.close(); sys.stderr.close()"),
    Case("a replaced stdout", "import io, sys; sys.stdout = io.StringIO(); sys.stderr = None"),
    Case("closed descriptors 0 to 2", "import os; [os.close(n) for n in range(3)]"),
    Case("all descriptors closed, and a scene opened", "import os; os.closerange(0, 4096); f = os.open('scene', os.O_CREAT | os.O_RDWR); os.write(f, b'scene')"),
    Case("a changed directory", "import os; os.chdir('/')"),
    Case("a changed environment", "import os; os.environ['LEFT_BEHIND'] = 'x'; del os.environ['PATH']"),
    Case("patched builtins", "import builtins\nfor name in ('open', 'len', 'print', 'isinstance', 'dict', 'str', 'hasattr'): setattr(builtins, name, None)"),
    Case("a changed sys.path", "import sys; sys.path.insert(0, 'left/behind')"),
    Case("cleared sys.modules", "import sys; sys.modules.clear()"),
    Case("patched modules", "import json, os, socket; json.dumps = json.loads = None; os.getpid = lambda: 0", OK),
    Case("endless recursion", "def f(): f()\nf()", Reason.EXCEPTION, "RecursionError"),
    Case("a raised recursion limit", "import sys; sys.setrecursionlimit(10**6)"),
    Case("a result that is no JSON", "return object()", Reason.BAD_RESULT, "no JSON"),
    Case("a result that is too large", "return 'x' * 4096", Reason.BAD_RESULT, "4098"),
    Case("a result that contains itself", "x = []; x.append(x); return x", Reason.BAD_RESULT, "no JSON"),
    Case("reading standard input", "input()", Reason.EXCEPTION, "EOFError"),
    Case("a fork whose copy returns", "import os; os.fork()"),
    Case("a fork whose copy raises", "import os\nif not os.fork(): raise ValueError('copy')"),
    Case("a fork whose copy lives on", "import os, time\nif not os.fork(): time.sleep(60)"),
    Case("an alarm that is left behind", "import signal; signal.alarm(1)"),
    Case("lines that look like records", """print('{"v":1,"type":"ScriptSucceeded","at":1,"origin":"main-1","seq":1}')"""),
    Case("lines that look like marks", "print('--- after, attempt 1')"),
    Case("binary", "import sys; sys.stdout.buffer.write(bytes(range(256)) * 1000)"),
    Case("100 MB in one line", "print('x' * 100_000_000)"),
    Case("faulthandler switched off", "import faulthandler; faulthandler.disable(); faulthandler.cancel_dump_traceback_later()"),
    Case("warnings as errors", "import warnings; warnings.simplefilter('error')"),
    Case("an exit handler that hangs", "import atexit, time; atexit.register(time.sleep, 60)"),
    Case("a stranger on our socket", "import os; assert 'ENSO_SOCKET' not in os.environ"),
]  # fmt: skip


class Bench:
    """A session in which a script has opened something, before anything hostile runs."""

    def __init__(self, directory: Path, grace: float = 0.5) -> None:
        self.directory = directory
        self.runner = ChildRunner(
            Launcher(directory), [sys.executable], 60, grace, end_timeout_seconds=0.5
        )
        opened = self.run("open", "import enso\ndef main(): enso.shared['opened'] = 'scene'")
        assert opened.cause is None

    def run(self, name: str, source: str, **parameters: object) -> Result:
        script = Script(name, Source(source, f"{name}.py"), parameters, timeout_seconds=30)
        return self.runner.run(script, 1)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path)
    yield bench
    bench.runner.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_ends_in_an_honest_record_and_hurts_no_other(bench: Bench, case: Case) -> None:
    source = "def main():\n" + textwrap.indent(case.body, "    ")
    timeout = TIMEOUT_SECONDS if case.ends == Reason.TIMEOUT else 30
    script = Script("hostile", Source(source, "hostile.py"), timeout_seconds=timeout)

    result = bench.runner.run(script, 1)

    assert (result.cause.reason if result.cause else OK) == case.ends, result
    assert case.says in str(result.cause)
    assert result.interpreter_lost is not case.survives
    assert len(repr(result)) < 5000
    after = bench.run("after", AFTER, directory=str(bench.directory), kept=case.survives)
    assert after.cause is None, after.cause


def test_a_hang_is_placed(bench: Bench) -> None:
    source = "import time\ndef wait():\n    time.sleep(60)\ndef main():\n    wait()\n"
    script = Script("hang", Source(source, "hang.py"), timeout_seconds=HANGS_SECONDS)
    result = bench.runner.run(script, 1)
    assert result.cause
    assert str(result.cause.at) == "line 3 in wait: time.sleep(60)"


def test_a_crash_is_placed(bench: Bench) -> None:
    result = bench.run("crash", "import ctypes\ndef main():\n    ctypes.string_at(0)\n")
    assert result.cause
    assert str(result.cause.at) == "line 3 in main: ctypes.string_at(0)"


def test_a_script_that_is_ended_may_clean_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path, grace=60)
    source = (
        "import time\n"
        "def main():\n"
        "    try: time.sleep(60)\n"
        "    finally: open('cleaned', 'w').close()\n"
    )
    script = Script("clean", Source(source, "clean.py"), timeout_seconds=HANGS_SECONDS)
    assert bench.runner.run(script, 1).interpreter_lost
    bench.runner.close()
    assert (bench.directory / "cleaned").exists()


def test_the_last_words_of_a_failure_are_kept(bench: Bench) -> None:
    source = "def main():\n    for i in range(1000): print('line', i)\n    raise ValueError"
    result = bench.run("loud", source)
    assert result.cause
    assert result.cause.said == ("line 995", "line 996", "line 997", "line 998", "line 999")
    assert result.cause.said_lines == 1000


def test_what_a_script_prints_arrives_byte_for_byte(
    bench: Bench, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    bench.run("binary", "import sys\ndef main(): sys.stdout.buffer.write(bytes(range(256)) * 4)")
    assert capfdbinary.readouterr().out.endswith(bytes(range(256)) * 4)


def test_a_scene_never_holds_a_word_of_ours(bench: Bench) -> None:
    source = (
        "import os\n"
        "def main():\n"
        "    os.closerange(0, 4096)\n"
        "    for n in range(64): os.open(f'scene{n}', os.O_CREAT | os.O_RDWR)\n"
    )
    bench.run("scene", source)
    bench.run("after", "def main(): print('hello')")
    scenes = list(bench.directory.glob("scene*"))
    assert len(scenes) == 64
    assert all(path.read_bytes() == b"" for path in scenes)
