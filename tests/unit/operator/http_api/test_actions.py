"""What is asked of jobs in memory, whose sessions really run: resume, pause, skip, cancel."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from enso_operator.http_api.memory_backend import Limits
from tests.support.api import Api, Served, running
from tests.support.eventually import until_async
from tests.support.resources import EMPTY

pytestmark = pytest.mark.anyio
ROUTES = ("/resume-job", "/pause-job", "/retry-job", "/skip-script", "/cancel-job")


async def failed(api: Api, cure: Path) -> str:
    """A job whose second script fails until the file `cure` is there."""
    jobid = await api.add(["say", {}], ["needs", {"path": str(cure)}], ["say", {}])
    await api.execute(jobid)
    assert (await api.ended(jobid))["state"] == "Failed"
    return jobid


def states(job: dict[str, list[dict[str, object]]]) -> list[object]:
    return [script["state"] for script in job["scripts"]]


async def test_a_failed_job_goes_on_where_it_failed(api: Api, tmp_path: Path) -> None:
    jobid = await failed(api, tmp_path / "cure")
    (tmp_path / "cure").touch()

    answer = await api.act("/resume-job", jobid, why="the file was not there")

    outcome = "resumed; it goes on at 'needs' after say has run again"
    assert answer == {"jobid": jobid, "state": "Running", "outcome": outcome}
    job = await api.ended(jobid)
    assert (job["state"], states(job)) == ("Succeeded", ["Succeeded"] * 3)
    resumed = [event for event in job["events"] if event["type"] == "JobResumed"]
    assert [event["why"] for event in resumed] == ["the file was not there"]


async def test_a_job_that_has_just_failed_goes_on_at_once(api: Api, tmp_path: Path) -> None:
    """Its session may still be ending then, or its processes, or what the server keeps of it."""
    jobid = await failed(api, tmp_path / "cure")
    for _ in range(5):
        await api.act("/resume-job", jobid)
        assert (await api.ended(jobid))["state"] == "Failed"
    (tmp_path / "cure").touch()
    await api.act("/resume-job", jobid)
    assert (await api.ended(jobid))["state"] == "Succeeded"


async def test_a_failed_job_goes_on_with_another_argument(api: Api, tmp_path: Path) -> None:
    jobid = await failed(api, tmp_path / "never")
    (tmp_path / "there").touch()
    right = {"name": "needs", "args": {"path": str(tmp_path / "there")}}

    for wrong, why in (
        ({"name": "bake"}, "there is no script 'bake'; the job has say, needs, say-2"),
        ({"name": "say", "unsetArgs": ["text"]}, "script 'say' has no argument 'text' to take awa"),
    ):
        told = await api.refusal("/resume-job", jobid, scripts=[wrong])
        assert told.startswith(f"job {jobid} cannot go on with these changes: {why}")
    unfit = {"name": "needs", "args": {"pth": 1}}
    answer = await api.post("/resume-job", {"jobid": jobid, "scripts": [unfit]})
    assert (answer.status_code, answer.json()["error"]) == (
        422,
        "script 'needs': argument 'pth' is nothing that needs takes: did you mean 'path'?",
    )
    await api.act("/resume-job", jobid, scripts=[right])

    job = await api.ended(jobid)
    assert (job["state"], job["scripts"][1]["parameters"]) == ("Succeeded", right["args"])
    (resumed,) = [event for event in job["events"] if event["type"] == "JobResumed"]
    assert resumed["changed"] == ["needs.args.path"]


async def test_a_failed_attempt_is_shown_with_the_arguments_that_it_had(
    api: Api, tmp_path: Path
) -> None:
    gate, never = tmp_path / "gate", str(tmp_path / "never")
    gate.touch()
    jobid = await api.add(["wait_for", {"path": str(gate)}], ["needs", {"path": never}])
    await api.execute(jobid)
    await api.ended(jobid)
    gate.unlink()

    right = {"name": "needs", "args": {"path": str(gate)}}
    await api.act("/resume-job", jobid, scripts=[right])

    await api.starts(jobid)
    row = (await api.job(jobid))["scripts"][1]
    assert (row["state"], row["parameters"]) == ("Failed", {"path": never})
    gate.touch()
    row = (await api.ended(jobid))["scripts"][1]
    assert (row["state"], row["parameters"]) == ("Succeeded", right["args"])


async def test_a_wait_for_the_next_attempt_is_ended(api: Api, tmp_path: Path) -> None:
    jobid = await failed(api, tmp_path / "cure")
    patient = {"name": "needs", "retries": {"limit": 2, "backoffSeconds": 3600}}
    await api.act("/resume-job", jobid, scripts=[patient])

    async def has_failed_again() -> bool:
        return "ScriptRetrying" in [event["type"] for event in (await api.job(jobid))["events"]]

    await until_async(has_failed_again)
    (tmp_path / "cure").touch()
    answer = await api.act("/retry-job", jobid)

    assert answer["outcome"] == "the next attempt of 'needs' starts now, retry 1 of 2"
    assert (await api.ended(jobid))["state"] == "Succeeded"


async def test_a_session_in_memory_has_no_machine_of_its_own(api: Api, tmp_path: Path) -> None:
    jobid = await failed(api, tmp_path / "cure")
    for field, value in (("resources", {"limits": {"memory": "1Gi"}}), ("nodeSelector", {})):
        session = {"name": "main", field: value}
        answer = await api.post("/resume-job", {"jobid": jobid, "sessions": [session]})
        assert answer.status_code == 422
        assert answer.json()["error"].startswith(f"sessions[main].{field} cannot be changed here: ")
    (tmp_path / "cure").touch()
    await api.act("/resume-job", jobid, sessions=[{"name": "main", "startTimeoutSeconds": 60}])
    assert (await api.ended(jobid))["state"] == "Succeeded"


async def test_a_script_is_named_to_run_again_from(api: Api) -> None:
    jobid = await api.add(["say", {}], ["say", {}])
    await api.execute(jobid)
    await api.ended(jobid)

    left = f"job {jobid} has nothing left to do; name the script to run again from"
    assert await api.refusal("/resume-job", jobid) == left
    answer = await api.act("/resume-job", jobid, **{"from": "say"})

    assert answer["outcome"] == "resumed; it goes on at 'say'"
    job = await api.ended(jobid)
    assert [script["attempt"] for script in job["scripts"]] == [2, 2]


async def test_a_resume_skips(api: Api, tmp_path: Path) -> None:
    jobid = await failed(api, tmp_path / "never")
    answer = await api.act("/resume-job", jobid, skip=["needs"])
    assert answer["outcome"] == "resumed; it goes on at 'say-2' after say has run again"
    assert states(await api.ended(jobid)) == ["Succeeded", "Skipped", "Succeeded"]


async def test_a_paused_job_gives_its_place_to_others_and_goes_on_later(
    served: Served, tmp_path: Path
) -> None:
    api, gate = await served.api(Limits(sessions=1)), tmp_path / "gate"
    jobid, other = await running(api, gate), await api.add(["say", {}])
    await api.execute(other)

    answer = await api.act("/pause-job", jobid)
    assert answer["outcome"] == "its session was asked to pause after 'wait-for', which runs now"
    pausing = f"job {jobid} is pausing already: {answer['outcome']}"
    assert await api.refusal("/pause-job", jobid) == pausing
    gate.touch()
    assert (await api.ended(other))["state"] == "Succeeded"
    assert await api.refusal("/pause-job", jobid) == f"job {jobid} is paused already"

    assert states(await api.job(jobid)) == ["Succeeded", "NotStarted", "NotStarted"]
    why = f"job {jobid} is paused and starts no script: resume it"
    assert await api.refusal("/retry-job", jobid) == why
    answer = await api.act("/resume-job", jobid)
    assert answer["outcome"] == "resumed; it goes on at 'say' after wait-for has run again"
    assert (await api.ended(jobid))["state"] == "Succeeded"


async def test_a_pause_after_a_script(api: Api, tmp_path: Path) -> None:
    jobid = await running(api, tmp_path / "gate")
    answer = await api.act("/pause-job", jobid, after="say")
    asked = "its session was asked to pause after 'say'"
    assert (answer["state"], answer["outcome"]) == ("Running", asked)
    (tmp_path / "gate").touch()
    job = await api.becomes(jobid, "Suspended")
    assert states(job) == ["Succeeded", "Succeeded", "NotStarted"]


async def test_a_job_that_was_paused_first_is_executed_all_the_same(api: Api) -> None:
    first, second = await api.add(["say", {}]), await api.add(["say", {}])
    for jobid in (first, second):
        assert (await api.act("/pause-job", jobid))["outcome"] == "paused"
    await api.execute(first)
    await api.act("/resume-job", first)
    assert (await api.ended(first))["state"] == "Succeeded"

    assert (await api.act("/resume-job", second))["state"] == "Waiting"
    await api.execute(second)
    assert (await api.ended(second))["state"] == "Succeeded"


async def test_a_script_is_skipped_before_anything_runs(api: Api) -> None:
    jobid = await api.add(["say", {}], ["fail", {"frames": 1}], ["say", {}])
    answer = await api.act("/skip-script", jobid, script="fail", why="the client has it")
    assert (answer["state"], answer["outcome"]) == ("Waiting", "'fail' is skipped")
    await api.execute(jobid)
    assert states(await api.ended(jobid)) == ["Succeeded", "Skipped", "Succeeded"]


async def test_a_session_is_asked_to_skip_a_script(api: Api, tmp_path: Path) -> None:
    jobid = await running(api, tmp_path / "gate")
    answer = await api.act("/skip-script", jobid, script="say")
    assert answer["outcome"] == "its session was asked to skip 'say'"
    for script, why in (
        ("say", "was already asked to skip 'say'"),
        ("wait-for", "cannot skip 'wait-for', which runs now"),
        ("bake", "has no script 'bake'; it has wait-for, say, say-2"),
    ):
        assert await api.refusal("/skip-script", jobid, script=script) == f"job {jobid} {why}"
    (tmp_path / "gate").touch()
    job = await api.ended(jobid)
    assert job["state"] == "Succeeded"
    why = f"job {jobid} is Succeeded: resume it and skip 'say' in that resume"
    assert await api.refusal("/skip-script", jobid, script="say") == why


async def test_a_cancelled_job_ends_and_can_be_resumed(api: Api, tmp_path: Path) -> None:
    jobid = await running(api, tmp_path / "gate")
    answer = await api.act("/cancel-job", jobid, why="a typo")
    assert (answer["state"], answer["outcome"]) == (
        "Cancelled",
        "cancelled; session main-1 is being stopped",
    )
    for route in ("/cancel-job", "/pause-job", "/retry-job"):
        assert (await api.refusal(route, jobid)).startswith(f"job {jobid} is Cancelled: only a job")
    (tmp_path / "gate").touch()
    await api.act("/resume-job", jobid)
    assert (await api.ended(jobid))["state"] == "Succeeded"


async def test_a_job_is_cancelled_before_it_was_executed(api: Api) -> None:
    jobid = await api.add(["say", {}])
    assert (await api.act("/cancel-job", jobid))["outcome"] == "cancelled"
    assert (await api.post("/execute-job", {"jobid": jobid})).status_code == 409
    await api.act("/resume-job", jobid)
    assert (await api.ended(jobid))["state"] == "Succeeded"


async def test_a_running_job_cannot_be_resumed_and_has_nothing_to_retry(
    api: Api, tmp_path: Path
) -> None:
    jobid = await running(api, tmp_path / "gate")
    is_live = f"job {jobid} is Running: only a job that has ended, or was paused, can be resumed"
    assert await api.refusal("/resume-job", jobid) == is_live
    nothing = f"job {jobid} has no script that waits for its next attempt"
    assert await api.refusal("/retry-job", jobid) == nothing


async def test_a_request_that_is_repeated_with_its_key_acts_once(api: Api, tmp_path: Path) -> None:
    jobid = await failed(api, tmp_path / "never")
    for body, count in (({}, 1), ({}, 1), ({"why": "another request"}, 2)):
        document, headers = {"jobid": jobid, **body}, {"Idempotency-Key": "4ce0c2b7"}
        answer = await api.http.post("/resume-job", json=document, headers=headers)
        assert answer.status_code == 200
        events = (await api.ended(jobid))["events"]
        assert [event["type"] for event in events].count("JobResumed") == count


async def test_of_simultaneous_resumes_one_is_done(api: Api, tmp_path: Path) -> None:
    jobid = await failed(api, tmp_path / "cure")
    (tmp_path / "cure").touch()
    asked = [api.post("/resume-job", {"jobid": jobid}) for _ in range(12)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 11]
    events = (await api.ended(jobid))["events"]
    assert [event["type"] for event in events].count("JobResumed") == 1


async def test_an_ended_job_is_resumed_where_there_is_room(served: Served, tmp_path: Path) -> None:
    api = await served.api(Limits(live=1))
    jobid = await failed(api, tmp_path / "never")

    async def has_ended() -> bool:
        return (await api.post("/add-job", {"instructions": [["say", EMPTY]]})).status_code == 201

    await until_async(has_ended)
    answer = await api.post("/resume-job", {"jobid": jobid})
    assert answer.status_code == 503
    assert answer.json()["error"].startswith("there is no room for another job beside the 1 that")


async def test_a_paused_job_keeps_its_room(served: Served) -> None:
    api = await served.api(Limits(live=1))
    jobid = await api.add(["say", {}])
    await api.act("/pause-job", jobid)
    await api.act("/resume-job", jobid)
    await api.execute(jobid)
    assert (await api.ended(jobid))["state"] == "Succeeded"


@pytest.mark.parametrize("route", ROUTES)
async def test_a_job_that_is_not_there(api: Api, route: str) -> None:
    script = {"script": "say"} if route == "/skip-script" else {}
    answer = await api.post(route, {"jobid": "nobody", **script})
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("there is no job 'nobody'; jobs are kept since")
