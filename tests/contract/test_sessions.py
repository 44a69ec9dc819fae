"""What every kind of session promises to whoever coordinates it.

Each test gets its sessions from a fixture: another adapter is another parameter.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from enso_operator.adapters.local import LocalSessions
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.errors import Conflict
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script, Session, Source
from job_execution_framework.domain.steps import ControlWord, Open
from job_execution_framework.runtime import supervisor
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.plan import Plan
from tests.support.eventually import eventually

DEADLINE_SECONDS = 30
SLOW = "import time\ndef main():\n    print('up', flush=True)\n    time.sleep(60)\n"


@dataclass
class Bench:
    """A job, and the sessions that run it."""

    sessions: LocalSessions
    root: Path

    def plan(self, *sources: str, interpreter: tuple[str, ...] = ("python3",)) -> Plan:
        scripts = tuple(
            Script(f"s{i}", Source(source, f"s{i}.py")) for i, source in enumerate(sources, 1)
        )
        job = Job("job", scripts, (Session(interpreter=interpreter),))
        job.record(events.JobAdded(at=0))
        job.record(events.JobStarted(at=0))
        step = job.next(0)
        assert isinstance(step, Open)
        return Plan.of(job, step, ScriptLibrary([]))

    async def run(self, plan: Plan) -> tuple[list[str], Ended]:
        """Open, release and follow a run; return what it wrote, and how it ended."""
        uid = await self.sessions.open(plan)
        await self.sessions.release(plan.run, uid)
        return await self.follow(plan.run, uid)

    async def follow(self, run: str, uid: str) -> tuple[list[str], Ended]:
        wrote: list[str] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for seen in self.sessions.follow(run, uid):
                wrote += [told(event) for event in seen.records]
                if seen.ended:
                    return wrote, seen.ended
        pytest.fail("the follow ended without a word of the session's end")

    async def first(self, run: str, uid: str) -> Observations:
        """Return the first thing that is seen of a run."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for seen in self.sessions.follow(run, uid):
                return seen
        pytest.fail("nothing was seen")


def told(event: events.Event) -> str:
    name = type(event).__name__
    if isinstance(event, events.ScriptEvent):
        return f"{event.script} {name.removeprefix('Script')}"
    return name


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(LocalSessions(tmp_path / "sessions"), tmp_path)


def test_records_come_in_order_and_the_end_is_said(bench: Bench) -> None:
    plan = bench.plan("def main(): pass", "def main(): return 1")
    wrote, ended = asyncio.run(bench.run(plan))
    assert wrote == ["s1 Started", "s1 Succeeded", "s2 Started", "s2 Succeeded"]
    assert ended == Ended(log_is_complete=True)


def test_nothing_starts_before_the_release(bench: Bench) -> None:
    plan = bench.plan("def main(): open('started', 'w')")
    asyncio.run(bench.sessions.open(plan))
    assert not (bench.sessions.directory(plan.run) / supervisor.JOURNAL).exists()


def test_open_is_idempotent_and_a_uid_is_never_given_twice(bench: Bench) -> None:
    plan = bench.plan("def main(): pass")
    first = asyncio.run(bench.sessions.open(plan))
    assert asyncio.run(bench.sessions.open(plan)) == first
    other = LocalSessions(bench.root / "other")
    assert asyncio.run(other.open(plan)) != first


def test_a_run_that_was_only_opened_takes_the_newest_plan(bench: Bench) -> None:
    asyncio.run(bench.sessions.open(bench.plan("def main(): raise ValueError('stale')")))
    wrote, _ = asyncio.run(bench.run(bench.plan("def main(): pass")))
    assert wrote == ["s1 Started", "s1 Succeeded"]


def test_a_release_with_another_uid_starts_nothing(bench: Bench) -> None:
    plan = bench.plan("def main(): pass")
    asyncio.run(bench.sessions.open(plan))
    with pytest.raises(Conflict):
        asyncio.run(bench.sessions.release(plan.run, "somebody-else's"))


def test_released_by_many_at_once_it_starts_once(bench: Bench) -> None:
    file = bench.root / "starts"
    plan = bench.plan(f"def main():\n    with open({str(file)!r}, 'a') as f: f.write('x')\n")

    async def many() -> tuple[list[str], Ended]:
        uid = await bench.sessions.open(plan)
        others = [LocalSessions(bench.sessions.root) for _ in range(8)]
        await asyncio.gather(*(other.release(plan.run, uid) for other in others))
        bench.sessions = others[0]
        seen = await bench.follow(plan.run, uid)
        for other in others:
            await other.reap(DEADLINE_SECONDS)
        return seen

    wrote, ended = asyncio.run(many())
    assert file.read_text() == "x"
    assert wrote == ["s1 Started", "s1 Succeeded"]
    assert ended.log_is_complete


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
    assert not supervisor.is_alive(bench.sessions.directory(plan.run))


def test_an_interpreter_that_is_not_there_is_a_failed_script_not_a_lost_session(
    bench: Bench,
) -> None:
    plan = bench.plan("def main(): pass", interpreter=("no-such-interpreter",))
    wrote, ended = asyncio.run(bench.run(plan))
    assert wrote == ["s1 Started", "s1 Failed"]
    assert ended == Ended(log_is_complete=True)
