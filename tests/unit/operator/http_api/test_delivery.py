"""What an answer says of a session holds, because the session has its control by then."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from enso_operator.sessions.local.sessions import LocalSessions
from tests.support.api import Api, running
from tests.support.eventually import until_async

pytestmark = pytest.mark.anyio


@pytest.fixture
async def jobid(api: Api, tmp_path: Path) -> str:
    """Return a job whose first script runs until the file `gate` is there."""
    return await running(api, tmp_path / "gate")


async def test_an_answer_comes_when_the_session_has_its_control(
    api: Api, jobid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, is_on_its_way, may_arrive = await api.add(["say", {}]), asyncio.Event(), asyncio.Event()
    tell = LocalSessions.tell

    async def tell_late(*control: object) -> None:
        is_on_its_way.set()
        await may_arrive.wait()
        await tell(*control)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalSessions, "tell", tell_late)
    answer = asyncio.create_task(api.act("/pause-job", jobid))
    await is_on_its_way.wait()
    assert (await api.act("/pause-job", other))["outcome"] == "paused"
    assert not answer.done(), "the other was asked later"
    may_arrive.set()
    await answer
    (tmp_path / "gate").touch()

    async def has_ended() -> bool:
        return "SessionEnded" in [event["type"] for event in (await api.job(jobid))["events"]]

    await until_async(has_ended)
    job = await api.job(jobid)
    states = [script["state"] for script in job["scripts"]]
    assert (job["state"], states) == ("Suspended", ["Succeeded", "NotStarted", "NotStarted"])


async def test_no_answer_waits_for_a_session_that_cannot_get_its_control(
    api: Api, jobid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*control: object) -> None:
        del control
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LocalSessions, "tell", fail)
    await api.act("/pause-job", jobid)
    assert "No space left on device" in (await api.ended(jobid))["failure"]


async def test_no_answer_waits_for_the_processes_of_a_session_that_has_ended(
    api: Api, jobid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_reaping, may_reap, reap = asyncio.Event(), asyncio.Event(), LocalSessions.reap

    async def reap_late(sessions: LocalSessions, patience: float) -> None:
        is_reaping.set()
        await may_reap.wait()
        await reap(sessions, patience)

    monkeypatch.setattr(LocalSessions, "reap", reap_late)
    (tmp_path / "gate").touch()
    await is_reaping.wait()
    answer = await api.act("/resume-job", jobid, **{"from": "say"})
    assert answer["outcome"] == "resumed; it goes on at 'say' after wait-for has run again"
    may_reap.set()
    assert (await api.ended(jobid))["scripts"][1]["attempt"] == 2
