"""Actions asked by HTTP over a real API server; the tests act as the operator would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
from httpx2 import Response

from enso_operator.http_api import cluster_backend
from enso_operator.kube.ensoaction import ACTIONS
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.served import served
from tests.support.api import Api
from tests.support.eventually import DEADLINE_SECONDS, until_async
from tests.support.resources import Document, of_scripts
from tests.support.statuses import REFUSED_ACTION, condition

pytestmark = pytest.mark.anyio
OUTCOME = "resumed; it goes on at 'script-0'"
DONE: Document = {
    "observedGeneration": 1,
    "conditions": [
        condition("Finished", "True", "Done", OUTCOME),
        condition("Succeeded", "True", "Done", OUTCOME),
    ],
}


@pytest.fixture
async def api(ns: ClusterNamespace, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    # Whoever acts as the operator does so with kubectl, which takes long on a busy machine.
    monkeypatch.setattr(cluster_backend, "ANSWER_SECONDS", DEADLINE_SECONDS)
    ns.apply(of_scripts({}, suspend=True))
    async with served(ns.objects) as api:
        yield api


def actions(ns: ClusterNamespace) -> list[Document]:
    return [*ns.objects.beside(ACTIONS).each()]


async def acting(ns: ClusterNamespace, status: Document) -> Document:
    """Write what came of the one action that is made meanwhile; return the action."""

    async def is_made() -> bool:
        return len(await asyncio.to_thread(actions, ns)) == 1

    await until_async(is_made)
    (made,) = actions(ns)
    place = f"ensoaction/{made['metadata']['name']}"
    patch = ("--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
    await asyncio.to_thread(ns.kubectl, "patch", place, *patch)
    return made


async def both(
    request: Coroutine[Any, Any, Response], operator: Coroutine[Any, Any, Document]
) -> tuple[Response, Document]:
    answer, made = await asyncio.gather(request, operator)
    return answer, made


BODIES: dict[str, tuple[Document, Document]] = {
    "/resume-job": ({"from": "script-0", "skip": ["b"]}, {"verb": "resume"}),
    "/pause-job": ({"after": "script-0"}, {"verb": "pause", "pause": {"after": "script-0"}}),
    "/retry-job": ({}, {"verb": "retry"}),
    "/skip-script": ({"script": "script-0"}, {"verb": "skip", "skip": {"script": "script-0"}}),
    "/cancel-job": ({"why": "a typo"}, {"verb": "cancel", "why": "a typo"}),
}
BODIES["/resume-job"][1]["resume"] = BODIES["/resume-job"][0]


@pytest.mark.parametrize("route", BODIES)
async def test_a_request_is_an_action_and_its_answer_what_came_of_it(
    api: Api, ns: ClusterNamespace, route: str
) -> None:
    fields, spec = BODIES[route]
    request = api.post(route, {"jobid": "shot", **fields})

    answer, made = await both(request, acting(ns, DONE))

    name = made["metadata"]["name"]
    shown = {"jobid": "shot", "state": "Suspended", "outcome": OUTCOME, "action": name}
    assert (answer.status_code, answer.json()) == (200, shown)
    assert made["spec"] == {"job": "shot", "jobUID": ns.get()["metadata"]["uid"], **spec}
    assert name.startswith("shot-")


async def test_changes_are_in_the_action_as_they_were_asked(api: Api, ns: ClusterNamespace) -> None:
    changes = {
        "scripts": [
            {
                "name": "script-0",
                "args": {"substeps": 4, "cache": None},
                "unsetArgs": ["stiffness"],
                "timeoutSeconds": 60,
                "retries": {"limit": 2, "backoffSeconds": 5},
            }
        ],
        "sessions": [{"name": "main", "resources": {"limits": {"memory": "32Gi"}}}],
    }
    request = api.post("/resume-job", {"jobid": "shot", **changes})
    answer, made = await both(request, acting(ns, DONE))
    assert answer.status_code == 200
    assert made["spec"]["resume"] == changes


async def test_a_refusal_is_told_in_the_operators_words(api: Api, ns: ClusterNamespace) -> None:
    request = api.post("/skip-script", {"jobid": "shot", "script": "open"})
    answer, _ = await both(request, acting(ns, REFUSED_ACTION))
    sentence = {"error": "cannot skip 'open', which is done already"}
    assert (answer.status_code, answer.json()) == (409, sentence)


async def test_an_action_that_is_withdrawn_meanwhile(api: Api, ns: ClusterNamespace) -> None:
    async def withdrawing() -> Document:
        made = await acting(ns, Document())
        await asyncio.to_thread(ns.kubectl, "delete", f"ensoaction/{made['metadata']['name']}")
        return made

    answer, made = await both(api.post("/cancel-job", {"jobid": "shot"}), withdrawing())
    why = f"EnsoAction {made['metadata']['name']} was deleted before anybody acted on it: ask again"
    assert (answer.status_code, answer.json()) == (409, {"error": why})


async def test_an_action_that_was_done_and_deleted_at_once(api: Api, ns: ClusterNamespace) -> None:
    async def forgetting() -> Document:
        made = await acting(ns, Document())
        name = made["metadata"]["name"]
        ledger = {"actions": [f"{made['metadata']['uid']}/{name}"]}
        ns.objects.patch_status("shot", ns.get()["metadata"]["resourceVersion"], {"ledger": ledger})
        await asyncio.to_thread(ns.kubectl, "delete", f"ensoaction/{name}")
        return made

    answer, made = await both(api.post("/cancel-job", {"jobid": "shot"}), forgetting())
    what = f"done, but EnsoAction {made['metadata']['name']} was deleted before anybody read"
    assert (answer.status_code, answer.json()["outcome"][: len(what)]) == (200, what)


async def test_an_action_that_is_deleted_with_its_job(api: Api, ns: ClusterNamespace) -> None:
    async def deleting() -> Document:
        made = await acting(ns, Document())
        await asyncio.to_thread(ns.kubectl, "delete", "ensojob/shot")
        await asyncio.to_thread(ns.kubectl, "delete", f"ensoaction/{made['metadata']['name']}")
        return made

    answer, made = await both(api.post("/cancel-job", {"jobid": "shot"}), deleting())
    why = f"job shot was deleted, and EnsoAction {made['metadata']['name']} with it: nobody can say"
    assert (answer.status_code, answer.json()["error"][: len(why)]) == (404, why)


async def test_without_an_operator_the_request_is_kept_and_can_be_repeated(
    api: Api, ns: ClusterNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked() -> Response:
        headers = {"Idempotency-Key": "4ce0c2b7"}
        return await api.http.post("/cancel-job", json={"jobid": "shot"}, headers=headers)

    with monkeypatch.context() as patch:
        patch.setattr(cluster_backend, "ANSWER_SECONDS", 0.5)
        answers = [await asked(), await asked()]
    (made,) = actions(ns)
    name = made["metadata"]["name"]
    for answer in answers:
        assert (answer.status_code, answer.json()["action"]) == (202, name)
        how = f"kubectl -n {ns.namespace} get ensoaction {name} tells what comes of it"
        assert answer.json()["outcome"].endswith(how)

    answer, _ = await both(asked(), acting(ns, DONE))
    assert (answer.status_code, answer.json()["outcome"]) == (200, OUTCOME)
    assert [action["metadata"]["name"] for action in actions(ns)] == [name]


async def test_the_longest_names_fit(api: Api, ns: ClusterNamespace) -> None:
    job = "b" * 52
    ns.apply(of_scripts({}, suspend=True) | {"metadata": {"name": job}})
    headers = {"Idempotency-Key": "k" * 255}
    request = api.http.post("/cancel-job", json={"jobid": job}, headers=headers)
    answer, made = await both(request, acting(ns, DONE))
    assert answer.status_code == 200
    assert len(made["metadata"]["name"]) == 63


@pytest.mark.parametrize("name", ["nobody", "../../configmaps/kube-root-ca.crt", "UPPER"])
async def test_an_action_on_a_job_that_is_not_there(
    api: Api, ns: ClusterNamespace, name: str
) -> None:
    for route, (fields, _) in BODIES.items():
        answer = await api.post(route, {"jobid": name, **fields})
        assert answer.status_code == 404
        assert answer.json()["error"].startswith("there is no job ")
    assert actions(ns) == []


async def test_what_the_resource_refuses(api: Api, ns: ClusterNamespace) -> None:
    huge = {"script-0": {f"a{i}": "x" for i in range(101)}}
    scripts = [{"name": name, "args": args} for name, args in huge.items()]
    answer = await api.post("/resume-job", {"jobid": "shot", "scripts": scripts})
    assert answer.status_code == 422
    assert answer.json()["error"] == "scripts[0].args: must have at most 100 items"
    assert actions(ns) == []
