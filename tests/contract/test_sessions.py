"""Local sessions keep what every kind of session promises, and a little more."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from enso_operator.adapters.local import OUTPUT, LocalSessions
from job_execution_framework.domain.errors import Conflict
from job_execution_framework.runtime import supervisor
<<<<<<< HEAD
from tests.support.session_contract import DEADLINE_SECONDS, Bench, SessionContract
=======
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.plan import Plan
from tests.support.eventually import eventually

DEADLINE_SECONDS = 30
SLOW = "import time\ndef main():\n    print('up', flush=True)\n    time.sleep(60)\n"
>>>>>>> op


class LocalBench(Bench):
    def __init__(self, root: Path) -> None:
        self.root = root
        self._all = [LocalSessions(root)]
        self.journal = str(root / "main-1" / supervisor.JOURNAL)

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
        os.kill(self.sessions._processes[run], signal.SIGKILL)

    def reap(self) -> None:
        for one in self._all:
            asyncio.run(one.reap(DEADLINE_SECONDS))


@pytest.fixture
def bench(tmp_path: Path) -> Generator[LocalBench]:
    one = LocalBench(tmp_path / "sessions")
    yield one
    one.reap()


class TestLocalSessions(SessionContract):
    """The contract, with local processes."""


def test_nothing_starts_before_the_release(bench: LocalBench) -> None:
    plan = bench.plan("def main(): pass")
    asyncio.run(bench.sessions.open(plan))
    assert not Path(bench.journal).exists()


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


<<<<<<< HEAD
def test_a_damaged_session_is_not_left_alone(bench: LocalBench) -> None:
    plan = bench.plan(
        "import time\n"
        "def main():\n"
        f"    with open({bench.journal!r}, 'ab') as journal: journal.write(b'no record\\n')\n"
        "    time.sleep(60)\n"
    )
    asyncio.run(bench.run(plan))
=======
def test_a_run_that_was_released_before_is_not_started_again(bench: Bench) -> None:
    plan = bench.plan("def main(): pass")

    async def twice() -> tuple[list[str], Ended]:
        await bench.run(plan)
        uid = await bench.sessions.open(plan)
        await LocalSessions(bench.sessions.root).release(plan.run, uid)
        return await bench.follow(plan.run, uid)

    wrote, _ = asyncio.run(twice())
    assert wrote == ["s1 Started", "s1 Succeeded"]


def test_a_second_follower_sees_everything_from_the_start(bench: Bench) -> None:
    plan = bench.plan("def main(): pass")

    async def again() -> list[str]:
        await bench.run(plan)
        wrote, _ = await bench.follow(plan.run, await bench.sessions.open(plan))
        return wrote

    assert asyncio.run(again()) == ["s1 Started", "s1 Succeeded"]


def test_a_pause_lets_the_running_script_end_and_starts_no_other(bench: Bench) -> None:
    flag = bench.root / "go"
    wait = (
        "import os, time\n"
        "def main():\n"
        f"    while not os.path.exists({str(flag)!r}): time.sleep(0.01)\n"
    )
    plan = bench.plan(wait, "def main(): pass")

    async def pause() -> tuple[list[str], Ended]:
        uid = await bench.sessions.open(plan)
        await bench.sessions.release(plan.run, uid)
        await bench.first(plan.run, uid)
        await bench.sessions.close(plan.run, uid, ControlWord.PAUSE)
        await asyncio.sleep(3 * supervisor.LISTEN_SECONDS)  # the word is heard, not answered
        flag.touch()
        return await bench.follow(plan.run, uid)

    wrote, ended = asyncio.run(pause())
    assert wrote == ["s1 Started", "s1 Succeeded"]
    assert ended == Ended(log_is_complete=True)


def test_a_cancel_ends_the_running_script_which_may_clean_up(bench: Bench) -> None:
    file, inside = bench.root / "cleaned", bench.root / "inside"
    clean = (
        "import time\n"
        "def main():\n"
        "    try:\n"
        f"        open({str(inside)!r}, 'w').close()\n"
        "        time.sleep(60)\n"
        f"    finally: open({str(file)!r}, 'w').write('clean')\n"
    )
    plan = bench.plan(clean, "def main(): pass")

    async def cancel() -> tuple[list[str], Ended]:
        uid = await bench.sessions.open(plan)
        await bench.sessions.release(plan.run, uid)
        await bench.first(plan.run, uid)
        await asyncio.to_thread(eventually, inside.exists)
        await bench.sessions.close(plan.run, uid, ControlWord.CANCEL)
        return await bench.follow(plan.run, uid)

    wrote, ended = asyncio.run(cancel())
    assert wrote == ["s1 Started", "s1 Failed", "InterpreterLost"]
    assert file.read_text() == "clean"
    assert ended.log_is_complete


def test_a_run_that_never_started_can_be_closed_for_good(bench: Bench) -> None:
    plan = bench.plan("def main(): pass")

    async def close() -> Ended:
        uid = await bench.sessions.open(plan)
        await bench.sessions.close(plan.run, uid, ControlWord.CANCEL)
        _, ended = await bench.follow(plan.run, uid)
        await bench.sessions.release(plan.run, uid)
        return ended

    ended = asyncio.run(close())
    assert ended.log_is_complete
    assert not (bench.sessions.directory(plan.run) / supervisor.JOURNAL).exists()


def test_a_killed_session_is_said_to_be_lost(bench: Bench) -> None:
    plan = bench.plan(SLOW)

    async def kill() -> Ended:
        uid = await bench.sessions.open(plan)
        await bench.sessions.release(plan.run, uid)
        await bench.first(plan.run, uid)
        await bench.sessions.reap(0)
        _, ended = await bench.follow(plan.run, uid)
        return ended

    ended = asyncio.run(kill())
    assert not ended.log_is_complete
    assert ended.cause
    assert ended.cause.reason == Reason.SESSION_LOST


def test_a_damaged_log_is_not_believed_and_the_session_is_ended(bench: Bench) -> None:
    plan = bench.plan(SLOW)

    async def damage() -> Ended:
        uid = await bench.sessions.open(plan)
        await bench.sessions.release(plan.run, uid)
        await bench.first(plan.run, uid)
        with (bench.sessions.directory(plan.run) / supervisor.JOURNAL).open("ab") as journal:
            journal.write(b"\xff not a record\n")
        _, ended = await bench.follow(plan.run, uid)
        return ended

    ended = asyncio.run(damage())
    assert not ended.log_is_complete
    assert ended.cause
    assert "damaged" in ended.cause.message
>>>>>>> op
    assert not supervisor.is_alive(bench.sessions.directory(plan.run))
