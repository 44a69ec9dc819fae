"""Signing in on a page: the token goes into a cookie that no script reads, and nowhere else."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack

import pytest

from tests.support.api import Served
from tests.support.signed_in import ANN, BOB, PAGE, Browser, app_of, fields, people

pytestmark = pytest.mark.anyio
COOKIE = "__Host-enso-token"
LOCALHOST, PLAIN = "http://localhost:5005", "http://enso.example"


@pytest.fixture
def stack(served: Served) -> AsyncExitStack:
    return served.stack


async def signed_in_until_it_ended(stack: AsyncExitStack) -> Browser:
    """Return a browser whose token is no longer accepted."""
    known = await people(stack)
    browser = await Browser.opened(stack, app_of(known))
    await browser.sign_in(ANN)
    known.revoked.add(ANN)
    return browser


async def test_a_browser_is_asked_to_sign_in_and_comes_back_to_where_it_was(
    stack: AsyncExitStack,
) -> None:
    browser = await Browser.opened(stack, app_of(await people(stack)))
    asked = await browser.get("/jobs/shot?tab=1&x=ä")
    assert asked.status_code == 303
    page = await browser.get(asked.headers["location"])
    assert "kubectl create token NAME --namespace shows" in page.text

    answer = await browser.post("/sign-in", fields(page) | {"token": f"  anns-\n token {''}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs/shot?tab=1&x=%C3%A4")
    assert answer.headers["set-cookie"] == (
        f"{COOKIE}={ANN}; Path=/; Secure; HttpOnly; SameSite=Strict"
    )
    page = await browser.get("/")
    assert page.status_code == 200
    assert "<span>ann</span>" in page.text


async def test_a_token_that_is_not_accepted_is_told_and_not_shown(stack: AsyncExitStack) -> None:
    browser = await Browser.opened(stack, app_of(await people(stack)))
    for token, why in (
        ("eves-token", "does not accept this token"),
        ("<b>", "that is no bearer token"),
        ("x" * 20_000, "that is no bearer token"),
        ("", "that is no bearer token"),
    ):
        answer = await browser.sign_in(token)
        assert answer.status_code == 401
        assert why in answer.text
        assert token == "" or token not in answer.text
        assert COOKIE not in browser.client.cookies


async def test_signing_out_takes_the_cookie_away(stack: AsyncExitStack) -> None:
    browser = await Browser.opened(stack, app_of(await people(stack)))
    await browser.sign_in(ANN)
    page = await browser.get("/")
    answer = await browser.post("/sign-out", fields(page))
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert COOKIE not in browser.client.cookies
    assert (await browser.get("/")).status_code == 303


async def test_who_is_signed_in_sees_their_own_jobs_only(stack: AsyncExitStack) -> None:
    app = app_of(await people(stack))
    ann, bob = await Browser.opened(stack, app), await Browser.opened(stack, app)
    await ann.sign_in(ANN)
    await bob.sign_in(BOB)
    job = {"instructions": [["example_script", {"arg1": "a", "arg2": "b"}]]}
    added = await ann.client.post("/add-job", json=job)
    assert added.status_code == 201, added.text
    jobid = added.json()["jobid"]
    assert [listed["jobid"] for listed in (await ann.get("/list-jobs")).json()] == [jobid]
    assert (await bob.get("/list-jobs")).json() == []
    assert (await bob.get(f"/get-job/{jobid}")).status_code == 404
    assert (await bob.get(f"/jobs/{jobid}")).status_code == 404
    # The header comes before the cookie: a proxy that signs people in has the last word.
    header = {"authorization": f"Bearer {BOB}"}
    assert (await ann.get("/list-jobs", **header)).json() == []


async def test_a_token_that_has_ended_leads_to_the_sign_in_page_and_is_forgotten(
    stack: AsyncExitStack,
) -> None:
    browser = await signed_in_until_it_ended(stack)
    asked = await browser.get("/jobs/shot")
    assert asked.status_code == 303
    assert COOKIE not in browser.client.cookies
    assert "no longer accepts the token" in (await browser.get(asked.headers["location"])).text


async def test_a_stream_for_a_token_that_has_ended_is_refused_and_the_next_page_says_why(
    stack: AsyncExitStack,
) -> None:
    browser = await signed_in_until_it_ended(stack)
    stream = await browser.get("/live", accept="text/html, text/event-stream")
    assert stream.status_code == 401
    assert COOKIE in browser.client.cookies
    asked = await browser.get("/")
    assert "no longer accepts the token" in (await browser.get(asked.headers["location"])).text


async def test_a_link_from_elsewhere_shows_the_page_to_who_is_signed_in(
    stack: AsyncExitStack,
) -> None:
    """The browser sends no cookie with it, so the page is loaded once more by one of ours."""
    browser = await Browser.opened(stack, app_of(await people(stack)))
    answer = await browser.get("/jobs/shot", sec_fetch_site="cross-site")
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in answer.text
    assert (await browser.get("/jobs/shot", sec_fetch_site="same-origin")).status_code == 303


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/a",
        "//[",
        "//\u2100\x1bc",
        "http://[",
        "",
    ],
)
async def test_signing_in_leads_to_no_other_site(stack: AsyncExitStack, elsewhere: str) -> None:
    browser = await Browser.opened(stack, app_of(await people(stack)))
    assert (await browser.sign_in(ANN, elsewhere)).headers["location"] == "/"
    page = await browser.get("/sign-in")
    answer = await browser.post("/sign-in", fields(page) | {"token": ANN, "next": elsewhere})
    assert answer.headers["location"] == "/"


async def test_over_plain_http_nobody_signs_in_but_on_this_machine(stack: AsyncExitStack) -> None:
    app = app_of(await people(stack))
    browser = await Browser.opened(stack, app, PLAIN)
    page = await browser.get("/sign-in")
    assert "this page came over plain HTTP" in page.text
    assert "<form" not in page.text
    answer = await browser.post("/sign-in", {"token": ANN})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    # Not even for whoever says that it was https: no proxy is named.
    page = await browser.get("/sign-in", x_forwarded_proto="https")
    assert "this page came over plain HTTP" in page.text
    for home in (LOCALHOST, "http://127.0.0.1:5005", "http://[::1]:5005"):
        local = await Browser.opened(stack, app, home)
        assert (await local.sign_in(ANN)).status_code == 303


async def test_curl_is_told_how_to_send_a_token(stack: AsyncExitStack) -> None:
    browser = await Browser.opened(stack, app_of(await people(stack)))
    for headers in ({"accept": "*/*"}, PAGE | {"authorization": "Bearer eves-token"}):
        answer = await browser.client.get("/list-jobs", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "kubectl create token NAME" in answer.text
    answer = await browser.client.post("/", data={"a": "b"})
    assert (answer.status_code, "Not signed in" in answer.text) == (401, True)


async def test_no_token_is_logged(stack: AsyncExitStack, caplog: pytest.LogCaptureFixture) -> None:
    """Not even where something of ours breaks while it is there."""
    caplog.set_level(logging.DEBUG)
    known = await people(stack)
    browser = await Browser.opened(stack, app_of(known))
    await browser.sign_in(ANN)
    known.jobs[ANN] = None  # type: ignore[assignment]  # any use of it raises
    broken = await browser.get("/list-jobs")
    assert broken.status_code == 500
    assert ANN not in broken.text
    assert ANN not in caplog.text
