"""Long arguments and outputs: some at once, and a way to all of them."""

from __future__ import annotations

import html
import json
import re

import pytest

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.job_page import JobPage, job_page
from enso_operator.http_api.web.views.values import Whole, named, one, uncut
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.script import LibraryScript, Script
from job_execution_framework.domain.secret import Secret, shown
from tests.support.api import Api
from tests.support.job_story import Story

pytestmark = pytest.mark.anyio
LARGE = 900 * 1024
"""Characters of an argument; a body has 1 MiB."""


def _script(**args: object) -> Script:
    return Script("simulate", LibraryScript("simulate"), args)


def _links(page: str) -> dict[str, str]:
    """Return the addresses of the page by the texts of their links."""
    found = re.findall(r'<a[^>]* href="([^"]*)"[^>]*>([^<]*)</a>', page)
    return {html.unescape(text): html.unescape(address) for address, text in found}


def test_what_is_cut_says_how_long_the_whole_is() -> None:
    script = _script(expression="x" * 5000, points=[[0.5] * 3] * 500, frames=240, short="y" * 256)
    values = {value.name: value for value in named(shown(script.parameters), script)}

    assert values["expression"].whole == Whole("all 5,000 characters", {"argument": "expression"})
    assert values["expression"].text == "x" * 256 + "…"
    points = values["points"]
    assert points.whole == Whole("all 8,500 characters", {"argument": "points"})
    assert points.text == json.dumps([[0.5] * 3] * 500)[:256] + "…"
    assert values["frames"].whole is None
    assert values["short"].whole is None


def test_a_text_that_only_looks_cut_is_whole() -> None:
    script = _script(note="x" * 200 + "… (5000 characters)")
    (note,) = named(shown(script.parameters), script)
    assert (note.text, note.whole) == (script.parameters["note"], None)


def test_what_a_resume_has_changed_since_has_no_whole() -> None:
    before, now = _script(expression="x" * 5000), _script(expression="y" * 5000)
    (value,) = named(shown(before.parameters), now)
    assert value.whole is None
    assert value.text == "x" * 256 + "… (5000 characters)"


def test_of_many_arguments_the_rest_is_a_link() -> None:
    script = _script(**{f"argument_{number}": number for number in range(100)})
    *_, last = named(shown(script.parameters), script)
    assert (last.name, last.text, last.whole) == ("…", "68 more", Whole("all arguments"))


@pytest.mark.parametrize("text", ["one line " * 400, "a line\n" * 50])
def test_the_rest_of_a_long_output_is_folded_and_none_of_it_is_lost(text: str) -> None:
    value = one(text)
    assert value.rest
    assert len(value.text) <= 400
    assert value.text.count("\n") <= 10
    assert value.text + value.rest == text


def test_a_little_more_is_not_folded() -> None:
    assert one("x" * 420).rest == ""


def test_secrets_stay_hidden_in_the_whole() -> None:
    value = {"login": [Secret("hunter2"), {"of": OutputOf("cook", "files")}]}
    assert uncut(value) == {"login": ["***", {"of": "<files of the output of cook>"}]}


async def test_a_large_argument_is_a_click_away_and_the_page_stays_small(api: Api) -> None:
    text = "旗 <b>\x1b[31m\u202e" + "x" * LARGE
    jobid = await api.add(["refuse", {"text": text, "a/b": ["y" * 300], "n": 1}])
    answer = await api.get(f"/jobs/{jobid}")
    assert len(answer.content) < 32 * 1024

    address = _links(answer.text)[f"all {len(text):,} characters"]
    whole = await api.get(address)
    assert whole.text == text
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert whole.headers["x-content-type-options"] == "nosniff"
    other = await api.get(_links(answer.text)["all 304 characters"])
    assert other.json() == ["y" * 300]
    every = await api.get(f"/jobs/{jobid}/scripts/refuse/arguments")
    assert json.loads(every.text) == {"text": text, "a/b": ["y" * 300], "n": 1}
    assert "\u202e" not in every.text


@pytest.mark.parametrize("path", ["say/arguments?argument=nothing", "nobody/arguments"])
async def test_an_argument_that_is_not_there_is_told(api: Api, path: str) -> None:
    jobid = await api.add(["say", {}])
    answer = await api.get(f"/jobs/{jobid}/scripts/{path}")
    assert answer.status_code == 404
    assert "no argument of this name" in answer.text or "has no script" in answer.text


async def test_a_failure_shows_the_first_few_of_many(api: Api) -> None:
    arguments = {f"argument_{number}": number for number in range(30)}
    jobid = await api.add(["refuse", arguments])
    await api.execute(jobid)
    await api.ended(jobid)
    page = (await api.get(f"/jobs/{jobid}")).text
    failure = page[page.index('id="part-failure"') : page.index('id="part-scripts"')]

    assert "and 25 more" in failure
    assert failure.index("argument_4<") < failure.index("and 25 more")
    assert failure.index("and 25 more") < failure.index("argument_5<")


def _page(story: Story) -> JobPage:
    job = story.job
    return job_page(JobSnapshot(job.id, str(job.state), failure_card(job), job), story.at)


def test_what_a_resume_runs_is_told_one_by_one() -> None:
    scripts = [Script(f"step-{number}", LibraryScript("say")) for number in range(100)]
    story = Story.of(*scripts)
    story.opens("main-1", *(script.name for script in scripts))
    story.fails("step-0", Cause("Timeout"))
    story.job_fails("step-0", Cause("Timeout"))
    failure = _page(story).failure
    assert failure is not None
    assert failure.runs == tuple(script.name for script in scripts)
