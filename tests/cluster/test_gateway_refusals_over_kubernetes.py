"""What the HTTP API says when a job cannot be had, and when the cluster is in trouble."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.http_api import cluster_backend
from enso_operator.kube.client import ApiObjects
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_stranger
from tests.cluster.served import SAY, served
from tests.cluster.users import name_of, until_granted
from tests.support.api import Api

pytestmark = pytest.mark.anyio
TOO_MUCH: list[tuple[list[tuple[str, dict[str, object]]], str]] = [
    ([("a.b", {})], "spec.scripts[a-b].scriptRef.name"),
    ([("say", {"": 1})], "spec.scripts[say].args"),
    ([("say", {"text": "ü" * 5220})] * 100, "too large"),  # in JSON's escapes, 3 MiB
]
NAMES = [
    "",
    "x" * 5000,
    "UPPER",
    "..",
    "../../configmaps/kube-root-ca.crt",
    "%2e%2e",
    "a\0b",
    "ü",
]


@pytest.fixture
async def api(ns: ClusterNamespace) -> AsyncIterator[Api]:
    async with served(ns.objects) as api:
        yield api


async def refused(api: Api, status: int, *, of: str) -> list[str]:
    """Call every route; return the sentences of the refusals."""
    answers = [
        await api.get("/list-jobs"),
        await api.get(f"/get-job/{of}"),
        await api.post("/add-job", {"instructions": [SAY]}),
        await api.post("/execute-job", {"jobid": of}),
    ]
    assert [answer.status_code for answer in answers] == [status] * 4
    return [answer.json()["error"] for answer in answers]


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_that_no_job_can_have(api: Api, ns: ClusterNamespace, name: str) -> None:
    mark = ns.cluster.audit.mark()
    answers = [await api.post("/execute-job", {"jobid": name})]
    if name and "/" not in name:
        path = "".join(f"%{byte:02x}" for byte in name.encode())
        answers += [await api.get(f"/get-job/{path}")]
    for answer in answers:
        assert answer.status_code == 404
        assert answer.json()["error"].startswith("there is no job ")
    asked = ns.requests(mark)
    assert [request for request in asked if not request.user_agent.startswith("kubectl")] == []


async def test_an_unknown_job(api: Api, ns: ClusterNamespace) -> None:
    sentence = {"error": f"there is no job 'nobody' in namespace '{ns.namespace}'"}
    for answer in (
        await api.get("/get-job/nobody"),
        await api.post("/execute-job", {"jobid": "nobody"}),
    ):
        assert (answer.status_code, answer.json()) == (404, sentence)


@pytest.mark.parametrize(("instructions", "sentence"), TOO_MUCH)
async def test_what_no_ensojob_can_hold(api: Api, instructions: object, sentence: str) -> None:
    content = json.dumps({"instructions": instructions}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    answer = await api.http.post("/add-job", content=content, headers=headers)
    assert answer.status_code == 422
    assert sentence in answer.json()["error"]
    assert await api.jobs() == {}


async def test_an_api_server_that_goes_away_and_comes_back(own_cluster: Cluster) -> None:
    install_crds(own_cluster.kubectl)
    kubeconfig = str(own_cluster.kubeconfig)
    with new_client_from_config(kubeconfig) as client:  # type: ignore[no-untyped-call]
        async with served(ApiObjects(client, "default", "ensojobs")) as api:
            jobid = await api.add(SAY)
            own_cluster.kill("kube-apiserver")
            for sentence in await refused(api, 503, of=jobid):
                assert sentence.startswith("the API server did not answer: ")
                assert "object at" not in sentence
            own_cluster.revive()
            assert await api.jobs() == {jobid: "Suspended"}


async def test_an_api_server_that_never_answered() -> None:
    with ApiClient(Configuration(host="http://127.0.0.1:9")) as nobody:
        async with served(ApiObjects(nobody, "default", "ensojobs")) as api:
            sentences = await refused(api, 503, of="shot")
    assert sentences[0].endswith("Connection refused")


async def test_rights_that_the_server_lacks_are_named_and_those_of_the_page_are_enough(
    crds: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig = str(of_stranger(crds, namespace, tmp_path))
    with new_client_from_config(kubeconfig) as client:  # type: ignore[no-untyped-call]
        async with served(ApiObjects(client, namespace, "ensojobs")) as api:
            sentences = await refused(api, 403, of="shot")
            for sentence, verb in zip(sentences, ["list", "get", "create", "get"], strict=True):
                assert f'cannot {verb} resource "ensojobs"' in sentence
                assert "{" not in sentence
            grant(crds, namespace, "ensojobs", "get,list,create,patch")
            jobid = await api.add(SAY)
            await api.execute(jobid)
            assert (await api.job(jobid))["state"] == "Waiting"
            assert await api.jobs() == {jobid: "Waiting"}
            answer = await api.post("/cancel-job", {"jobid": jobid})
            assert answer.status_code == 403
            assert 'cannot create resource "ensoactions"' in answer.json()["error"]
            grant(crds, namespace, "ensoactions", "get,create")
            monkeypatch.setattr(cluster_backend, "ANSWER_SECONDS", 0.5)
            assert (await api.post("/cancel-job", {"jobid": jobid})).status_code == 202


def grant(cluster: Cluster, namespace: str, plural: str, verbs: str) -> None:
    """Give the namespace's default account rights that SECURITY.md names."""
    rights = (f"--verb={verbs}", f"--resource={plural}.enso.dev")
    cluster.kubectl("-n", namespace, "create", "role", plural, *rights)
    whom = (f"--role={plural}", f"--serviceaccount={namespace}:default")
    cluster.kubectl("-n", namespace, "create", "rolebinding", plural, *whom)
    until_granted(cluster, namespace, name_of(namespace), f"{plural}.enso.dev={verbs}")


async def test_a_namespace_that_is_not_there(client: ApiClient) -> None:
    async with served(ApiObjects(client, "nowhere", "ensojobs")) as api:
        assert await api.jobs() == {}
        answer = await api.post("/add-job", {"instructions": [SAY]})
    assert answer.status_code == 503
    assert 'namespaces "nowhere" not found' in answer.json()["error"]
