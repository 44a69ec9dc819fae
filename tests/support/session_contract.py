"""The contract of sessions: one suite of tests for all adapters.

The test class of an adapter inherits from `SessionContract`, and its module has a fixture `bench`.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.control import CANCEL, PAUSE, SessionControl
from job_execution_framework.domain.errors import Conflict
from job_execution_framework.domain.fail_on import FailOn
from job_execution_framework.domain.progress import Progress
from job_execution_framework.domain.retries import Budget, Retries
from job_execution_framework.service_layer.observations import Ended
from tests.support.session_bench import DEADLINE_SECONDS, Bench

SLOW = "import time\ndef main():\n    print('up', flush=True)\n    time.sleep(60)\n"
SAYS = "def main(): print('started once')"
ADAPTOR = Path(__file__).with_name("openjd_adaptor.txt")
"""Standard output in the words of an adaptor of Open Job Description that renders in Houdini."""


class SessionContract:
    def test_records_come_in_order_and_the_end_is_reported(self, bench: Bench) -> None:
        plan = bench.plan("def main(): pass", "def main(): return 1")
        labels, ended = asyncio.run(bench.run(plan))
        assert labels == ["s1 Started", "s1 Succeeded", "s2 Started", "s2 Succeeded"]
        assert ended == Ended(log_is_complete=True)

    def test_open_is_idempotent_and_whoever_coordinates_finds_the_same_run(
        self, bench: Bench
    ) -> None:
        plan = bench.plan("def main(): pass")

        async def twice() -> tuple[str, str]:
            async with bench.watched():
                return await bench.sessions.open(plan), await bench.another().open(plan)

        first, second = asyncio.run(twice())
        assert first == second

    def test_a_run_that_was_only_opened_takes_the_newest_plan(self, bench: Bench) -> None:
        async def twice() -> tuple[list[str], Ended]:
            await bench.sessions.open(bench.plan("def main(): raise ValueError('stale')"))
            return await bench.run(bench.plan("def main(): pass"))

        labels, _ = asyncio.run(twice())
        assert labels == ["s1 Started", "s1 Succeeded"]

    def test_released_by_many_at_once_it_starts_once(self, bench: Bench) -> None:
        plan = bench.plan(SAYS)

        async def many() -> tuple[list[str], Ended]:
            uid = await bench.sessions.open(plan)
            others = [bench.another() for _ in range(8)]
            results = await asyncio.gather(
                *(other.release(plan.run, uid) for other in others), return_exceptions=True
            )
            assert all(result is None or isinstance(result, Conflict) for result in results)
            return await bench.follow(plan.run, uid, others[0])

        labels, ended = asyncio.run(many())
        assert bench.output(plan.run).count("started once") == 1
        assert labels == ["s1 Started", "s1 Succeeded"]
        assert ended.log_is_complete

    def test_a_run_that_was_released_before_is_not_started_again(self, bench: Bench) -> None:
        plan = bench.plan(SAYS)

        async def twice() -> tuple[list[str], Ended]:
            await bench.run(plan)
            uid = await bench.sessions.open(plan)
            other = bench.another()
            await other.release(plan.run, uid)
            return await bench.follow(plan.run, uid, other)

        labels, _ = asyncio.run(twice())
        assert labels == ["s1 Started", "s1 Succeeded"]
        assert bench.output(plan.run).count("started once") == 1

    def test_a_second_follower_sees_everything_from_the_start(self, bench: Bench) -> None:
        plan = bench.plan("def main(): pass")

        async def again() -> list[str]:
            await bench.run(plan)
            labels, _ = await bench.follow(plan.run, await bench.sessions.open(plan))
            return labels

        assert asyncio.run(again()) == ["s1 Started", "s1 Succeeded"]

    def test_a_pause_lets_the_running_script_end_and_starts_no_other(self, bench: Bench) -> None:
        plan = bench.plan(bench.waits_for("pause"), "def main(): pass")

        async def pause() -> tuple[list[str], Ended]:
            uid = await bench.started(plan)
            await bench.sessions.tell(plan.run, uid, PAUSE)
            return await bench.follow(plan.run, uid)

        labels, ended = asyncio.run(pause())
        assert labels == ["s1 Started", "s1 Succeeded"]
        assert ended == Ended(log_is_complete=True)

    def test_a_pause_may_wait_for_a_script_and_may_be_taken_back(self, bench: Bench) -> None:
        plan = bench.plan(bench.waits_for("s2"), "def main(): pass", "def main(): pass")

        async def pause() -> tuple[list[str], Ended]:
            uid = await bench.started(plan)
            await bench.sessions.tell(plan.run, uid, PAUSE)
            await asyncio.sleep(1)  # so that the session has read it
            await bench.sessions.tell(plan.run, uid, SessionControl(pause=True, after="s2"))
            return await bench.follow(plan.run, uid)

        labels, ended = asyncio.run(pause())
        assert labels == ["s1 Started", "s1 Succeeded", "s2 Started", "s2 Succeeded"]
        assert ended == Ended(log_is_complete=True)

    def test_what_is_to_be_skipped_is_recorded_and_not_started(self, bench: Bench) -> None:
        plan = bench.plan(bench.waits_for("s2"), "def main(): pass", "def main(): pass")

        async def skip() -> tuple[list[str], Ended]:
            uid = await bench.started(plan)
            await bench.sessions.tell(plan.run, uid, SessionControl(skip=("s1", "s2")))
            return await bench.follow(plan.run, uid)

        labels, ended = asyncio.run(skip())
        assert labels == ["s1 Started", "s1 Succeeded", "s2 Skipped", "s3 Started", "s3 Succeeded"]
        assert ended == Ended(log_is_complete=True)

    def test_an_attempt_that_is_forced_waits_no_longer(self, bench: Bench) -> None:
        fails = "def main():\n    print('up', flush=True)\n    raise OSError('no licence')\n"
        plan = bench.plan(fails, retries=Retries(1, 50))

        async def force() -> tuple[list[str], Ended]:
            uid = await bench.started(plan)
            await bench.sessions.tell(plan.run, uid, SessionControl(retry="s1", attempt=1))
            return await bench.follow(plan.run, uid)

        labels, ended = asyncio.run(force())
        assert labels == ["s1 Started", "s1 Failed", "s1 Retrying", "s1 Started", "s1 Failed"]
        assert ended.log_is_complete

    def test_a_line_of_its_output_fails_a_script_that_returned(self, bench: Bench) -> None:
        says = "def main():\n    print('12:04 No licence for Mantra')\n    return 1\n"
        plan = bench.plan(says, fail_on=(FailOn("No licen[cs]e", "LicenseUnavailable"),))
        labels, ended = asyncio.run(bench.run(plan))
        assert labels == ["s1 Started", "s1 Failed"]
        assert ended.log_is_complete

    def test_a_long_pause_before_a_retry_ends_the_session(self, bench: Bench) -> None:
        says = "def main(): print('No licence', flush=True)"
        patient = Retries(on_reasons=(Budget("LicenseUnavailable", 100, 60),))
        fail_on = (FailOn("No licence", "LicenseUnavailable"),)
        plan = bench.plan(says, "def main(): pass", retries=patient, fail_on=fail_on)
        labels, ended = asyncio.run(bench.run(plan))
        assert labels == ["s1 Started", "s1 Failed", "s1 Retrying"]
        assert ended == Ended(log_is_complete=True)

    def test_a_cancel_ends_the_running_script_which_may_clean_up(self, bench: Bench) -> None:
        clean = (
            "import time\n"
            "def main():\n"
            "    try:\n"
            "        print('up', flush=True)\n"
            "        time.sleep(60)\n"
            "    finally: print('clean', flush=True)\n"
        )
        plan = bench.plan(clean, "def main(): pass")

        async def cancel() -> tuple[list[str], Ended]:
            uid = await bench.started(plan)
            await bench.sessions.tell(plan.run, uid, CANCEL)
            return await bench.follow(plan.run, uid)

        labels, ended = asyncio.run(cancel())
        assert labels == ["s1 Started", "s1 Failed", "InterpreterLost"]
        assert "clean" in bench.output(plan.run)
        assert ended.log_is_complete

    def test_what_a_script_leaves_running_is_waited_for(self, bench: Bench) -> None:
        late = (
            "import threading, time\n"
            "def work():\n"
            "    time.sleep(7)\n"  # longer than what once was the limit
            "    print('work is done')\n"
            "def main(): threading.Thread(target=work).start()\n"
        )
        plan = bench.plan(late)
        labels, ended = asyncio.run(bench.run(plan))
        assert labels == ["s1 Started", "s1 Succeeded"]
        assert "work is done" in bench.output(plan.run)
        assert ended == Ended(log_is_complete=True)

    def test_what_is_still_running_after_that_is_named(self, bench: Bench) -> None:
        plan = bench.plan(
            "import threading, time\n"
            "def work(): time.sleep(600)\n"
            "def main(): threading.Thread(target=work, name='upload').start()\n",
            end_timeout=1,
        )
        _, ended = asyncio.run(bench.run(plan))
        assert ended.log_is_complete
        assert [name.partition(" at ")[0] for name in ended.killed] == ["thread upload"]

    def test_a_run_that_never_started_can_be_closed_for_good(self, bench: Bench) -> None:
        plan = bench.plan(SAYS)

        async def close() -> tuple[list[str], Ended]:
            uid = await bench.sessions.open(plan)
            await bench.sessions.tell(plan.run, uid, CANCEL)
            outcome = await bench.follow(plan.run, uid)
            await bench.sessions.release(plan.run, uid)
            return outcome

        labels, ended = asyncio.run(close())
        assert labels == []
        assert ended.log_is_complete
        assert "started once" not in bench.output(plan.run)

    def test_a_killed_session_is_reported_as_lost(self, bench: Bench) -> None:
        plan = bench.plan(SLOW)

        async def kill() -> tuple[list[str], Ended]:
            uid = await bench.started(plan)
            bench.kill(plan.run)
            return await bench.follow(plan.run, uid)

        labels, ended = asyncio.run(kill())
        assert labels == ["s1 Started"]
        assert ended.cause
        assert ended.cause.reason == Reason.SESSION_LOST

    def test_a_damaged_log_is_not_used_and_the_session_is_ended(self, bench: Bench) -> None:
        garble = (
            "import time\n"
            "def main():\n"
            f"    with open({bench.journal!r}, 'ab') as journal:\n"
            """        journal.write(b'{"v":99}\\xff\\n')\n"""
            "    print('up', flush=True)\n"
            "    time.sleep(60)\n"
        )

        async def damage() -> Ended:
            plan = bench.plan(garble)
            uid = await bench.started(plan)
            _, ended = await bench.follow(plan.run, uid)
            return ended

        ended = asyncio.run(damage())
        assert not ended.log_is_complete
        assert ended.cause
        assert "damaged" in ended.cause.message

    def test_progress_is_seen_while_the_script_runs_and_is_no_record(self, bench: Bench) -> None:
        says = (
            "import enso, time\n"
            "def main():\n"
            "    print('up', flush=True)\n"
            "    for number in range(1000):\n"
            "        enso.progress(number / 100, 'counts')\n"
            "    enso.progress(42.5, 'meshing')\n"
            "    time.sleep(60)\n"
        )

        async def watch() -> tuple[list[Progress], list[str], Ended]:
            plan, seen = bench.plan(says), list[Progress]()
            uid = await bench.started(plan)
            said = bench.sessions.follow(plan.run, uid)
            async with asyncio.timeout(DEADLINE_SECONDS), bench.watched(), aclosing(said):
                async for observations in said:
                    if observations.progress:
                        seen.append(observations.progress)
                    if seen and seen[-1].percent == 42.5:
                        break
            await bench.sessions.tell(plan.run, uid, CANCEL)
            return seen, *await bench.follow(plan.run, uid)

        seen, labels, ended = asyncio.run(watch())
        last = seen[-1]
        assert (last.script, last.attempt, last.message) == ("s1", 1, "meshing")
        assert len({said.number for said in seen}) <= 10
        assert labels == ["s1 Started", "s1 Failed", "InterpreterLost"]
        assert ended == Ended(log_is_complete=True)

    def test_an_existing_adaptors_output_gives_its_progress_and_failure(self, bench: Bench) -> None:
        says = (
            bench.waits_for("pause").replace("def main()", "def waits()") + "def main():\n"
            f"    for line in {ADAPTOR.read_text().splitlines()!r}: print(line, flush=True)\n"
            "    waits()\n"
            "    raise RuntimeError('Error encountered. Exiting.')\n"
        )

        async def watch() -> tuple[Progress | None, list[events.Event]]:
            plan, last, records = bench.plan(says), None, list[events.Event]()
            uid = await bench.started(plan)
            async with asyncio.timeout(DEADLINE_SECONDS), bench.watched():
                async for observations in bench.sessions.follow(plan.run, uid):
                    records += observations.records
                    last = observations.progress or last
                    if last and last.percent == 50:
                        await bench.sessions.tell(plan.run, uid, PAUSE)  # it may fail now
                    if observations.ended:
                        break
            return last, records

        last, records = asyncio.run(watch())
        assert last
        assert (last.percent, last.message) == (50, "Rendering frame 2 of 4")
        failed = next(event for event in records if isinstance(event, events.ScriptFailed))
        assert failed.cause.message == "HoudiniAdaptor: no licence for Karma"
        assert (failed.cause.reason, failed.cause.error) == (Reason.EXCEPTION, "RuntimeError")

    def test_a_script_that_writes_nothing_for_too_long_is_ended(self, bench: Bench) -> None:
        says = "import time\ndef main():\n    print('up', flush=True)\n    time.sleep(600)\n"
        plan = bench.plan(says)
        idle = tuple(replace(script, idle_timeout_seconds=5) for script in plan.scripts)

        async def watch() -> list[events.Event]:
            uid = await bench.started(replace(plan, scripts=idle))
            records = list[events.Event]()
            async with asyncio.timeout(DEADLINE_SECONDS), bench.watched():
                async for observations in bench.sessions.follow(plan.run, uid):
                    records += observations.records
                    if observations.ended:
                        break
            return records

        records = asyncio.run(watch())
        failed = next(event for event in records if isinstance(event, events.ScriptFailed))
        assert failed.cause.reason == Reason.IDLE_TIMEOUT
        assert failed.cause.message == "wrote nothing for 5 s"
        assert str(failed.cause.at) == "line 4 in main: time.sleep(600)"

    def test_an_interpreter_that_is_not_there_is_a_failed_script_not_a_lost_session(
        self, bench: Bench
    ) -> None:
        plan = bench.plan("def main(): pass", interpreter=("no-such-interpreter",))
        labels, ended = asyncio.run(bench.run(plan))
        assert labels == ["s1 Started", "s1 Failed"]
        assert ended == Ended(log_is_complete=True)
