"""Jobs in memory: their turns, their limits, and what is left when something breaks or stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

import pytest

from enso_operator.http_api.memory_backend import EmbeddedJobs, Limits
from enso_operator.http_api.memory_size import memory_of
from enso_operator.sessions.local.sessions import LocalSessions
from job_execution_framework.domain.script import Function, Source
from tests.support.api import Served
from tests.support.eventually import until_async

pytestmark = pytest.mark.anyio


async def test_a_job_is_executed_once_and_waits_for_its_turn(
    served: Served, tmp_path: Path
) -> None:
    api, gate = await served.api(Limits(sessions=1)), tmp_path / "gate"
    first, second = await api.add(["wait_for", {"path": str(gate)}]), await api.add(["say", {}])
    await api.execute(first)
    await api.starts(first)
    await api.execute(second)
    for jobid, state in ((first, "Running"), (second, "Waiting")):
        answer = await api.post("/execute-job", {"jobid": jobid})
        assert answer.status_code == 409
        sentence = f"job {jobid} was executed before and is {state}; to run it once more, add it"
        assert answer.json()["error"].startswith(sentence)
    gate.touch()
    for jobid in (first, second):
        assert (await api.ended(jobid))["state"] == "Succeeded"
        assert (await api.post("/execute-job", {"jobid": jobid})).status_code == 409


async def test_the_oldest_ended_jobs_are_forgotten(served: Served) -> None:
    api = await served.api(Limits(ended=2))
    jobs = [await api.add(["say", {}]) for _ in range(3)]
    for jobid in jobs:
        await api.execute(jobid)
        await api.ended(jobid)

    async def one_is_forgotten() -> bool:
        return list(await api.jobs()) == jobs[1:]

    await until_async(one_is_forgotten)
    assert (await api.get(f"/get-job/{jobs[0]}")).status_code == 404


async def test_what_counts_is_the_memory_that_a_job_takes(served: Served) -> None:
    api = await served.api(Limits(memory_bytes=5 * 1024 * 1024))
    much: list[list[int]] = [[]] * 50_000
    assert await api.add(["say", {"text": much}])  # 0.2 MB of text, and 3.6 MB of lists
    answer = await api.post("/add-job", {"instructions": [["say", {"text": much}]]})
    assert answer.status_code == 503
    assert answer.json()["error"].startswith("there is no room for another job beside the 1 that")


async def test_what_scripts_returned_counts_too(served: Served) -> None:
    api = await served.api(Limits(memory_bytes=100_000))
    jobs = [await api.add(["returns_much", {}]) for _ in range(2)]
    for jobid in jobs:
        await api.execute(jobid)
        await api.ended(jobid)

    async def the_first_is_forgotten() -> bool:
        return list(await api.jobs()) == jobs[1:]

    await until_async(the_first_is_forgotten)


@pytest.mark.parametrize("limits", [Limits(live=1), Limits(memory_bytes=2000)])
async def test_no_more_jobs_are_taken_than_fit(served: Served, limits: Limits) -> None:
    api, body = await served.api(limits), {"instructions": [["say", {"text": "x" * 600}]]}
    jobid = (await api.post("/add-job", body)).json()["jobid"]
    answer = await api.post("/add-job", body)
    assert answer.status_code == 503
    assert answer.json()["error"].startswith("there is no room for another job beside the 1 that")
    await api.execute(jobid)

    async def there_is_room_again() -> bool:
        return (await api.post("/add-job", body)).status_code == 201

    await until_async(there_is_room_again)


async def test_actions_count_too_also_on_a_job_that_was_never_executed(
    served: Served,
) -> None:
    limits = Limits(memory_bytes=50_000)
    api, why = await served.api(limits), "w" * 256
    jobid, done = await api.add(["say", {}]), 0
    routes = ("/pause-job", "/resume-job")
    while (answer := await api.post(routes[done % 2], {"jobid": jobid, "why": why})).is_success:
        done += 1
        assert done < 100
    assert answer.status_code == 503
    assert answer.json()["error"].startswith("there is no room for what this action adds to the 1")
    assert done > 10
    assert memory_of((await api.job(jobid))["events"]) < limits.memory_bytes
    assert (await api.act("/cancel-job", jobid))["state"] == "Cancelled"
    assert await api.add(["say", {}])


async def test_what_breaks_in_the_server_fails_the_job_and_is_logged(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    class Broken:
        is_broken = False

        def find(self, name: str) -> Source | Function:
            if self.is_broken:
                raise RuntimeError(f"no way to find {name}")
            return served.library.find(name)

    library = Broken()
    api = await served.api(library=library)
    jobid = await api.add(["say", {}])
    library.is_broken = True
    await api.execute(jobid)
    assert "RuntimeError: no way to find say" in (await api.ended(jobid))["failure"]
    told = [r.levelno for r in caplog.records if r.message == f"job {jobid}: driving it failed"]
    assert told == [logging.ERROR]
    assert "JobFailed SessionLost: enso broke: RuntimeError: no way to find say" in caplog.text


async def test_a_session_that_nobody_follows_any_more_is_ended(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def follow(*_: object) -> NoReturn:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(LocalSessions, "follow", follow)
    api = await served.api()
    jobid = await api.add(["wait_for", {"path": str(tmp_path / "never")}])
    await api.execute(jobid)
    job = await api.ended(jobid)
    assert "the disk is on fire" in job["failure"]
    assert [event["type"] for event in job["events"][-2:]] == ["SessionEnded", "JobFailed"]


@pytest.mark.parametrize("stubborn", [False, True])
async def test_stopping_ends_what_runs_and_removes_its_files(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stubborn: bool
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    async with EmbeddedJobs(served.library, Limits(sessions=1)) as jobs:
        api = await served.over(jobs)
        never = {"path": str(tmp_path / "never"), "stubborn": stubborn}
        first, second = await api.add(["wait_for", never]), await api.add(["say", {}])
        await api.execute(first)
        await api.execute(second)
        await until_async(exists(tmp_path / "never.waiting"))
        assert list(folder.iterdir())
    assert list(folder.iterdir()) == []
    assert await api.jobs() == {first: "Cancelled", second: "Waiting"}


def exists(path: Path) -> Callable[[], Awaitable[bool]]:
    return lambda: asyncio.to_thread(path.exists)
