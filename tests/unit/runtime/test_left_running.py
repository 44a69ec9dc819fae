"""What scripts leave running when the last of them has returned: waited for, and named if not."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_execution_framework.domain.control import CANCEL
from job_execution_framework.domain.script import Script, Session, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.service_layer.records import End
from tests.support.eventually import until
from tests.support.running import is_alive
from tests.support.scripts import HANGS_SECONDS, pid_in
from tests.support.supervised import supervised
from tests.unit.runtime.conftest import Start

LONGER_THAN_A_GRACE = """
import atexit, pathlib, threading, time
def work(file):
    time.sleep(1.5)
    file.touch()
def main(folder):
    threading.Thread(target=work, args=(pathlib.Path(folder, "thread"),)).start()
    atexit.register(work, pathlib.Path(folder, "handler"))
"""


def test_a_thread_and_an_exit_handler_are_waited_for(start: Start, tmp_path: Path) -> None:
    scripts = start(grace=0.3, end=60)
    scripts.run(LONGER_THAN_A_GRACE, folder=str(tmp_path))
    assert scripts.runner.close() == []
    assert (tmp_path / "thread").exists()
    assert (tmp_path / "handler").exists()


def test_what_had_to_be_killed_is_named(start: Start, tmp_path: Path) -> None:
    scripts = start(end=HANGS_SECONDS)
    source = """
    import atexit, subprocess, threading, time
    def upload():
        time.sleep(60)
    def main():
        threading.Thread(target=upload, name="upload-010").start()
        threading.Thread(target=upload, name="a daemon", daemon=True).start()
        return subprocess.Popen(["sleep", "61"]).pid
    """
    pid = scripts.run(source).output
    file = tmp_path / "scripts" / "enso_script_bad.py"
    assert scripts.runner.close() == [
        f"thread upload-010 at line 4 in upload of {file}: time.sleep(60)",
        f"process {pid}: sleep 61",
    ]


def test_an_exit_handler_that_had_to_be_killed_is_named(start: Start, tmp_path: Path) -> None:
    scripts = start(end=HANGS_SECONDS)
    scripts.run(
        "import atexit, time\ndef wait(): time.sleep(60)\ndef main(): atexit.register(wait)"
    )
    file = tmp_path / "scripts" / "enso_script_bad.py"
    assert scripts.runner.close() == [
        f"an exit handler at line 2 in wait of {file}: def wait(): time.sleep(60)"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import multiprocessing.resource_tracker as r\ndef main(): r.ensure_running()",
        "import subprocess\ndef main(): subprocess.Popen(['true'])",
        "import threading\ndef main(): threading.Thread(target=print).start()",
    ],
)
def test_what_ends_by_itself_is_not_named(start: Start, source: str) -> None:
    scripts = start(end=60)
    assert scripts.run(source).cause is None
    assert scripts.runner.close() == []


def test_a_cancel_ends_the_wait(start: Start) -> None:
    scripts = start(end=600)
    source = """
    import threading, time
    def main(): threading.Thread(target=time.sleep, args=(600,)).start()
    """
    scripts.run(source)
    scripts.runner.tell(CANCEL)
    assert scripts.runner.close() == ["the interpreter itself"]


def test_a_session_records_what_had_to_be_killed_without_secrets(tmp_path: Path) -> None:
    source = (
        "import os, pathlib, subprocess\n"
        "def main(token):\n"
        "    for _ in range(12):\n"
        "        argv = ['sh', '-c', 'sleep 61; :', token]\n"
        "        left = subprocess.Popen(argv, start_new_session=True)\n"
        "    pathlib.Path(os.environ['PID']).write_text(f'{left.pid}\\n')\n"
    )
    script = Script("leave", Source(source), {"token": Secret("sesame-4711")})
    session, pid = Session(end_timeout_seconds=1), tmp_path / "pid"
    records, _ = supervised(tmp_path, script, session=session, PID=str(pid))
    end = records[-1]
    assert isinstance(end, End)
    assert len(end.killed) == 11
    assert end.killed[-1] == "2 more"
    assert end.killed[0].endswith(": sh -c sleep 61; : ***")
    until(lambda: not is_alive(pid_in(pid)))
