"""A resume that skips: what its form promises, and how the job then stands."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from enso_operator.http_api.memory_backend import EmbeddedJobs
from job_execution_framework.service_layer.library import ScriptLibrary
from tests.support.api import Api, Served
from tests.support.html_form import HtmlForm
from tests.unit.operator.http_api.web.test_actions import Browser
from tests.unit.operator.http_api.web.test_form_values import without_token

pytestmark = pytest.mark.anyio


@pytest.fixture(name="api")
async def _api(served: Served, tmp_path: Path) -> AsyncIterator[Api]:
    (tmp_path / "bake.py").write_text("def main(scale: float = 1.5):\n    raise SystemExit(3)\n")
    async with EmbeddedJobs(ScriptLibrary([tmp_path])) as jobs:
        yield await served.over(jobs)


async def failed(api: Api, scripts: int) -> str:
    jobid = await api.add(*[("bake", dict[str, object]())] * scripts)
    await api.execute(jobid)
    await api.ended(jobid)
    return jobid


async def test_what_somebody_skips_in_the_form_is_said_to_them(api: Api) -> None:
    jobid = await failed(api, 2)
    browser, address = Browser(api), f"/jobs/{jobid}/resume"
    form = HtmlForm(await browser.page(address))
    fields = [*without_token(form.fields(**{"arg:bake:scale": "2"})), ("skip", "bake")]
    page = unescape((await browser.send(address, *fields, ("do", "preview"))).text)
    assert "as you ask" in page
    assert re.search(r"Changes: scale of bake: .+ → .+ \(it does not run now\)", page)
    assert "Nothing is left to run" not in page


async def test_of_a_job_whose_only_script_is_skipped_nothing_is_left_to_run(api: Api) -> None:
    jobid = await failed(api, 1)
    browser, address = Browser(api), f"/jobs/{jobid}/resume"
    page = await browser.page(address)
    assert "Nothing is left to run" not in page
    fields = [*without_token(HtmlForm(page).fields()), ("skip", "bake")]
    page = (await browser.send(address, *fields, ("do", "preview"))).text
    assert "Nothing is left to run: the job then succeeds at once." in page
    await browser.send(address, *fields)
    await api.becomes(jobid, "Succeeded")
    page = await browser.page(f"/jobs/{jobid}")
    assert "its only script was skipped" in page
    assert "scripts done" not in page
