"""Runs the contract of sessions on local sessions, with tests that only concern these."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest
from dev.host.processes import words_of

from enso_operator.sessions.local.sessions import OUTPUT, LocalSessions
from job_execution_framework.domain.errors import Conflict
from job_execution_framework.runtime import supervisor
from job_execution_framework.service_layer.record_line import JOURNAL
from tests.support.session_bench import DEADLINE_SECONDS, Bench
from tests.support.session_contract import SessionContract


class LocalBench(Bench):
    def __init__(self, root: Path) -> None:
        self.root = root
        self._all = [LocalSessions(root)]
        self.journal = str(root / "main-1" / JOURNAL)
        self.control = str(root / "main-1" / supervisor.CONTROL)

    @property
    def sessions(self) -> LocalSessions:
        return self._all[0]

    def another(self) -> LocalSessions:
        self._all.append(LocalSessions(self.root))
        return self._all[-1]

    def output(self, run: str) -> str:
        file = self.root / run / OUTPUT
        return file.read_text() if file.exists() else ""

    def kill(self, run: str) -> None:
        for process in psutil.process_iter(["cmdline"]):
            if str(self.root / run) in words_of(process)[-1:]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    def reap(self) -> None:
        for sessions in self._all:
            asyncio.run(sessions.reap(DEADLINE_SECONDS))


@pytest.fixture
def bench(tmp_path: Path) -> Generator[LocalBench]:
    bench = LocalBench(tmp_path / "sessions")
    yield bench
    bench.reap()


class TestLocalSessions(SessionContract):
    """The contract, with local processes."""


def test_nothing_starts_before_the_release(bench: LocalBench) -> None:
    plan = bench.plan("def main(): pass")
    asyncio.run(bench.sessions.open(plan))
    assert not Path(bench.journal).exists()


def test_a_strangers_file_in_the_current_folder_is_not_run(
    bench: LocalBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where an empty entry of PYTHONPATH, as studios have it, means the current folder."""
    folder, ran = tmp_path / "folder", tmp_path / "ran"
    folder.mkdir()
    names = {"sitecustomize", "usercustomize", "job_execution_framework", *sys.stdlib_module_names}
    for name in names:
        text = f"open({str(ran)!r}, 'a').write({name!r}); raise SystemExit('a stranger')"
        (folder / f"{name}.py").write_text(text)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep)
    source = "import copy, select\ndef main(): print(copy.__file__)"
    plan = bench.plan(source, interpreter=("env", "-u", "PYTHONPATH", "python3"))
    labels, _ = asyncio.run(bench.run(plan))
    assert not ran.exists(), ran.read_text()
    assert labels == ["s1 Started", "s1 Succeeded"], bench.output(plan.run)


def test_a_uid_is_never_given_twice(bench: LocalBench, tmp_path: Path) -> None:
    plan = bench.plan("def main(): pass")
    other = LocalSessions(tmp_path / "other")
    assert asyncio.run(other.open(plan)) != asyncio.run(bench.sessions.open(plan))


def test_a_release_with_another_uid_starts_nothing(bench: LocalBench) -> None:
    plan = bench.plan("def main(): pass")
    asyncio.run(bench.sessions.open(plan))
    with pytest.raises(Conflict):
        asyncio.run(bench.sessions.release(plan.run, "somebody-else's"))


def test_a_killed_sessions_log_may_lack_something(bench: LocalBench) -> None:
    plan = bench.plan("import os, signal\ndef main(): os.kill(os.getppid(), signal.SIGKILL)")
    _, ended = asyncio.run(bench.run(plan))
    assert not ended.log_is_complete


def test_a_damaged_session_is_not_left_alone(bench: LocalBench) -> None:
    plan = bench.plan(
        "import time\n"
        "def main():\n"
        f"    with open({bench.journal!r}, 'ab') as journal: journal.write(b'no record\\n')\n"
        "    time.sleep(60)\n"
    )
    asyncio.run(bench.run(plan))
    assert not supervisor.is_alive(bench.sessions.directory(plan.run))
