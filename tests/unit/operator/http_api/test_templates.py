"""Jobs that are added as runs of templates, in memory and over a cluster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.manifests.template_folder import TemplateFolder
from tests.support.api import Api, Served
from tests.support.eventually import until_async
from tests.support.in_memory_objects import InMemoryCluster, InMemoryObjects
from tests.support.in_memory_streams import InMemoryStreams
from tests.support.resources import EMPTY
from tests.support.templates import SHOT, template

pytestmark = pytest.mark.anyio

SAY = template(
    {"name": "say", "scriptRef": {"name": "say"}, "args": {"text": "shot $(params.shot)"}},
    parameters=[SHOT],
)


@pytest.fixture
async def embedded(served: Served, tmp_path: Path) -> Api:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "publish.json").write_text(json.dumps(SAY))
    jobs = EmbeddedJobs(served.library, templates=TemplateFolder(tmp_path / "templates"))
    return await served.over(await served.stack.enter_async_context(jobs))


@pytest.fixture
def objects() -> InMemoryObjects:
    return InMemoryCluster().objects("shows")


@pytest.fixture
async def clustered(served: Served, objects: InMemoryObjects) -> Api:
    objects.beside("ensojobtemplates").create(SAY)
    return await served.over(ClusterJobs(objects, InMemoryStreams()))


async def test_a_run_is_executed_in_memory(embedded: Api) -> None:
    answer = await embedded.post("/add-job", {"template": "publish", "params": {"shot": "010"}})
    assert answer.status_code == 201, answer.text
    jobid = answer.json()["jobid"]
    await embedded.execute(jobid)
    job = await embedded.ended(jobid)
    assert job["state"] == "Succeeded"
    assert job["scripts"][0]["parameters"] == {"text": "shot 010"}


async def test_a_run_is_a_suspended_ensojob(clustered: Api, objects: InMemoryObjects) -> None:
    answer = await clustered.post("/add-job", {"template": "publish", "params": {"shot": "010"}})
    assert answer.status_code == 201, answer.text
    jobid = answer.json()["jobid"]
    assert objects.get(jobid)["spec"] == {
        "templateRef": {"name": "publish"},
        "params": {"shot": "010"},
        "suspend": True,
    }
    job = await clustered.job(jobid)
    assert job["state"] == "Suspended"
    assert job["scripts"][0]["parameters"] == {"text": "shot 010"}


async def test_a_run_whose_template_is_gone_says_so(
    clustered: Api, objects: InMemoryObjects
) -> None:
    jobid = (
        await clustered.post("/add-job", {"template": "publish", "params": {"shot": "010"}})
    ).json()["jobid"]
    templates = objects.beside("ensojobtemplates")
    metadata = templates.get("publish")["metadata"]
    templates.delete("publish", metadata["uid"], metadata["resourceVersion"])
    job = await clustered.job(jobid)
    assert job["why"] == ["there is no EnsoJobTemplate publish in namespace shows: apply it"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"template": "publish"}, "params.shot is missing: it takes a string"),
        (
            {"template": "publish", "params": {"shot": 10}},
            (
                "params.shot is 10, an integer, but takes a string: put it in quotes, as YAML "
                "reads an unquoted 010 as 8"
            ),
        ),
        (
            {"template": "publish", "params": {"shot": "010", "shto": 1}},
            "params.shto is nothing that template publish takes: did you mean 'shot'?",
        ),
    ],
)
async def test_wrong_parameters_are_refused(
    embedded: Api, clustered: Api, body: object, sentence: str
) -> None:
    for api in (embedded, clustered):
        answer = await api.post("/add-job", body)
        assert (answer.status_code, answer.json()["error"]) == (422, sentence)


async def test_an_unknown_template_is_named(embedded: Api, clustered: Api) -> None:
    body = {"template": "publihs", "params": {"shot": "010"}}
    for api in (embedded, clustered):
        answer = await api.post("/add-job", body)
        assert answer.status_code == 422
        assert answer.json()["error"].endswith(": did you mean publish?")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"template": "A B"}, "template: use lower-case letters"),
        (
            {"template": "publish", "instructions": [["say", EMPTY]]},
            "template: stands beside instructions: give one of the two",
        ),
        (
            {"instructions": [["say", EMPTY]], "params": {"a": 1}},
            "params: are those of a template: name it as template",
        ),
    ],
)
async def test_a_body_is_either_a_list_or_a_run(embedded: Api, body: object, sentence: str) -> None:
    answer = await embedded.post("/add-job", body)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(sentence)


async def test_a_finally_script_tells_that_it_is_one(served: Served, tmp_path: Path) -> None:
    cleaning = template({"name": "say", "scriptRef": {"name": "say"}}, parameters=[])
    cleaning["spec"]["job"]["finally"] = [{"name": "clean", "scriptRef": {"name": "say"}}]
    (tmp_path / "publish.json").write_text(json.dumps(cleaning))
    jobs = EmbeddedJobs(served.library, templates=TemplateFolder(tmp_path))
    api = await served.over(await served.stack.enter_async_context(jobs))
    jobid = (await api.post("/add-job", {"template": "publish"})).json()["jobid"]
    await api.execute(jobid)

    async def has_cleaned_up() -> bool:
        rows = (await api.job(jobid))["scripts"]
        return [row["state"] for row in rows] == ["Succeeded", "Succeeded"]

    await until_async(has_cleaned_up)
    rows = (await api.job(jobid))["scripts"]
    assert [(row["name"], row.get("final")) for row in rows] == [("say", None), ("clean", True)]
