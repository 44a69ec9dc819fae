"""The form of a resume: what people look for comes first, and what is refused stays as it was."""

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
BAKE = """
def main(frames: list, note: str = "a note", scale: float = 1.5, comment: str | None = None):
    raise SystemExit(3)
"""


@pytest.fixture(name="api")
async def _api(served: Served, tmp_path: Path) -> AsyncIterator[Api]:
    (tmp_path / "say.py").write_text("def main(text=''):\n    print(text)\n")
    (tmp_path / "bake.py").write_text(BAKE)
    async with EmbeddedJobs(ScriptLibrary([tmp_path])) as jobs:
        yield await served.over(jobs)


async def failed(api: Api, before: int = 0, after: int = 1, **args: object) -> str:
    say = ("say", {"text": "hello"})
    bake = ("bake", {"frames": [1], **args})
    jobid = await api.add(*[say] * before, bake, *[say] * after)
    await api.execute(jobid)
    await api.ended(jobid)
    return jobid


async def sent(api: Api, jobid: str, do: str = "resume", **entered: str) -> tuple[int, str]:
    """Send the form in which only these fields were touched; return the answer."""
    browser, address = Browser(api), f"/jobs/{jobid}/resume"
    form = HtmlForm(await browser.page(address))
    fields = form.fields(**{f"arg:bake:{name}": text for name, text in entered.items()})
    answer = await browser.send(address, *without_token(fields), ("do", do))
    return answer.status_code, unescape(answer.text)


def plan(page: str) -> list[tuple[str, ...]]:
    part = page.partition("What will run, and what is kept")[2].partition("<tbody>")[2]
    cells = re.findall(r"<tr.*?</tr>", part.partition("</tbody>")[0])
    return [tuple(re.findall(r">([^<]+)</t[dh]>", row)) for row in cells]


def scripts(page: str) -> list[tuple[str, bool]]:
    """Return the scripts of the form in their order, each with whether it is open."""
    found = re.findall(r'<details class="of-script"( open)?>\s*<summary>([^ <]+)', page)
    return [(name, bool(is_open)) for is_open, name in found]


def about(page: str, id_: str) -> str:
    """Return what stands beside a field that is marked as wrong; "" where it is not."""
    field = re.search(rf'id="{re.escape(id_)}"[^>]*', page)
    assert field
    if 'aria-invalid="true"' not in field[0]:
        return ""
    described = re.search(r'aria-describedby="([^ "]+)', field[0])
    assert described
    said = re.search(rf'id="{re.escape(described[1])}">([^<]+)<', page)
    assert said
    return said[1]


async def test_what_failed_comes_first_and_is_open_and_many_others_are_folded(api: Api) -> None:
    page = await Browser(api).page(f"/jobs/{await failed(api, before=1, after=8)}/resume")
    first, *others = scripts(page)
    assert first == ("bake", True)
    assert "ExitCode: 3" in page.partition('class="of-script" open')[2].partition("<input")[0]
    assert len(others) == 9
    assert not any(is_open for _, is_open in others)
    assert "<summary>9 other scripts run: their arguments</summary>" in page
    assert '<a href="#to-come">Plan: 9 scripts run, 1 runs again</a>' in page


async def test_scripts_to_skip_are_ticked(api: Api) -> None:
    jobid = await failed(api, after=2)
    browser, address = Browser(api), f"/jobs/{jobid}/resume"
    page = await browser.page(address)
    names = re.findall(r'type="checkbox" name="skip" value="([^"]+)"', page)
    assert names == ["bake", "say", "say-2"]
    ticked = [("skip", "bake"), ("skip", "say-2"), ("do", "preview")]
    answer = await browser.send(address, *ticked)
    fates = {row[0]: row[1] for row in plan(answer.text)}
    assert fates == {"bake": "skipped", "say": "runs", "say-2": "skipped"}
    assert re.findall(r'value="([^"]+)" checked', answer.text) == ["bake", "say-2"]
    assert "2 of 3 scripts" in answer.text


async def test_what_is_refused_stays_as_it_was_and_is_said_beside_its_field(api: Api) -> None:
    jobid = await failed(api, before=1, after=8)
    untouched = await Browser(api).page(f"/jobs/{jobid}/resume")
    status, page = await sent(api, jobid, frames="[1, 2", scale="big", note="x" * 60)
    assert status == 409
    assert about(page, "arg:bake:frames") == (
        "This must be a list, as JSON: expecting ',' delimiter at column 6."
    )
    assert about(page, "arg:bake:scale") == "This must be a number."
    assert about(page, "arg:bake:note") == ""
    assert '<a href="#arg%3Abake%3Aframes">frames of bake</a>' in page
    values = HtmlForm(page).values
    assert (values["arg:bake:frames"], values["arg:bake:scale"]) == ("[1, 2", "big")
    assert (scripts(page), plan(page)) == (scripts(untouched), plan(untouched))
    assert "args." not in page
    assert (await api.jobs())[jobid] == "Failed"


@pytest.mark.parametrize("do", ["preview", "resume"])
async def test_what_the_job_refuses_is_said_beside_what_is_to_blame(api: Api, do: str) -> None:
    jobid = await failed(api, before=1)
    browser, address = Browser(api), f"/jobs/{jobid}/resume"
    untouched = plan(await browser.page(address))

    answer = await browser.send(address, ("from", "say-2"), ("do", do))
    assert answer.status_code == (409 if do == "resume" else 200)
    page = unescape(answer.text)
    assert about(page, "from").startswith("It cannot go on at 'say-2', because 'bake' before it")
    assert plan(page) == untouched

    answer = await browser.send(address, ("why", "x" * 300), ("do", do))
    assert "256" in about(unescape(answer.text), "why")
    assert plan(answer.text) == untouched

    answer = await browser.send(address, ("skip", "say"), ("skip", "bake"), ("do", do))
    assert "It cannot skip 'say', which is done already." in unescape(answer.text)
    assert 'aria-describedby="wrong:skip"' in answer.text


async def test_what_is_about_no_field_stands_on_top(api: Api) -> None:
    jobid = await failed(api)
    answer = await Browser(api).send(f"/jobs/{jobid}/cancel")
    assert answer.status_code == 409
    jobid = await api.add(("say", {}))
    page = await Browser(api).page(f"/jobs/{jobid}/resume")
    top = page.partition('role="alert"')[2].partition("</div>")[0]
    assert "only a job that has ended, or was paused, can be resumed" in top
    assert "aria-invalid" not in page


async def test_an_untouched_default_is_no_change_and_an_emptied_text_is_empty(api: Api) -> None:
    jobid = await failed(api)
    form = HtmlForm(await Browser(api).page(f"/jobs/{jobid}/resume")).values
    assert (form["arg:bake:note"], form["arg:bake:scale"]) == ("a note", "1.5")
    _, page = await sent(api, jobid, "preview")
    assert "Changes:" not in page
    _, page = await sent(api, jobid, "preview", scale="")
    assert "Changes:" not in page
    _, page = await sent(api, jobid, "preview", note="")
    assert "Changes: note of bake" in page
    await sent(api, jobid, note="")
    job = await api.ended(jobid)
    assert job["scripts"][0]["parameters"] == {"frames": [1], "note": ""}


async def test_what_is_required_must_be_given(api: Api) -> None:
    status, page = await sent(api, await failed(api), frames="")
    assert status == 409
    assert about(page, "arg:bake:frames") == "This is required: a list."


async def test_a_text_whose_default_is_null_is_taken_away_by_emptying_it(api: Api) -> None:
    jobid = await failed(api, comment="odd")
    _, page = await sent(api, jobid, "preview", comment="")
    assert "Changes: comment of bake" in page
    assert 'default null, also where it is empty · "": an empty text' in page
    await sent(api, jobid, comment="")
    job = await api.ended(jobid)
    assert job["scripts"][0]["parameters"] == {"frames": [1]}


async def test_a_long_value_has_several_lines(api: Api) -> None:
    jobid = await failed(api, note="x" * 400, comment="short")
    page = await Browser(api).page(f"/jobs/{jobid}/resume")
    assert re.search(r'<textarea id="arg:bake:note"[^>]* rows="9"', page)
    assert re.search(r'<input id="arg:bake:comment"', page)
