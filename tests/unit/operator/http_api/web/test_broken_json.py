"""What a field of any type takes: JSON or a text, and no JSON that somebody has miswritten."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.http_api.web.views.field_text import as_any, from_json
from enso_operator.manifests.template_folder import TemplateFolder
from tests.support.api import Api, Served
from tests.support.templates import template
from tests.unit.operator.http_api.web.test_actions import Browser

pytestmark = pytest.mark.anyio
BROKEN = ["[1,", '{"a": 1', '"a', " [1, 2", "[1e999]", r'"\ud800"', '{"a": 1, "a": 2}']
WHY = "This begins as JSON does, but is none: "


@pytest.fixture(name="api")
async def _api(served: Served, tmp_path: Path) -> AsyncIterator[Api]:
    args = {"a": "$(params.any)", "b": "$(params.count)"}
    script = {"name": "refuse", "scriptRef": {"name": "refuse"}, "args": args}
    parameters = [
        {"name": "any", "default": 0},
        {"name": "count", "type": "integer", "nullable": True, "default": 1},
    ]
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "publish.json").write_text(json.dumps(template(script, parameters=parameters)))
    async with EmbeddedJobs(served.library, templates=TemplateFolder(folder)) as jobs:
        yield await served.over(jobs)


@pytest.mark.parametrize("text", BROKEN)
async def test_a_run_is_not_started_with_json_that_is_none(api: Api, text: str) -> None:
    answer = await Browser(api).send("/templates/publish", ("param:any", text))
    assert (answer.status_code, WHY in unescape(answer.text)) == (422, True)
    assert await api.jobs() == {}


@pytest.mark.parametrize(("text", "value"), [("a [1,", "a [1,"), ('"[1,"', "[1,"), ("[1]", [1])])
async def test_what_is_json_or_a_text_is_taken(api: Api, text: str, value: object) -> None:
    answer = await Browser(api).send("/templates/publish", ("param:any", text))
    assert answer.status_code == 303
    job = await api.job(answer.headers["location"].removeprefix("/jobs/"))
    assert job["scripts"][0]["parameters"]["a"] == value


@pytest.mark.parametrize("text", BROKEN)
async def test_a_resume_says_so_too(api: Api, text: str) -> None:
    jobid = await api.add(["refuse", {"a": 1}])
    await api.execute(jobid)
    await api.ended(jobid)
    entered = (("arg:refuse:a", text), ("do", "resume"))
    answer = await Browser(api).send(f"/jobs/{jobid}/resume", *entered)
    assert (answer.status_code, WHY in unescape(answer.text)) == (409, True)
    assert (await api.job(jobid))["state"] == "Failed"


@pytest.mark.parametrize("text", [*BROKEN, "a", "1", "[1]"])
def test_a_text_stands_so_that_it_is_read_as_itself(text: str) -> None:
    assert from_json(as_any(text)) == text


LARGE = 10**30


async def test_an_integer_has_at_most_64_bits(api: Api) -> None:
    answer = await Browser(api).send("/templates/publish", ("param:count", str(LARGE)))
    assert answer.status_code == 422
    assert "This must be an integer, or null, of at most 64 bits." in unescape(answer.text)
    answer = await api.post("/add-job", {"instructions": [["say", {"text": [LARGE]}]]})
    why = "instructions[0][1]: holds an integer of more than 64 bits: write it as a text"
    assert (answer.status_code, answer.json()["error"]) == (422, why)
    largest = await api.add(["say", {"text": 2**63 - 1}])
    assert largest in await api.jobs()
