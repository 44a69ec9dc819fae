"""The scripts of a template on its pages: what each runs and gets, and what speaks against it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from enso_operator.http_api import cluster_offers, cluster_reads
from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.http_api.offers import MOST_OFFERS, Offer, Verdict
from enso_operator.http_api.rights import ALLOWED, Rights
from enso_operator.http_api.template_scripts import NOTHING, UNKNOWN, KnownScripts, scripts_in
from enso_operator.kube.client import Forbidden
from enso_operator.kube.objects import Objects
from enso_operator.manifests.template import parse_template
from enso_operator.manifests.template_folder import TemplateFolder
from job_execution_framework.domain.parameters import Parameter, Parameters, Type
from tests.support.api import Api, Served
from tests.support.in_memory_objects import InMemoryCluster, InMemoryObjects
from tests.support.in_memory_streams import InMemoryStreams
from tests.support.resources import Document
from tests.support.templates import template
from tests.unit.operator.http_api.web.test_actions import Browser

pytestmark = pytest.mark.anyio
SAY: Document = {"name": "tell", "scriptRef": {"name": "say"}, "args": {"text": "$(params.shot)"}}
GONE: Document = {"name": "gone", "scriptRef": {"name": "sya"}}
NO_SAY = "gone: there is no script 'sya' in the library: did you mean 'say'?"
GREY = 'aria-disabled="true"'
ADDED, REFUSED = 201, 422


def test_they_are_in_order_with_what_they_run_and_get() -> None:
    scripts: list[Document] = [
        SAY,
        {"name": "own", "source": "def main(): pass"},
        {"name": "called", "function": "studio:main"},
        {"name": "boxed", "container": {"image": "studio/tool"}},
    ]
    clean: Document = {
        "name": "clean",
        "scriptRef": {"name": "$(params.shot)"},
        "args": {"n": 1},
        "argsFrom": [
            {"name": "cache", "outputOf": {"script": "own", "key": "path"}},
            {"name": "token", "secretKeyRef": {"name": "licence", "key": "t"}},
        ],
    }
    document = template(*scripts)
    document["spec"]["job"]["finally"] = [clean]
    listed = scripts_in(parse_template(document), UNKNOWN)
    assert {one.verdict for one in listed} == {NOTHING}
    assert [(one.name, one.runs) for one in listed] == [
        ("tell", "say"),
        ("own", "a source of its own"),
        ("called", "studio:main"),
        ("boxed", "a container of studio/tool"),
        ("clean", "$(params.shot)"),
    ]
    assert listed[0].gets == {"text": "$(params.shot)"}
    assert (listed[-1].is_final, listed[-1].library) == (True, "")
    assert listed[-1].gets == {
        "n": 1,
        "cache": "path of the output of own",
        "token": "of the Secret licence",
    }


@pytest.mark.parametrize("scripts", ["x", [1, None], {"a": {}}, None, [{"args": 3}]])
def test_what_is_no_list_of_scripts_breaks_nothing(scripts: object) -> None:
    document = template()
    document["spec"]["job"] = {"scripts": scripts}
    listed = scripts_in(parse_template(document), UNKNOWN)
    assert [one.name for one in listed] == ([""] if scripts == [{"args": 3}] else [])


def would_fail(known: KnownScripts, name: str) -> str:
    verdict = known.verdict(name, {})
    assert not verdict.why_not
    return verdict.would_fail


def test_only_what_is_certain_speaks_against_a_script() -> None:
    known = KnownScripts.of([Offer("open-shot"), Offer("save", problem="it has no main")])
    assert would_fail(known, "open_shot") == ""
    broken = "script 'save' of the library cannot be used: it has no main"
    gone = "there is no script 'far' in the library: add it to the library"
    assert would_fail(known, "save") == broken
    assert would_fail(known, "far") == gone
    assert would_fail(known, "$(params.tool)") == would_fail(known, "studio:main") == ""
    full = KnownScripts.of([Offer(f"script-{number}") for number in range(MOST_OFFERS)])
    assert would_fail(full, "far") == would_fail(KnownScripts.of([]), "far") == ""


@pytest.mark.parametrize(
    ("described", "why"),
    [
        ({"args": {"frames": "$(params.frames)"}}, ""),
        ({"args": {"frames": 3}}, ""),
        ({"argsFrom": [{"name": "frames", "outputOf": {"script": "open"}}]}, ""),
        ({}, "argument 'frames' is missing: it takes an integer"),
        (
            {"args": {"frames": "3"}},
            "argument 'frames' is \"3\", a string, but takes an integer: write it without quotes",
        ),
        (
            {"args": {"frames": 3, "frmes": ["$(params.frames)"]}},
            "argument 'frmes' is nothing that render takes: did you mean 'frames'?",
        ),
    ],
)
def test_arguments_that_no_values_of_parameters_mend_are_told(
    described: Document, why: str
) -> None:
    frames = Parameter("frames", Type.INTEGER, required=True)
    known = KnownScripts.of([Offer("render", takes=Parameters((frames,)))])
    script = {"name": "render", "scriptRef": {"name": "render"}} | described
    (read,) = scripts_in(parse_template(template(script)), known)
    assert read.verdict == Verdict(why)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    folder.mkdir()
    return folder


@pytest.fixture(name="memory")
async def _memory(served: Served, folder: Path) -> AsyncIterator[Api]:
    async with EmbeddedJobs(served.library, templates=TemplateFolder(folder)) as jobs:
        yield await served.over(jobs)


def write(folder: Path, *scripts: Document) -> None:
    (folder / "publish.json").write_text(json.dumps(template(*scripts)))


async def pages(api: Api) -> list[str]:
    """Return the list of templates, and the page of the one that there is."""
    return [unescape((await api.get(path)).text) for path in ("/templates", "/templates/publish")]


async def test_both_pages_list_them_and_lead_to_the_library(memory: Api, folder: Path) -> None:
    write(folder, SAY)
    for page in await pages(memory):
        assert '<a href="/library#offer-say">say</a>' in page
        assert "text = $(params.shot)" in page
        assert GREY not in page
    assert "publish" in (await memory.get("/templates?text=tell")).text
    assert "Nothing is like this." in (await memory.get("/templates?text=other")).text


RUN = {"template": "publish", "params": {"shot": "010"}}


async def adds(api: Api) -> int:
    """Return the status with which the API answers to who adds a run."""
    return (await api.post("/add-job", RUN)).status_code


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            {"name": "boxed", "container": {"image": "studio/tool"}},
            "boxed: it is a container, which needs a cluster",
        ),
        (
            {"name": "count", "scriptRef": {"name": "typed"}},
            "count: argument 'frames' is missing: it takes an integer",
        ),
    ],
)
async def test_what_is_refused_is_grey_with_the_reason(
    memory: Api, folder: Path, script: Document, why: str
) -> None:
    write(folder, SAY, script)
    assert await adds(memory) == REFUSED
    for page in await pages(memory):
        assert f"It cannot be started: {why}" in page
        assert GREY in page
        assert '<button class="first">Start</button>' not in page
        assert '<a class="button" href="/templates/publish">' not in page


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (GONE, NO_SAY),
        ({"name": "own", "source": "def main(:"}, "own: its source does not compile"),
        (
            {"name": "fail", "scriptRef": {"name": "broken"}},
            "fail: script 'broken' of the library cannot be used: ",
        ),
    ],
)
async def test_what_is_taken_though_it_would_fail_now_can_be_started(
    memory: Api, folder: Path, tmp_path: Path, script: Document, why: str
) -> None:
    (tmp_path / "broken.py").write_text("def main(:")
    assert "It cannot run: " in unescape((await memory.get("/library")).text)
    write(folder, SAY, script)
    assert await adds(memory) == ADDED
    for page in await pages(memory):
        assert f"It would fail now: {why}" in page
        assert "It cannot be started" not in page
        assert GREY not in page
    answer = await Browser(memory).send("/templates/publish", ("param:shot", "010"))
    assert answer.status_code == 303


async def test_a_script_that_is_added_after_the_job_is_run(
    memory: Api, folder: Path, tmp_path: Path
) -> None:
    write(folder, GONE)
    jobid = (await memory.post("/add-job", RUN)).json()["jobid"]
    (tmp_path / "sya.py").write_text("def main(): pass")
    await memory.execute(jobid)
    assert (await memory.ended(jobid))["state"] == "Succeeded"


async def test_a_file_that_is_no_template_any_more_keeps_none_of_the_others_back(
    memory: Api, folder: Path
) -> None:
    write(folder, SAY)
    (folder / "broken.json").write_text("{")
    page = unescape((await memory.get("/templates")).text)
    assert "It cannot be started: " in page
    assert "broken.json: line 1" in page
    answer = await Browser(memory).send("/templates/publish", ("param:shot", "010"))
    assert answer.status_code == 303


@pytest.fixture(name="objects")
def _objects() -> InMemoryObjects:
    return InMemoryCluster().objects("shows")


@pytest.fixture(name="cluster")
async def _cluster(
    served: Served, objects: InMemoryObjects, monkeypatch: pytest.MonkeyPatch
) -> Api:
    def allowed(_: Objects) -> Rights:
        return ALLOWED

    monkeypatch.setattr(cluster_reads, "rights_of", allowed)
    return await served.over(ClusterJobs(objects, InMemoryStreams()))


async def test_in_a_cluster_the_library_is_that_of_the_namespace(
    cluster: Api, objects: InMemoryObjects
) -> None:
    objects.beside("ensojobtemplates").create(template(SAY, GONE))
    example: Document = {"name": "ours", "scriptRef": {"name": "example_script"}}
    for page in await pages(cluster):
        assert "tell: there is no script 'say' in the library" in page
    say = {"apiVersion": "enso.dev/v1alpha1", "kind": "EnsoScript", "metadata": {"name": "say"}}
    objects.beside("ensoscripts").create(say | {"spec": {"source": "def main(text): pass"}})
    for page in await pages(cluster):
        assert f"It would fail now: {NO_SAY}" in page
        assert "tell: there is no" not in page
    objects.beside("ensojobtemplates").create(
        template(SAY, example) | {"metadata": {"name": "good"}}
    )
    assert "It would fail now" not in (await cluster.get("/templates/good")).text
    assert GREY not in (await cluster.get("/templates")).text


async def test_who_may_not_read_the_library_may_start_templates(
    cluster: Api, objects: InMemoryObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Objects) -> list[Offer]:
        raise Forbidden("ensoscripts.enso.dev is forbidden")

    monkeypatch.setattr(cluster_offers, "scripts_in", refused)
    objects.beside("ensojobtemplates").create(template(SAY, GONE))
    for page in await pages(cluster):
        assert "sya" in page
        assert "It would fail now" not in page
