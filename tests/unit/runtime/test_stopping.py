"""How a session's scripts are paused and cancelled, and how its interpreter ends."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.control import CANCEL, PAUSE
from tests.support.eventually import until
from tests.support.running import is_alive
from tests.support.scripts import pid_in
from tests.unit.runtime.conftest import Start


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
        stopping = [scripts.runner.control.stops]
        scripts.runner.tell(PAUSE)
        assert [*stopping, scripts.runner.control.stops] == [False, True]
        (tmp_path / "go").touch()
        assert result.result().output == "ended"


@pytest.mark.parametrize("stubborn", [False, True])
def test_cancel_ends_the_script(start: Start, tmp_path: Path, stubborn: bool) -> None:
    scripts = start(grace=0.3 if stubborn else 60)
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
        scripts.runner.tell(CANCEL)
        scripts.runner.tell(CANCEL)
        result = future.result()
    assert result.cause
    assert result.interpreter_lost
    assert str(result.cause) == (
        "Cancelled: the script was ended, because the session was cancelled"
    )
    assert scripts.runner.control.stops
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
        scripts.runner.tell(CANCEL)
        assert result.result().reason == Reason.CANCELLED
    assert not is_alive(number)


def test_cancel_works_from_a_signals_handler(start: Start) -> None:
    scripts = start()
    before = signal.signal(signal.SIGALRM, lambda _number, _frame: scripts.runner.tell(CANCEL))
    try:
        source = f"import os, time\ndef main(): os.kill({os.getpid()}, 14); time.sleep(60)"
        assert scripts.fails(source).reason == Reason.CANCELLED
    finally:
        signal.signal(signal.SIGALRM, before)


def test_cancel_after_the_end_changes_nothing(start: Start) -> None:
    scripts = start()
    scripts.good()
    scripts.runner.close()
    scripts.runner.tell(CANCEL)


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
