"""What the routes answer; those that act on a job are in `test_actions`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from enso_operator.http_api.action_requests import (
    CancelJob,
    PauseJob,
    ResumeJob,
    RetryJob,
    SkipScript,
)
from enso_operator.http_api.responses import Done
from tests.support.api import Api

pytestmark = pytest.mark.anyio


async def test_a_job_from_its_addition_to_its_end(api: Api) -> None:
    assert (await api.get("/list-jobs")).text == "[]\n"
    jobid = await api.add(["say", {"text": "grüße"}], ["say", {}])
    assert (await api.get("/list-jobs")).json() == [{"jobid": jobid, "state": "Waiting"}]
    waiting = await api.job(jobid)
    assert [script["state"] for script in waiting["scripts"]] == ["NotStarted"] * 2

    await api.execute(jobid)
    job = await api.ended(jobid)
    assert (job["state"], job["failure"], job["why"]) == ("Succeeded", None, None)
    first = job["scripts"][0]
    assert first.pop("seconds") >= 0
    assert first == {
        "name": "say",
        "script": "say",
        "parameters": {"text": "grüße"},
        "state": "Succeeded",
        "attempt": 1,
        "cause": None,
        "output": {"said": "grüße"},
    }
    assert job["scripts"][1]["name"] == "say-2"


async def test_a_job_shows_its_events(api: Api) -> None:
    jobid = await api.add(["say", {"text": "grüße"}], ["say", {}])
    await api.execute(jobid)
    events = (await api.ended(jobid))["events"]
    assert [event["type"] for event in events] == [
        "JobAdded",
        "JobStarted",
        "SessionOpened",
        *["ScriptStarted", "ScriptSucceeded"] * 2,
        "SessionEnded",
        "JobSucceeded",
    ]
    started = events[3]
    assert started["text"].endswith("ScriptStarted 1/2 say, attempt 1; args text=grüße")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", started["at"])
    assert (started["script"], started["attempt"]) == ("say", 1)


async def test_a_failure_names_script_parameters_and_cause(api: Api) -> None:
    jobid = await api.add(["say", {}], ["fail", {"frames": 240}], ["say", {}])
    await api.execute(jobid)
    job = await api.ended(jobid)
    assert job["state"] == "Failed"
    assert job["failure"].startswith("fail failed: MemoryError: cache exceeded 240 GiB; args fra")
    assert "  MemoryError: cache exceeded 240 GiB" in job["why"]
    states = [script["state"] for script in job["scripts"]]
    assert states == ["Succeeded", "Failed", "NotStarted"]
    cause = job["scripts"][1]["cause"]
    assert (cause["reason"], cause["error"]) == ("Exception", "MemoryError")
    assert cause["at"].startswith("line 3 in main: raise MemoryError(")


async def test_a_failure_says_where_the_whole_output_is(api: Api) -> None:
    jobid = await api.add(["say", {"text": "so far so good"}], ["fail", {"frames": 1}])
    await api.execute(jobid)
    why = (await api.ended(jobid))["why"]
    log = Path(next(line for line in why if line.startswith("log ")).split()[1])
    assert "so far so good" in log.read_text()  # noqa: ASYNC240  # a file of a few bytes


async def test_an_exit_code_is_shown(api: Api) -> None:
    jobid = await api.add(["leave", {}])
    await api.execute(jobid)
    assert (await api.ended(jobid))["scripts"][0]["cause"]["exit_code"] == 3


async def test_a_script_that_is_not_there_fails_the_job_with_a_sentence(api: Api) -> None:
    jobid = await api.add(["sayy", {}])
    await api.execute(jobid)
    assert "did you mean 'say'?" in (await api.ended(jobid))["failure"]


async def test_output_that_is_no_unicode_does_not_break_the_answer(api: Api) -> None:
    jobid = await api.add(["odd_output", {}])
    await api.execute(jobid)
    assert (await api.ended(jobid))["state"] in ("Succeeded", "Failed")


async def test_the_page_of_the_api_needs_no_internet(api: Api) -> None:
    page = (await api.get("/docs")).text
    links = re.findall(r"""(?:src|href|url)(?:=|: )["']([^"']+)["']""", page)
    assert "/openapi.json" in links
    assert len(links) >= 4
    for link in links:
        assert link.startswith("/")
        assert (await api.get(link)).status_code == 200


async def test_every_answer_is_described(api: Api) -> None:
    schema = (await api.get("/openapi.json")).json()
    assert [*schema["paths"]] == [
        *("/list-jobs", "/add-job", "/get-job/{jobid}", "/execute-job"),
        *("/resume-job", "/pause-job", "/retry-job", "/skip-script", "/cancel-job"),
    ]
    for operations in schema["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            shapes = {
                int(status): answer["content"]["application/json"]["schema"]
                for status, answer in answers.items()
            }
            problem = {"$ref": "#/components/schemas/Problem"}
            assert all(shape == problem for status, shape in shapes.items() if status >= 400)
            assert 422 in shapes
    bodies = (ResumeJob, PauseJob, RetryJob, SkipScript, CancelJob)
    for model in (*bodies, Done):
        examples = schema["components"]["schemas"][model.__name__]["examples"]
        assert [model.model_validate(example) for example in examples]
