"""What people do to a job on its page: buttons, the form of a resume, and every refusal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from httpx2 import Response

from enso_operator.http_api.auth.forms import FIELD
from tests.support.api import Api, running
from tests.support.html_form import HtmlForm

pytestmark = pytest.mark.anyio
FORM = "application/x-www-form-urlencoded"


@dataclass
class Browser:
    """Opens pages, and sends their forms."""

    api: Api

    async def page(self, address: str) -> str:
        answer = await self.api.get(address, accept="text/html")
        assert answer.status_code == 200, answer.text
        return answer.text

    async def send(
        self, address: str, *fields: tuple[str, str], page: str = "/", **headers: str
    ) -> Response:
        """Send a form of a page, with the token that stands in it."""
        if page == "/":
            page = re.sub(r"/[a-z]+$", "", address) if address.startswith("/jobs/") else address
        token = re.search(rf'name="{FIELD}" value="([^"]+)"', await self.page(page))
        body = urlencode([*fields, *([(FIELD, token[1])] if token else [])])
        return await self.api.http.post(
            address, content=body, headers={"content-type": FORM, "accept": "text/html", **headers}
        )


@pytest.fixture
def browser(api: Api) -> Browser:
    return Browser(api)


def buttons(page: str) -> list[tuple[str, bool]]:
    """Return the labels of a job's actions, each with whether it is possible."""
    part = page.partition('id="part-actions"')[2].partition("</div>")[0]
    found = re.findall(r"<(?:button|a)([^>]*)>([^<]*)</(?:button|a)>", part)
    return [(unescape(label), "aria-disabled" not in attributes) for attributes, label in found]


async def failed(api: Api, *more: tuple[str, dict[str, object]]) -> str:
    scripts: Sequence[tuple[str, dict[str, object]]] = [("simulate", {"substeps": 2}), *more]
    jobid = await api.add(("say", {}), *scripts)
    await api.execute(jobid)
    await api.ended(jobid)
    return jobid


async def test_a_failed_job_is_mended_in_its_form_and_succeeds(api: Api, browser: Browser) -> None:
    jobid = await failed(api)
    page = await browser.page(f"/jobs/{jobid}")
    assert ("Resume…", True) in buttons(page)
    form = await browser.page(f"/jobs/{jobid}/resume")
    assert HtmlForm(form).values["arg:simulate:substeps"] == "2"
    entered = [("arg:simulate:substeps", "4"), ("why", "two were too few")]

    shown = await browser.send(f"/jobs/{jobid}/resume", *entered, ("do", "preview"))
    assert shown.status_code == 200
    assert "Changes: substeps of simulate" in shown.text
    assert 'value="4"' in shown.text
    assert (await api.jobs())[jobid] == "Failed"

    sent = await browser.send(f"/jobs/{jobid}/resume", *entered, ("do", "resume"))
    assert (sent.status_code, sent.headers["location"]) == (303, f"/jobs/{jobid}")
    job = await api.becomes(jobid, "Succeeded")
    assert job["scripts"][1]["parameters"] == {"substeps": 4}
    (resumed,) = [event for event in job["events"] if event["type"] == "JobResumed"]
    assert resumed["why"] == "two were too few"


@pytest.mark.parametrize(
    ("entered", "why"),
    [
        ([("from", "nope")], "nope"),
        ([("from", "simulate"), ("skip", "simulate")], "From is in skip, too"),
        ([("why", "x" * 300)], "256"),
        ([("arg:simulate:substeps", "")], "simulate"),
    ],
)
async def test_a_resume_that_is_not_possible_keeps_what_was_entered_and_says_why(
    api: Api, browser: Browser, entered: list[tuple[str, str]], why: str
) -> None:
    jobid = await failed(api)
    answer = await browser.send(f"/jobs/{jobid}/resume", *entered, ("do", "resume"))
    assert answer.status_code == 409
    assert why in unescape(answer.text)
    assert 'role="alert"' in answer.text
    assert (await api.jobs())[jobid] == "Failed"


async def test_what_is_not_possible_is_greyed_with_its_sentence(
    api: Api, browser: Browser, tmp_path: Path
) -> None:
    jobid = await failed(api)
    page = await browser.page(f"/jobs/{jobid}")
    assert buttons(page)[1:] == [("Pause", False), ("Cancel…", False)]
    assert "It is Failed: only a job that has not ended can be paused." in unescape(page)
    gate = tmp_path / "gate"
    runs = await running(api, gate)
    page = await browser.page(f"/jobs/{runs}")
    assert buttons(page) == [
        ("Resume…", False),
        ("Pause", True),
        ("Skip", True),
        ("Cancel…", True),
    ]
    assert "only a job that has ended, or was paused, can be resumed" in page
    gate.touch()


async def test_buttons_pause_skip_and_cancel(api: Api, browser: Browser, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    jobid = await running(api, gate)
    for verb, fields in (
        ("skip", [("script", "say-2"), ("why", "not needed")]),
        ("pause", [("after", "say")]),
        ("cancel", []),
    ):
        answer = await browser.send(f"/jobs/{jobid}/{verb}", *fields)
        assert (answer.status_code, answer.headers.get("location")) == (303, f"/jobs/{jobid}")
    job = await api.becomes(jobid, "Cancelled")
    asked = [
        event["type"]
        for event in job["events"]
        if "why" in event or event["type"].startswith("JobPaused")
    ]
    assert "SkipRequested" in asked
    assert "JobPaused" in [event["type"] for event in job["events"]]


async def test_a_pause_that_is_over_is_not_taken_back(api: Api, browser: Browser) -> None:
    jobid = await failed(api)
    answer = await browser.send(f"/jobs/{jobid}/unpause")
    assert answer.status_code == 409
    assert "is not paused any more" in answer.text
    assert (await api.jobs())[jobid] == "Failed"  # and was not resumed


async def test_a_cancel_has_a_page_that_asks_for_it(
    api: Api, browser: Browser, tmp_path: Path
) -> None:
    jobid = await running(api, tmp_path / "gate")
    address = f"/jobs/{jobid}/cancel"
    assert f'formaction="{address}"' not in await browser.page(f"/jobs/{jobid}")
    assert "It is asked to end" in await browser.page(address)
    assert (await browser.send(address, ("why", "a typo"), page=address)).status_code == 303
    job = await api.becomes(jobid, "Cancelled")
    assert [event["why"] for event in job["events"] if event["type"] == "JobCancelled"] == [
        "a typo"
    ]
    again = await api.get(address, accept="text/html")
    assert again.status_code == 409
    assert "<h1>There is nothing to cancel</h1>" in again.text
    assert "only a job that has not ended can be cancelled" in again.text
    assert f'<a href="/jobs/{jobid}">Back to {jobid}</a>' in again.text


async def test_a_job_that_waits_is_started_once(api: Api, browser: Browser) -> None:
    jobid = await api.add(("say", {}))
    page = await browser.page(f"/jobs/{jobid}")
    assert buttons(page)[0] == ("Start", True)
    assert (await browser.send(f"/jobs/{jobid}/start")).status_code == 303
    await api.becomes(jobid, "Succeeded")
    assert "Start" not in dict(buttons(await browser.page(f"/jobs/{jobid}")))
    again = await browser.send(f"/jobs/{jobid}/start")
    assert again.status_code == 409
    assert "was executed before" in again.text


@pytest.mark.parametrize(
    ("verb", "fields", "status", "why"),
    [
        ("pause", [], 409, "Failed"),
        ("retry", [], 409, "only a job that has not ended can retry"),
        ("cancel", [], 409, "Failed"),
        ("skip", [("script", "say")], 409, "Failed"),
        ("skip", [], 409, "script"),
        ("nope", [], 404, ""),
    ],
)
async def test_a_button_that_is_not_possible_any_more_says_why(
    api: Api, browser: Browser, verb: str, fields: list[tuple[str, str]], status: int, why: str
) -> None:
    jobid = await failed(api)
    answer = await browser.send(f"/jobs/{jobid}/{verb}", *fields)
    assert answer.status_code == status
    assert why in unescape(answer.text)
    assert answer.headers["content-type"].startswith("text/html")


async def test_no_form_does_anything_without_the_token_of_its_page(
    api: Api, browser: Browser
) -> None:
    jobid = await failed(api)
    for address in (f"/jobs/{jobid}/resume", f"/jobs/{jobid}/cancel", f"/jobs/{jobid}/start"):
        for body in ("", f"{FIELD}=guessed", f"{FIELD}="):
            answer = await api.http.post(address, content=body, headers={"content-type": FORM})
            assert answer.status_code == 403, address
        foreign = await browser.send(address, ("do", "resume"), origin="http://evil.example")
        assert foreign.status_code == 403
        as_json = await api.post(address, {"do": "resume"})
        assert as_json.status_code == 415
    assert (await api.jobs())[jobid] == "Failed"


async def test_a_job_that_is_not_there_is_said(browser: Browser, api: Api) -> None:
    jobid = await failed(api)
    there = f"/jobs/{jobid}"
    for address in ("/jobs/nope/resume", "/jobs/nope/cancel", "/jobs/nope/start"):
        answer = await browser.send(address, page=there)
        assert (answer.status_code, "nope" in answer.text) == (404, True)
    assert (await api.get("/jobs/nope/resume", accept="text/html")).status_code == 404


async def test_what_people_wrote_is_text_in_the_form(api: Api, browser: Browser) -> None:
    html = '"><script>alert(1)</script>'
    jobid = await failed(api, ("needs", {"path": html}))
    form = await browser.page(f"/jobs/{jobid}/resume")
    assert "<script>alert" not in form
    assert html in unescape(form)
    answer = await browser.send(
        f"/jobs/{jobid}/resume", ("arg:needs:path", html + "2"), ("do", "preview")
    )
    assert "<script>alert" not in answer.text


async def test_a_namespace_is_none_without_a_cluster(api: Api) -> None:
    for path in ("/?namespace=shows", "/library?namespace=shows"):
        answer = await api.get(path, accept="text/html")
        assert (answer.status_code, "these jobs are in memory" in answer.text) == (404, True)


async def test_a_template_that_is_not_there_is_said(api: Api) -> None:
    answer = await api.get("/templates/nope", accept="text/html")
    assert answer.status_code == 404
    assert "there is no template &#39;nope&#39;" in answer.text
