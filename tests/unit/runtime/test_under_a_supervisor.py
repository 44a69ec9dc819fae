"""A script under a process of its own: how it ends with that, and how its output is passed on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.eventually import until
from tests.support.running import is_alive
from tests.support.scripts import pid_in

PROGRAM = """\
import sys
from pathlib import Path
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.runtime.processes import orphans

orphans.adopt()
source, *argv = sys.argv[1:]
runner = ChildRunner(Launcher(Path.cwd()), argv, 20, 0.5)
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
