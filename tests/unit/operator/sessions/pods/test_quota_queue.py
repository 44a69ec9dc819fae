"""Jobs that wait for room in a quota: what that costs, and who is next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from enso_operator.sessions.pods.demand import demand_of
from enso_operator.sessions.pods.quota_queue import (
    LONGEST_PAUSE_SECONDS,
    MOST_AT_ONCE,
    MOST_LINES,
    TURN_SECONDS,
)
from job_execution_framework.domain.errors import NotYet, Unavailable
from tests.support.quota_world import QuotaWorld, WaitingJob
from tests.support.skipping_loop import run_skipping

HOUR = 3600.0
ROUNDS_UNTIL_LONGEST = 7


async def for_a_while(jobs: Iterable[WaitingJob], seconds: float) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(job.runs()) for job in jobs]
    await asyncio.sleep(seconds)
    return tasks


async def two_of_which_one_has_its_turn(world: QuotaWorld) -> tuple[WaitingJob, WaitingJob]:
    first, other = WaitingJob(world, 0), WaitingJob(world, 1)
    assert not first.tries()
    assert not other.tries()
    await first.has_its_turn()
    return first, other


def test_ten_thousand_jobs_cost_what_one_costs() -> None:
    world = QuotaWorld()

    async def story() -> None:
        await for_a_while((WaitingJob(world, number) for number in range(10_000)), HOUR)

    run_skipping(story())
    least = HOUR / LONGEST_PAUSE_SECONDS
    assert least <= world.refused["shows"] <= least + ROUNDS_UNTIL_LONGEST
    assert not world.created


def test_one_follows_the_other_the_oldest_first() -> None:
    world = QuotaWorld()
    world.cpus["shows"] = 1

    async def story() -> None:
        first = WaitingJob(world, 0, runs_for=10)
        others = [WaitingJob(world, number, runs_for=10) for number in range(50, 0, -1)]
        await asyncio.gather(*await for_a_while([first, *others], 0))

    run_skipping(story())
    assert world.created == [f"shot-{number}-main-1" for number in range(51)]
    # While a Pod runs for 10 s they ask after 0.5, 1, 2 and 4 s.
    assert world.refused["shows"] <= 51 * 6


def test_a_namespace_that_is_full_holds_up_no_other_one() -> None:
    world = QuotaWorld()
    world.cpus["films"] = 100

    async def story() -> None:
        full = [WaitingJob(world, number) for number in range(100)]
        await for_a_while([*full, *(WaitingJob(world, 1, "films") for _ in range(100))], 0)

    run_skipping(story())
    assert len(world.created) == 100
    assert world.refused["films"] == 0


def test_a_job_that_fits_is_not_held_up_by_an_older_one_that_does_not() -> None:
    world = QuotaWorld()
    world.cpus["shows"] = 4

    async def story() -> None:
        large = [WaitingJob(world, number, cpus=64) for number in range(10)]
        small = [WaitingJob(world, 10 + number, runs_for=5) for number in range(20)]
        tasks = await for_a_while([*large, *small], 0)
        await asyncio.gather(*tasks[10:])
        world.ends("shows", 60)
        await tasks[0]

    run_skipping(story())
    assert world.created[-1] == "shot-0-main-1"


def test_all_who_fit_go_on_soon_when_there_is_much_room() -> None:
    world = QuotaWorld()

    async def story() -> float:
        tasks = await for_a_while((WaitingJob(world, number) for number in range(500)), 100)
        asked, began = world.refused["shows"], asyncio.get_running_loop().time()
        world.cpus["shows"] = 500  # somebody has changed the quota, of which nothing tells
        await asyncio.gather(*tasks)
        assert world.refused["shows"] == asked
        return asyncio.get_running_loop().time() - began

    assert run_skipping(story()) <= LONGEST_PAUSE_SECONDS + 1


def test_room_for_some_is_found_with_few_refusals() -> None:
    world = QuotaWorld()

    async def story() -> None:
        await for_a_while((WaitingJob(world, number) for number in range(500)), 100)
        asked = world.refused["shows"]
        world.ends("shows", 100)
        await asyncio.sleep(1)
        assert world.created == [f"shot-{number}-main-1" for number in range(100)]
        assert world.refused["shows"] - asked <= MOST_AT_ONCE

    run_skipping(story())


def test_a_job_that_does_not_use_its_turn_holds_up_nobody() -> None:
    world = QuotaWorld()

    async def story() -> None:
        asleep, gone, other = (WaitingJob(world, number) for number in range(3))
        for job in (asleep, gone, other):
            assert not job.tries()
        assert gone.turn
        gone.turn.leave()  # it was cancelled while it waited
        waits = asyncio.create_task(other.runs())
        await asleep.has_its_turn()
        world.ends("shows")
        await asyncio.wait_for(waits, TURN_SECONDS + LONGEST_PAUSE_SECONDS)
        assert asleep.turn
        asleep.turn.leave()
        assert not asleep.tries()

    run_skipping(story())
    assert world.created == ["shot-2-main-1"]


def test_a_turn_that_is_given_up_is_the_next_ones() -> None:
    world = QuotaWorld()

    async def story() -> None:
        first, other = await two_of_which_one_has_its_turn(world)
        world.cpus["shows"] = 1
        assert first.turn
        first.turn.leave()
        await asyncio.wait_for(other.has_its_turn(), 0.1)
        assert other.tries()

    run_skipping(story())


def test_who_comes_after_all_have_left_does_not_wait_as_long_as_they_did() -> None:
    world = QuotaWorld()

    async def story() -> None:
        first, later = WaitingJob(world, 0), WaitingJob(world, 1)
        waits = asyncio.create_task(first.runs())
        await asyncio.sleep(100)
        waits.cancel()
        assert first.turn
        first.turn.leave()
        task = asyncio.create_task(later.runs())
        await asyncio.sleep(0)
        world.cpus["shows"] = 1  # of which nothing tells
        await asyncio.wait_for(task, 1)

    run_skipping(story())


def test_lines_of_many_kinds_take_turns() -> None:
    world = QuotaWorld()

    async def story() -> None:
        jobs = [WaitingJob(world, number, cpus=1 + number) for number in range(100)]
        await for_a_while(jobs, HOUR)
        asked = world.refused["shows"]
        assert asked <= 100 + MOST_LINES * (HOUR / LONGEST_PAUSE_SECONDS + ROUNDS_UNTIL_LONGEST)
        world.cpus["shows"] = 100
        await asyncio.sleep(HOUR)

    run_skipping(story())
    assert world.created  # whichever asked first, and those that fit beside it
    assert world.cpus["shows"] < 50


def test_what_another_refuses_holds_up_nobody_else() -> None:
    world = QuotaWorld()

    async def story() -> None:
        first, other = await two_of_which_one_has_its_turn(world)
        world.cpus["shows"], world.error = 2, NotYet("a webhook denied it")
        assert not first.tries()
        assert first.said == "a webhook denied it"
        world.error = None
        await asyncio.wait_for(other.has_its_turn(), 0.1)
        assert other.tries()
        assert first.tries()

    run_skipping(story())


def test_nobody_asks_an_api_server_that_is_away_but_one() -> None:
    world = QuotaWorld()

    async def story() -> None:
        jobs = [WaitingJob(world, number) for number in range(100)]
        tasks = await for_a_while(jobs, 10)
        world.error = Unavailable("the API server did not answer")
        await asyncio.sleep(100)
        away = sum(job.said == "the API server did not answer" for job in jobs)
        assert 0 < away < 10
        world.error = None
        world.ends("shows", 100)
        await asyncio.gather(*tasks)

    run_skipping(story())
    assert len(world.created) == 100


def test_each_job_is_told_about_its_own_pod() -> None:
    world = QuotaWorld()

    async def story() -> None:
        for number in range(3):
            job = WaitingJob(world, number)
            assert not job.tries()
            assert job.said.startswith(f'pods "shot-{number}-main-1" is forbidden: exceeded quota')
        assert world.refused["shows"] == 1

    run_skipping(story())


def test_only_what_a_quota_counts_makes_a_line_of_its_own() -> None:
    world = QuotaWorld()
    one, other, large = (
        WaitingJob(world, number, cpus=cpus) for number, cpus in enumerate([1, 1, 2])
    )
    assert demand_of(one.pod) == demand_of(other.pod) != demand_of(large.pod)
    urgent = one.pod["spec"] | {"priorityClassName": "urgent"}
    assert demand_of(one.pod) != demand_of(one.pod | {"spec": urgent})
    ends = one.pod["spec"] | {"activeDeadlineSeconds": 60}
    assert demand_of(one.pod) != demand_of(one.pod | {"spec": ends})
    assert demand_of(one.pod) != demand_of(WaitingJob(world, 1, "films").pod)
