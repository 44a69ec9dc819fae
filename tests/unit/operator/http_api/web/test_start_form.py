"""A run of a template, started from a form with its parameters."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.manifests.template_folder import TemplateFolder
from tests.support.api import Api, Served
from tests.support.html_form import HtmlForm
from tests.support.templates import template
from tests.unit.operator.http_api.web.test_actions import Browser

pytestmark = pytest.mark.anyio
SCRIPT = {
    "name": "say",
    "scriptRef": {"name": "say"},
    "args": {"text": "$(params.shot) $(params.frames) $(params.dry)"},
}
DRY = {"name": "dry", "type": "boolean", "default": False, "description": "Write <nothing>."}
SHOT = {"name": "shot", "type": "string", "required": True, "pattern": "[0-9]{3}"}
FRAMES = {"name": "frames", "type": "integer", "default": 24, "minimum": 1}


@pytest.fixture(name="api")
async def _api(served: Served, tmp_path: Path) -> AsyncIterator[Api]:
    folder = tmp_path / "templates"
    folder.mkdir()
    document = template(SCRIPT, parameters=[SHOT, FRAMES, DRY])
    (folder / "publish.json").write_text(json.dumps(document))
    async with EmbeddedJobs(served.library, templates=TemplateFolder(folder)) as jobs:
        yield await served.over(jobs)


async def test_a_form_has_what_the_template_takes(api: Api) -> None:
    browser = Browser(api)
    assert '<a href="/templates/publish">publish</a>' in await browser.page("/templates")
    form = await browser.page("/templates/publish")
    assert 'name="param:shot"' in form
    assert HtmlForm(form).values["param:frames"] == "24"
    assert "an integer of at least 1 · default 24, also where it is empty" in form
    assert "Write &lt;nothing&gt;." in form
    assert HtmlForm(form).options["param:dry"] == {"true": "true", "false (default)": "false"}
    assert HtmlForm(form).values["param:dry"] == "false"


async def test_a_run_starts_with_the_values_of_the_form(api: Api) -> None:
    values = (("param:shot", "010"), ("param:frames", "48"), ("param:dry", "true"))
    answer = await Browser(api).send("/templates/publish", *values)
    assert answer.status_code == 303
    jobid = answer.headers["location"].removeprefix("/jobs/")
    job = await api.ended(jobid)
    assert job["state"] == "Succeeded"
    assert job["scripts"][0]["parameters"] == {"text": "010 48 true"}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([], "This is required: a string that matches [0-9]{3}"),
        ([("param:shot", "abc")], "[0-9]{3}"),
        (
            [("param:shot", "010"), ("param:frames", "many")],
            "This must be an integer of at least 1",
        ),
        ([("param:shot", "010"), ("param:frames", "0")], "at least 1"),
    ],
)
async def test_values_that_make_no_run_are_kept_and_refused(
    api: Api, values: list[tuple[str, str]], why: str
) -> None:
    answer = await Browser(api).send("/templates/publish", *values)
    assert answer.status_code == 422
    assert why in unescape(answer.text)
    for _, value in values:
        assert f'value="{value}"' in answer.text
    assert await api.jobs() == {}


async def test_what_scripts_refuse_stands_on_top_each_in_a_line_of_its_own(
    served: Served, tmp_path: Path
) -> None:
    script = {"scriptRef": {"name": "typed"}, "args": {"frames": "$(params.frames)"}}
    scripts = [script | {"name": name} for name in ("a", "b")]
    document = template(*scripts, parameters=[{"name": "frames"}])
    (tmp_path / "publish.json").write_text(json.dumps(document))
    folder = TemplateFolder(tmp_path)
    async with EmbeddedJobs(served.library, templates=folder) as jobs:
        browser = Browser(await served.over(jobs))
        answer = await browser.send("/templates/publish", ("param:frames", "many"))
    top = unescape(answer.text).partition('role="alert"')[2].partition("</div>")[0]
    for name in ("a", "b"):
        assert f"<p class=\"wrong\">script '{name}': argument 'frames' is \"many\"" in top
    assert HtmlForm(answer.text).values["param:frames"] == "many"
