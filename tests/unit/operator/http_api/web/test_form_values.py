"""Values go through a form unharmed: what nobody touched stays, and what is chosen is meant."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from enso_operator.http_api.auth.forms import FIELD
from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.http_api.web.views.fields import fields_of
from enso_operator.manifests.template_folder import TemplateFolder
from job_execution_framework.domain.parameters import Parameter, Parameters, Type
from job_execution_framework.service_layer.library import ScriptLibrary
from tests.support.api import Api, Served
from tests.support.html_form import HtmlForm
from tests.support.templates import template
from tests.unit.operator.http_api.web.test_actions import Browser

pytestmark = pytest.mark.anyio
HOLD = """
from typing import Annotated
def main(key: Annotated[str, {"secret": True}]):
    raise SystemExit(3)
"""
ODD = {
    "bidi": "a\u202eb",
    "windows": "x\r\ny",
    "lone": "x\ry",
    "escape": "\x1b[31m",
    "separator": "a\u2028b",
    "indented": "\n  x\n",
    "listed": ["a\u202eb", "\x7f", "é"],
    "object": {"k\u2066": "x\r\ny"},
    "number": "2",
    "plain": " x ",
}


async def failed(api: Api, script: str = "leave_with", **args: object) -> str:
    jobid = await api.add([script, args])
    await api.execute(jobid)
    await api.ended(jobid)
    return jobid


@pytest.fixture(name="api")
async def _api(served: Served, tmp_path: Path) -> AsyncIterator[Api]:
    parameters: list[dict[str, Any]] = [
        {"name": "digit", "enum": ["1", "2", 1, ""], "default": "2"},
        {"name": "frame", "enum": ["a", "b"], "type": "string", "nullable": True, "default": "a"},
        {"name": "note", "type": "string", "nullable": True, "default": "-"},
        {"name": "any", "default": 0},
        {"name": "amount", "type": "integer", "default": 1},
    ]
    args = {name: f"$(params.{name})" for name in ("digit", "frame", "note", "any", "amount")}
    script = {"name": "say", "scriptRef": {"name": "take"}, "args": args}
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "publish.json").write_text(json.dumps(template(script, parameters=parameters)))
    (tmp_path / "take.py").write_text("def main(**kwargs):\n    pass\n")
    (tmp_path / "leave_with.py").write_text("def main(**kwargs):\n    raise SystemExit(3)\n")
    (tmp_path / "hold.py").write_text(HOLD)
    scripts = ScriptLibrary([tmp_path])
    async with EmbeddedJobs(scripts, templates=TemplateFolder(folder)) as jobs:
        yield await served.over(jobs)


@pytest.mark.parametrize("name", ODD)
async def test_what_nobody_touched_in_the_form_of_a_resume_stays_as_it_was(
    api: Api, name: str
) -> None:
    jobid = await failed(api, value=ODD[name])
    address = f"/jobs/{jobid}/resume"
    browser = Browser(api)
    sent = HtmlForm(await browser.page(address)).fields()
    preview = await browser.send(address, *without_token(sent), ("do", "preview"))
    assert preview.status_code == 200
    assert "Changes:" not in preview.text
    sent = HtmlForm(preview.text).fields()
    assert (await browser.send(address, *without_token(sent))).status_code == 303
    job = await api.becomes(jobid, "Failed")
    assert job["scripts"][0]["parameters"] == {"value": ODD[name]}


async def started(api: Api, **entered: str) -> dict[str, Any]:
    """Start a run in its form, of which only these fields were touched; return its arguments."""
    browser, address = Browser(api), "/templates/publish"
    form = HtmlForm(await browser.page(address))
    fields = {f"param:{name}": text for name, text in entered.items()}
    answer = await browser.send(address, *without_token(form.fields(**fields)))
    assert answer.status_code == 303, unescape(answer.text)
    job = await api.ended(answer.headers["location"].removeprefix("/jobs/"))
    assert job["state"] == "Succeeded"
    args: dict[str, Any] = job["scripts"][0]["parameters"]
    return args


@pytest.mark.parametrize(
    ("label", "value"), [('"1"', "1"), ("1", 1), ('"2" (default)', "2"), ('""', "")]
)
async def test_a_choice_is_the_value_that_was_chosen(api: Api, label: str, value: object) -> None:
    form = HtmlForm(await Browser(api).page("/templates/publish"))
    args = await started(api, digit=form.options["param:digit"][label])
    assert repr(args["digit"]) == repr(value)


async def test_null_can_be_chosen_and_written(api: Api) -> None:
    form = HtmlForm(await Browser(api).page("/templates/publish"))
    choices = form.options["param:frame"]
    assert [*choices] == ["a (default)", "b", "null"]
    args = await started(api, frame=choices["null"], note="null")
    assert (args["frame"], args["note"]) == (None, None)
    args = await started(api, frame=choices["b"], note='"null"')
    assert (args["frame"], args["note"]) == ("b", "null")


@pytest.mark.parametrize(
    "text",
    ["NaN", "-Infinity", "1e999"],
)
async def test_what_is_no_json_for_the_api_is_a_text(api: Api, text: str) -> None:
    args = await started(api, any=text)
    assert args["any"] == text


async def test_a_choice_that_was_made_is_still_made_where_the_form_is_refused(api: Api) -> None:
    browser, address = Browser(api), "/templates/publish"
    form = HtmlForm(await browser.page(address))
    sent = form.fields(**{"param:digit": '""', "param:frame": "null", "param:amount": "NaN"})
    answer = await browser.send(address, *without_token(sent))
    assert (answer.status_code, "This must be an integer." in answer.text) == (422, True)
    again = HtmlForm(answer.text).values
    assert (again["param:digit"], again["param:frame"]) == ('""', "null")


async def test_a_secret_that_a_page_does_not_keep_must_be_written_again(api: Api) -> None:
    jobid = await failed(api, "hold", key="hunter2")
    browser, address = Browser(api), f"/jobs/{jobid}/resume"
    page = await browser.page(address)
    assert "write it again" not in page
    sent = HtmlForm(page).fields(**{"arg:hold:key": "hunter3"})
    preview = await browser.send(address, *without_token(sent), ("do", "preview"))
    assert preview.status_code == 200
    assert "hunter" not in preview.text
    assert "write it again" in preview.text
    assert HtmlForm(preview.text).required == {"arg:hold:key"}


def test_a_text_that_stood_as_json_may_be_written_anew_as_json_or_plainly() -> None:
    takes = Parameters((Parameter("v", Type.STRING),))
    (field,) = fields_of("", takes, {"v": "a\u202eb"})
    assert field.text == r'"a\u202eb"'
    assert field.filled({"v": r'"a\u202ec"'}).value == "a\u202ec"
    assert field.filled({"v": "plain"}).value == "plain"
    assert field.filled({"v": "12"}).value == "12"
    (plain,) = fields_of("", takes, {"v": "a"})
    assert plain.filled({"v": '"b"'}).value == '"b"'


def test_a_number_of_more_digits_than_python_reads_is_a_text() -> None:
    (field,) = fields_of("", Parameters((Parameter("v"),)), {})
    assert field.filled({"v": "9" * 5000}).value == "9" * 5000


def test_a_number_that_was_given_as_a_text_can_be_mended() -> None:
    (field,) = fields_of("", Parameters((Parameter("n", Type.INTEGER),)), {"n": "2"})
    assert not field.is_changed
    mended = field.filled({"n": "2"})
    assert (mended.is_changed, mended.value) == (True, 2)


def without_token(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in fields if name != FIELD]
