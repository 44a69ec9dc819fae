"""The page of a job, over jobs that really run."""

from __future__ import annotations

import pytest

from tests.support.api import Api

pytestmark = pytest.mark.anyio
BROWSER = "text/html,*/*;q=0.8"


async def test_a_failed_job_says_what_failed_with_what_and_why(api: Api) -> None:
    jobid = await api.add(["say", {"text": "grüße"}], ["simulate", {"substeps": 2}])
    await api.execute(jobid)
    await api.ended(jobid)
    page = (await api.get(f"/jobs/{jobid}", accept=BROWSER)).text
    for text in (
        'href="#script-simulate">simulate</a> failed',
        "<b>ValueError</b>: 2 substeps are too few",
        "line 4 in main",
        "<dt>substeps</dt>",
        "A resume runs",
        "main-1",
    ):
        assert text in page
    assert page.index('id="part-failure"') < page.index('id="script-say"')


async def test_a_job_that_is_not_there_is_a_page_too(api: Api) -> None:
    answer = await api.get("/jobs/nobody", accept="*/*")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "there is no job &#39;nobody&#39;" in answer.text


async def test_a_waiting_job_shows_its_scripts(api: Api) -> None:
    jobid = await api.add(["say", {}], ["fail", {"frames": 1}])
    page = (await api.get(f"/jobs/{jobid}")).text
    assert page.count("Not started") == 2
    assert "Waiting" in page


async def test_what_scripts_are_given_and_write_stays_text(api: Api) -> None:
    evil = '"><script>alert(1)</script>\x1b[31m\u202egnp'
    jobid = await api.add(["say", {"text": evil}], ["needs", {"path": evil}])
    await api.execute(jobid)
    await api.ended(jobid)
    page = (await api.get(f"/jobs/{jobid}")).text
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "\\x1b[31m" in page


async def test_output_that_is_no_unicode_is_shown_escaped(api: Api) -> None:
    jobid = await api.add(["say", {"text": "\\ud800"}], ["odd_output", {}])
    await api.execute(jobid)
    await api.ended(jobid)
    assert (await api.get(f"/jobs/{jobid}")).status_code == 200
