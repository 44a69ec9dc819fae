"""The page with the manifest of a job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from enso_operator.api.ensoaction import ResumeSpec
from enso_operator.http_api.definitions import LAST_APPLIED, Manifests, manifests_of
from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.http_api.web.views.manifest import manifest_page
from enso_operator.manifests.changes import with_changes
from enso_operator.manifests.defaults import without_defaults
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.template_folder import TemplateFolder
from enso_operator.manifests.to_domain import job_definition
from tests.support.api import Api, Served
from tests.support.templates import SHOT, template

pytestmark = pytest.mark.anyio
EXAMPLES = sorted((Path(__file__).parents[5] / "examples").rglob("*.yaml"))
SAY: list[tuple[str, dict[str, Any]]] = [("say", {})]
APPLIED: dict[str, Any] = {
    "apiVersion": "enso.dev/v1alpha1",
    "kind": "EnsoJob",
    "metadata": {
        "name": "shot",
        "labels": {"show": "heron"},
        "annotations": {LAST_APPLIED: "{}", "studio/ticket": "41"},
        "managedFields": [{"manager": "kubectl"}],
        "resourceVersion": "7",
    },
    "spec": {
        "sessions": [{"name": "main", "image": "houdini:21"}],
        "scripts": [
            {"name": "simulate", "source": "x = 1", "args": {"substeps": 2}},
            {"name": "save", "source": "x = 1"},
        ],
    },
    "status": {"done": "0/2"},
}


def test_what_resumes_have_changed_is_in_the_present_manifest() -> None:
    before = job_definition(parse_ensojob(APPLIED))
    change = ResumeSpec.model_validate({"scripts": [{"name": "simulate", "args": {"substeps": 4}}]})
    manifests = manifests_of(APPLIED, APPLIED, before, with_changes(APPLIED, change))
    assert manifests.applied is not None
    assert manifests.applied["metadata"] == {
        "name": "shot",
        "labels": {"show": "heron"},
        "annotations": {"studio/ticket": "41"},
    }
    assert manifests.applied["spec"] == APPLIED["spec"]
    assert "status" not in manifests.present
    assert manifests.present["spec"]["scripts"][0]["args"] == {"substeps": 4}
    assert manifests.present["spec"]["sessions"][0]["image"] == "houdini:21"

    page = manifest_page("shot", "/jobs/shot", manifests)
    marked = [line.text.strip() for line in page.present if line.is_marked]
    assert "substeps: 4" in marked
    assert "image: houdini:21" not in marked
    assert "substeps: 2" in [line.text.strip() for line in page.applied if line.is_marked]


def test_a_job_that_nobody_changed_has_one_manifest() -> None:
    before = job_definition(parse_ensojob(APPLIED))
    manifests = manifests_of(APPLIED, APPLIED, before, before)
    assert manifests.applied is None
    page = manifest_page("shot", "/jobs/shot", manifests)
    assert page.applied == ()
    assert not any(line.is_marked for line in page.present)


def test_a_run_of_a_template_shows_what_the_template_gives() -> None:
    run = {**APPLIED, "spec": {"templateRef": {"name": "publish"}}}
    before = job_definition(parse_ensojob(APPLIED))
    manifests = manifests_of(run, APPLIED, before, before)
    assert manifests.applied is not None
    assert manifests.applied["spec"] == {"templateRef": {"name": "publish"}}
    assert manifests.present["spec"] == APPLIED["spec"]


def test_texts_of_any_script_are_shown() -> None:
    page = manifest_page("a", "/jobs/a", Manifests({"spec": {"text": "速度\n\x1b[31m"}}))
    assert page.present[0].text == "spec:"
    assert "速度" in page.present[1].text


async def test_a_job_in_memory_shows_how_it_is_defined_after_a_resume(api: Api) -> None:
    jobid = await api.add(["simulate", {"substeps": 2}])
    await api.execute(jobid)
    await api.ended(jobid)
    await api.act("/resume-job", jobid, scripts=[{"name": "simulate", "args": {"substeps": 4}}])
    await api.ended(jobid)
    page = (await api.get(f"/jobs/{jobid}/manifest")).text
    assert "substeps: 4" in page
    assert f'href="/jobs/{jobid}"' in page
    assert f'href="/jobs/{jobid}/manifest"' in (await api.get(f"/jobs/{jobid}")).text
    assert "limit: 0" not in page
    assert "retries:" not in page
    assert "session:" not in page


async def test_a_run_in_memory_names_its_template_and_its_parameters(
    served: Served, tmp_path: Path
) -> None:
    script = {"name": "say", "scriptRef": {"name": "say"}, "args": {"text": "$(params.shot)"}}
    document = template(script, parameters=[SHOT])
    document["metadata"]["labels"] = {"show": "heron"}
    (tmp_path / "publish.json").write_text(json.dumps(document))
    async with EmbeddedJobs(served.library, templates=TemplateFolder(tmp_path)) as jobs:
        run = await jobs.add_run("publish", {"shot": "010"})
        manifests, other = await jobs.manifests(run), await jobs.manifests(await jobs.add(SAY))
    assert manifests.applied is not None
    assert manifests.applied["spec"] == {
        "templateRef": {"name": "publish"},
        "params": {"shot": "010"},
    }
    assert manifests.present["metadata"] == {"name": run, "labels": {"show": "heron"}}
    assert manifests.present["spec"]["scripts"][0]["args"] == {"text": "010"}
    assert other.applied is None


def test_defaults_are_left_out_and_what_is_not_known_stays() -> None:
    script = {
        "name": "simulate",
        "source": "x = 1",
        "session": "main",
        "args": {"limit": 0, "session": "main", "none": None},
        "retries": {"limit": 0, "backoffSeconds": 0},
        "later": {"limit": 0},
    }
    kept = {key: value for key, value in script.items() if key != "retries"}
    document = {**APPLIED, "spec": {"suspend": False, "scripts": [script]}}
    assert without_defaults(document)["spec"] == {"scripts": [kept]}
    twice = {**script, "retries": {"limit": 2, "backoffSeconds": 0}}
    (shown,) = without_defaults({**APPLIED, "spec": {"scripts": [twice]}})["spec"]["scripts"]
    assert shown["retries"] == {"limit": 2}
    assert without_defaults({"spec": {"scripts": 1}}) == {"spec": {"scripts": 1}}


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_a_manifest_without_its_defaults_means_the_same(file: Path) -> None:
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        if document and document.get("kind") == "EnsoJob" and "scripts" in document["spec"]:
            full = parse_ensojob(document).model_dump(by_alias=True, mode="json", exclude_none=True)
            terse = without_defaults(full)
            assert parse_ensojob(terse) == parse_ensojob(document)
            assert len(str(terse)) <= len(str(full))
