"""The HTTP API over a real API server: the same jobs, seen by curl and by kubectl."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from enso_operator.kube.client import ApiObjects
from job_execution_framework.domain.errors import InvalidJob
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.served import SAY, served
from tests.support.api import Api
from tests.support.resources import EMPTY, job, of_scripts
from tests.support.statuses import FAILED_JOB, LINE

pytestmark = pytest.mark.anyio
FOUR = job(
    {"scripts": [{"name": n, "source": "x"} for n in ["open", "simulate", "publish", "notify"]]}
)
NO_JOB = of_scripts(
    {"args": {"x": 1}, "argsFrom": [{"name": "x", "secretKeyRef": {"name": "a", "key": "b"}}]},
    suspend=True,
)


@pytest.fixture
async def api(ns: ClusterNamespace) -> AsyncIterator[Api]:
    async with served(ns.objects) as api:
        yield api


def set_status(ns: ClusterNamespace, status: dict[str, Any], name: str = "shot") -> None:
    text = json.dumps({"status": status})
    ns.kubectl("patch", f"ensojob/{name}", "--subresource=status", "--type=merge", "-p", text)


async def test_the_users_sequence_until_the_operator_takes_over(api: Api) -> None:
    assert await api.jobs() == {}
    first, second = await api.add(SAY, ("say", {})), await api.add(SAY)
    added = await api.job(first)
    assert (added["state"], added["failure"], added["why"]) == ("Suspended", None, None)
    assert [(script["name"], script["state"]) for script in added["scripts"]] == [
        ("say", "NotStarted"),
        ("say-2", "NotStarted"),
    ]
    assert [event["type"] for event in added["events"]] == ["JobAdded"]

    answer = await api.post("/execute-job", {"jobid": first})

    assert (answer.status_code, answer.json()) == (202, {"jobid": first, "state": "Waiting"})
    listed = (await api.get("/list-jobs")).json()
    assert listed == [
        {"jobid": first, "state": "Waiting"},
        {"jobid": second, "state": "Suspended"},
    ]


async def test_kubectl_sees_what_curl_added(api: Api, ns: ClusterNamespace) -> None:
    jobid = await api.add(SAY)
    spec = ns.get(jobid)["spec"]
    assert spec["suspend"] is True
    assert spec["scripts"][0]["scriptRef"] == {"name": "say"}
    assert spec["scripts"][0]["args"] == {"text": "grüße"}
    await api.execute(jobid)
    assert ns.get(jobid)["spec"]["suspend"] is False


async def test_curl_sees_what_kubectl_applied(api: Api, ns: ClusterNamespace) -> None:
    ns.apply(of_scripts({"args": {"frame": 7}}, suspend=True))
    ns.apply(FOUR | {"metadata": {"name": "runs"}})
    assert await api.jobs() == {"shot": "Suspended", "runs": "Waiting"}
    assert (await api.job("shot"))["scripts"][0]["parameters"] == {"frame": 7}
    await api.execute("shot")
    assert ns.get()["spec"]["suspend"] is False
    answer = await api.post("/execute-job", {"jobid": "runs"})
    assert answer.status_code == 409
    assert answer.json()["error"].startswith("job runs is Waiting, and a job is executed once")


async def test_a_second_execution_is_refused(api: Api) -> None:
    jobid = await api.add(SAY)
    await api.execute(jobid)
    answer = await api.post("/execute-job", {"jobid": jobid})
    assert answer.status_code == 409
    assert answer.json()["error"].endswith("to run it once more, add it again")


async def test_of_simultaneous_executions_one_is_accepted(api: Api) -> None:
    jobid = await api.add(SAY)
    answers = await asyncio.gather(*[api.post("/execute-job", {"jobid": jobid}) for _ in range(12)])
    assert sorted(answer.status_code for answer in answers) == [202, *[409] * 11]


async def test_whoever_writes_in_between_does_not_hinder_an_execution(
    ns: ClusterNamespace,
) -> None:
    class Busy(ApiObjects):
        def get(self, name: str) -> dict[str, Any]:
            got = super().get(name)
            label = str(got["metadata"]["resourceVersion"])
            if writes:
                writes.pop()
                ns.kubectl("label", "ensojob", name, f"seen={label}", "--overwrite")
            return got

    writes = [1, 2]
    async with served(Busy(ns.objects.client, ns.namespace, "ensojobs")) as api:
        await api.execute(await api.add(SAY))
        assert writes == []
        writes.extend(range(10))
        answer = await api.post("/execute-job", {"jobid": await api.add(SAY)})
    assert (answer.status_code, len(writes)) == (503, 5)
    assert "others keep changing" in answer.json()["error"]


async def test_a_failed_job_shows_its_card_and_its_events(api: Api, ns: ClusterNamespace) -> None:
    ns.apply(FOUR)
    set_status(ns, FAILED_JOB)
    shown = await api.job("shot")
    assert (shown["state"], shown["failure"], shown["why"]) == ("Failed", LINE, FAILED_JOB["why"])
    assert (await api.jobs()) == {"shot": "Failed"}
    assert shown["scripts"][1]["cause"]["said"] == ["frame 117", "frame 118"]
    kinds = [event["type"] for event in shown["events"]]
    assert (kinds[0], kinds[-1]) == ("JobAdded", "JobFailed")
    assert {"JobStarted", "ScriptSucceeded", "ScriptFailed"} <= {*kinds}


@pytest.mark.parametrize(
    ("state", "how"), [("Failed", "add it again"), ("Suspended", "patch ensojob shot")]
)
async def test_what_was_started_before_is_not_let_go(
    api: Api, ns: ClusterNamespace, state: str, how: str
) -> None:
    ns.apply(of_scripts(EMPTY, suspend=True))
    time = "2026-11-24T02:00:00Z"
    said = {"type": "Succeeded", "status": "Unknown", "reason": state, "lastTransitionTime": time}
    set_status(ns, {"conditions": [said], "startTime": time})
    answer = await api.post("/execute-job", {"jobid": "shot"})
    assert answer.status_code == 409
    assert how in answer.json()["error"]
    assert ns.get()["spec"]["suspend"] is True


async def test_what_makes_no_job_is_shown_as_failed_with_its_sentence(
    api: Api, ns: ClusterNamespace
) -> None:
    ns.apply(NO_JOB)
    assert await api.jobs() == {"shot": "Suspended"}, "nobody has looked at it"
    for _ in range(2):  # before, and after the operator wrote the same
        shown = await api.job("shot")
        assert (shown["state"], shown["scripts"], shown["events"]) == ("Failed", [], [])
        assert "argsFrom[x] is in args, too" in shown["failure"]
        assert shown["why"] == [shown["failure"]]
        answer = await api.post("/execute-job", {"jobid": "shot"})
        assert (answer.status_code, answer.json()["error"]) == (422, shown["failure"])
        with ns.uow() as uow:
            with pytest.raises(InvalidJob):
                uow.jobs.get("shot")
            uow.refuse("shot", shown["failure"], 1000)
    assert await api.jobs() == {"shot": "Failed"}


async def test_a_status_from_the_future_hides_nothing_else(api: Api, ns: ClusterNamespace) -> None:
    ns.apply(of_scripts(EMPTY, suspend=True))
    said = {"type": "Succeeded", "status": "Unknown", "reason": "Wondering"}
    set_status(ns, {"conditions": [said | {"lastTransitionTime": "2026-11-24T02:00:00Z"}]})
    jobid = await api.add(SAY)
    assert await api.jobs() == {"shot": "Wondering", jobid: "Suspended"}
    shown = await api.job("shot")
    assert shown["state"] == "Wondering"
    assert shown["failure"].startswith("the status of job shot is none")


async def test_a_job_of_a_hundred_scripts(api: Api) -> None:
    jobid = await api.add(*[("say", {"text": "x" * 1000, "n": i}) for i in range(100)])
    await api.execute(jobid)
    scripts = (await api.job(jobid))["scripts"]
    assert [script["parameters"]["n"] for script in scripts] == list(range(100))
    assert scripts[-1]["name"] == "say-100"


async def test_a_list_of_many_is_read_in_pages(
    api: Api, ns: ClusterNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in ("FIRST_PAGE", "LARGEST_PAGE"):
        monkeypatch.setattr(f"enso_operator.kube.client.{page}", 2)
    added = [await api.add(SAY) for _ in range(5)]
    mark = ns.cluster.audit.mark()
    assert list(await api.jobs()) == added
    assert [request.verb for request in ns.requests(mark)] == ["list"] * 3
