"""The interpreter is an argv: wrappers, host programs, old Pythons, and what never comes up."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which

import pytest

from job_execution_framework.domain.cause import Reason
from tests.support.eventually import until
from tests.support.running import is_alive
from tests.support.scripts import HANGS_SECONDS, Scripts, pid_in, skip_without
from tests.unit.runtime.conftest import Start

VERSIONS = ["3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]
SEGFAULT = "import ctypes\ndef main():\n    ctypes.string_at(0)"
SLEEPS = "import time\ndef main():\n    time.sleep(60)"
HANG = """\
import os, time
def main(file):
    with open(file, "w") as pid: pid.write(f"{os.getpid()}\\n")
    time.sleep(60)
"""


def program(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def python_of(version: str) -> str:
    """Return a Python of that version, wherever this machine keeps it."""
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    return str(kept[-1]) if kept else f"python{version}"


def wrappers(folder: Path) -> list[list[str]]:
    execs = program(folder, "execs", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    stays = program(folder, "stays", f'#!/bin/sh\n{sys.executable} "$@"\nexit $?\n')
    outer = program(folder, "outer", f'#!/bin/sh\n{stays} "$@"\nexit $?\n')
    options = ["env", "--", sys.executable, "-X", "utf8"]
    return [["env", "X=1", sys.executable], [execs], [stays], [outer], options]


@pytest.fixture(params=range(5), ids=["env", "exec", "a shell", "two shells", "options"])
def wrapped(request: pytest.FixtureRequest, start: Start, tmp_path: Path) -> Scripts:
    return start(wrappers(tmp_path)[request.param])


def test_a_wrapper_changes_nothing(wrapped: Scripts) -> None:
    wrapped.good(1)
    wrapped.good(2)
    cause = wrapped.fails(SEGFAULT)
    assert (cause.reason, cause.signal) == (Reason.SIGNAL, "SIGSEGV")
    assert str(cause.at) == "line 3 in main: ctypes.string_at(0)"
    wrapped.good(1)


def test_a_hang_behind_a_wrapper_is_ended(wrapped: Scripts, tmp_path: Path) -> None:
    cause = wrapped.fails(HANG, timeout=HANGS_SECONDS, file=str(tmp_path / "pid"))
    assert (cause.reason, str(cause.at)) == (Reason.TIMEOUT, "line 4 in main: time.sleep(60)")
    assert not is_alive(pid_in(tmp_path / "pid"))
    wrapped.good()


def test_a_wrapper_that_outlives_its_interpreter_is_not_waited_for(
    start: Start, tmp_path: Path
) -> None:
    scripts = start([program(tmp_path, "lingers", f'#!/bin/sh\n{sys.executable} "$@"\nsleep 60\n')])
    scripts.good()
    cause = scripts.fails("import os\ndef main(): os._exit(3)")
    assert cause.reason == Reason.EXITED_EARLY
    assert cause.message == "the interpreter ended before main returned"
    scripts.good()


def test_an_exit_code_above_128_is_no_signal_without_a_wrapper(scripts: Scripts) -> None:
    cause = scripts.fails("import os\ndef main(): os._exit(139)")
    assert (cause.reason, cause.exit_code) == (Reason.EXITED_EARLY, 139)


def test_a_host_program_that_embeds_python(start: Start) -> None:
    skip_without("gdb")
    scripts = start(["gdb", "-q", "-batch", "-x"], grace=2)
    source = "import gdb\ndef main(): return gdb.parse_and_eval('6 * 7').format_string()"
    assert scripts.run(source).output == "42"
    scripts.good(1)
    cause = scripts.fails("def main():\n    1/0")
    assert (cause.error, str(cause.at)) == ("ZeroDivisionError", "line 2 in main: 1/0")
    scripts.run("import sys\ndef main(): sys.stdout.write('in the host\\n'); sys.stdout = None")
    scripts.good(2)
    cause = scripts.fails(SLEEPS, timeout=HANGS_SECONDS)
    assert (cause.reason, str(cause.at)) == (Reason.TIMEOUT, "line 3 in main: time.sleep(60)")
    scripts.good(1)


def test_a_host_program_that_sources_the_file(start: Start, tmp_path: Path) -> None:
    skip_without("gdb")
    host = program(tmp_path, "host", '#!/bin/sh\nexec gdb -q -batch -ex "source $1"\n')
    scripts = start([host], grace=2)
    scripts.good(1)
    scripts.good(2)


@pytest.mark.parametrize("version", [version for version in VERSIONS if which(python_of(version))])
def test_every_python_that_is_here_runs_scripts(start: Start, version: str) -> None:
    scripts = start([python_of(version)])
    version_of = "import sys\ndef main(): return '%d.%d' % sys.version_info[:2]"
    assert scripts.run(version_of).output == version
    cause = scripts.fails("def main(path, frames=1): pass", frame=1)
    assert cause.message == (
        "main of bad.py takes path, frames=1; it was not given path; it does not take frame"
    )
    cause = scripts.fails("import json\ndef main():\n    json.loads('{')")
    assert cause.error == "json.decoder.JSONDecodeError"
    assert str(cause.at) == "line 3 in main: json.loads('{')"
    assert scripts.fails("def main(:").error == "SyntaxError"
    assert scripts.fails("import sys\ndef main(): sys.exit(3)").exit_code == 3
    scripts.run("import builtins\ndef main(): builtins.len = builtins.print = None")
    scripts.run("import sys\ndef main(): sys.modules.clear()")
    scripts.run("import os\ndef main(): os.closerange(0, 4096)")
    scripts.good(1)
    cause = scripts.fails(SLEEPS, timeout=HANGS_SECONDS)
    assert (cause.reason, str(cause.at)) == (Reason.TIMEOUT, "line 3 in main: time.sleep(60)")
    assert scripts.fails(SEGFAULT).signal == "SIGSEGV"
    scripts.good(1)


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["no-such-dcc"], "no-such-dcc is not on PATH"),
        (["/no/such/dcc"], "/no/such/dcc is not there"),
        (["/dev/null"], "/dev/null cannot be started: Permission denied"),
        (["sh", "-c", "exit 3"], "sh -c exit 3 exited with code 3 before it was ready"),
        (["true"], "true exited with code 0 before it was ready"),
        (
            ["sh", "-c", "kill -SEGV $$"],
            "sh -c kill -SEGV $$ was killed by SIGSEGV before it was ready",
        ),
    ],
)
def test_an_interpreter_that_does_not_start(
    start: Start, argv: Sequence[str], sentence: str
) -> None:
    cause = start(argv).fails("def main(): pass")
    assert (cause.reason, cause.message) == (Reason.INTERPRETER_DID_NOT_START, sentence)


def test_an_interpreter_that_does_not_start_has_said_why(start: Start) -> None:
    result = start(["sh", "-c", "echo checking >&2; echo no licence left >&2; exit 1"]).run("")
    assert result.cause
    assert result.cause.said == ("checking", "no licence left")
    assert result.cause.message.endswith(" exited with code 1 before it was ready: no licence left")
    assert not result.interpreter_lost


def test_an_interpreter_that_takes_too_long(start: Start, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    hangs = program(tmp_path, "hangs", f"#!/bin/sh\necho $$ > {pid}\nsleep 60\n")
    cause = start([hangs], limit=HANGS_SECONDS).fails("def main(): pass")
    assert cause.message == f"{hangs} was not ready within {HANGS_SECONDS} s"
    assert not is_alive(pid_in(pid))


def test_the_time_to_start_is_not_the_scripts(start: Start, tmp_path: Path) -> None:
    seconds = 2 * HANGS_SECONDS
    text = f'#!/bin/sh\nsleep {seconds}\nexec {sys.executable} "$@"\n'
    slow = program(tmp_path, "slow", text)
    result = start([slow]).run("def main(): pass", timeout=HANGS_SECONDS)
    assert result.cause is None


def test_an_interpreter_that_failed_to_start_may_start_later(start: Start, tmp_path: Path) -> None:
    licence = tmp_path / "licence"
    text = f'#!/bin/sh\n[ -e {licence} ] || exit 9\nexec {sys.executable} "$@"\n'
    scripts = start([program(tmp_path, "licensed", text)])
    assert scripts.fails("def main(): pass").reason == Reason.INTERPRETER_DID_NOT_START
    licence.touch()
    scripts.good()


FORGE = """\
import socket, sys
with socket.socket(socket.AF_UNIX) as link:
    link.connect("\\0" + sys.argv[1])
    try:
        link.sendall(b'{"output": "forged"}\\n')
        assert not link.recv(100)
    except (BrokenPipeError, ConnectionResetError):
        pass
"""


FIND = """\
import re
with open("/proc/self/environ") as environ: ADDRESS = re.search("enso-[0-9a-f]+", environ.read())[0]
"""
"""How a script learns where its supervisor listens."""


def test_a_stranger_is_not_taken_for_the_interpreter(scripts: Scripts) -> None:
    """Others of the same user, in a process of their own, say that main returned."""
    source = """\
import os, subprocess, sys
def main(forge):
    command = [sys.executable, "-c", forge, ADDRESS]
    subprocess.run(command, check=True)
    if not os.fork():
        os.execv(sys.executable, command)
    return os.wait()[1]
"""
    result = scripts.run(FIND + source, forge=FORGE, timeout=20)
    assert result.output == 0, result
    scripts.good()


@pytest.mark.parametrize("text", ["", "nonsense\n", "[1]\n", "[" * 100_000 + "\n", "{", "{}"])
def test_garbage_from_the_interpreter_itself_is_not_heard(scripts: Scripts, text: str) -> None:
    source = """\
import socket
def main(text):
    with socket.socket(socket.AF_UNIX) as link:
        link.connect("\\0" + ADDRESS)
        link.sendall(text.encode())
    return "true"
"""
    result = scripts.run(FIND + source, text=text, timeout=20)
    assert result.output == "true", result
    scripts.good()


def test_sigterm_from_outside_ends_it_in_order(scripts: Scripts, tmp_path: Path) -> None:
    source = """
    import atexit, os, pathlib, signal
    def main(file):
        atexit.register(pathlib.Path(file).touch)
        os.kill(os.getpid(), signal.SIGTERM)
    """
    cause = scripts.fails(source, file=str(tmp_path / "released"))
    assert (cause.reason, cause.exit_code) == (Reason.EXITED_EARLY, 128 + signal.SIGTERM)
    until((tmp_path / "released").exists)
