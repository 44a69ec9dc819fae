"""What pages of other sites make a browser send changes nothing; forged headers neither."""

from __future__ import annotations

import ipaddress
from contextlib import AsyncExitStack

import pytest

from enso_operator.http_api.app import Reach
from tests.support.api import Api, Served
from tests.support.signed_in import ANN, Browser, app_of, fields, people

pytestmark = pytest.mark.anyio
JOB = {"instructions": [["example_script", {"arg1": "a", "arg2": "b"}]]}
HERE = (ipaddress.ip_network("127.0.0.1"),)


@pytest.fixture
def stack(served: Served) -> AsyncExitStack:
    return served.stack


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},
        {"origin": "https://localhost:5005"},
        {"sec-fetch-site": "cross-site", "origin": "http://localhost:5005"},
    ],
)
async def test_a_page_of_another_site_changes_nothing(api: Api, headers: dict[str, str]) -> None:
    answer = await api.http.post("/add-job", json=JOB, headers=headers)
    assert answer.status_code == 403
    assert "a page of another site has made your browser send this" in answer.json()["error"]
    assert await api.jobs() == {}
    assert (await api.get("/list-jobs", **headers)).status_code == 200  # it cannot read the answer


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "same-origin"}, {"origin": "http://localhost:5005"}]
)
async def test_curl_and_our_own_pages_may(api: Api, headers: dict[str, str]) -> None:
    answer = await api.http.post("/add-job", json=JOB, headers=headers)
    assert answer.status_code == 201


async def test_a_form_without_the_token_of_this_browser_is_refused(stack: AsyncExitStack) -> None:
    app = app_of(await people(stack))
    browser, other = await Browser.opened(stack, app), await Browser.opened(stack, app)
    assert (await browser.sign_in(ANN)).status_code == 303
    theirs = fields(await other.get("/sign-in"))
    ours = fields(await browser.get("/"))
    for form in ({"a": "b"}, theirs, {"form_token": ""}, {"form_token": "ä" * 43}):
        answer = await browser.post("/sign-out", form)
        assert answer.status_code == 403
        assert "load the page again" in answer.text
    twice = "&".join(f"form_token={token['form_token']}" for token in (ours, theirs))
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = await browser.client.post("/sign-out", content=twice, headers=kind)
    assert answer.status_code == 403
    assert (await browser.post("/sign-out", ours)).status_code == 303


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"a=b", "text/plain", 415),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"\xff", "application/x-www-form-urlencoded", 400),
        (b"a=b&" * 3000, "application/x-www-form-urlencoded", 400),
        (b"a" * (1024 * 1024 + 1), "application/x-www-form-urlencoded", 413),
    ],
)
async def test_what_is_no_form_is_refused(
    stack: AsyncExitStack, content: bytes, kind: str, status: int
) -> None:
    browser = await Browser.opened(stack, app_of(await people(stack)))
    await browser.get("/sign-in")
    answer = await browser.client.post("/sign-in", content=content, headers={"content-type": kind})
    assert answer.status_code == status


async def test_the_token_of_forms_outlives_the_server_and_its_page(stack: AsyncExitStack) -> None:
    """Another replica, and one that was started anew, take the forms of open pages."""
    known = await people(stack)
    browser = await Browser.opened(stack, app_of(known))
    page = await browser.sign_in(ANN)
    page = await browser.get("/")
    again = await Browser.opened(stack, app_of(known))
    again.client.cookies = browser.client.cookies
    assert (await again.post("/sign-out", fields(page))).status_code == 303


async def test_only_a_named_proxy_says_how_the_browser_came(stack: AsyncExitStack) -> None:
    known = await people(stack)
    forwarded = {"x_forwarded_proto": "https", "x_forwarded_host": "enso.example"}
    own = {"sec_fetch_site": "", "origin": "https://enso.example"}

    trusting = app_of(known, Reach(hosts=None, proxies=HERE))
    browser = await Browser.opened(stack, trusting, "http://10.1.2.3:5005")
    page = await browser.get("/sign-in", **forwarded)
    assert page.headers["set-cookie"].startswith("__Host-enso-form=")
    assert page.headers["set-cookie"].endswith("; Secure")
    cookie = page.headers["set-cookie"].partition(";")[0]
    form = fields(page) | {"token": ANN}
    answer = await browser.post("/sign-in", form, cookie=cookie, **own, **forwarded)
    assert answer.status_code == 303

    doubting = await Browser.opened(stack, app_of(known), "http://10.1.2.3:5005")
    assert "plain HTTP" in (await doubting.get("/sign-in", **forwarded)).text
    answer = await doubting.post("/sign-in", form, cookie=cookie, **own, **forwarded)
    assert answer.status_code == 403
    assert "a page of another site" in answer.text


async def test_the_nearest_proxy_has_the_last_word(stack: AsyncExitStack) -> None:
    app = app_of(await people(stack), Reach(hosts=None, proxies=HERE))
    browser = await Browser.opened(stack, app, "http://10.1.2.3:5005")
    for told in ("https, http", "gopher", "", "https,"):
        assert "plain HTTP" in (await browser.get("/sign-in", x_forwarded_proto=told)).text
    assert "plain HTTP" not in (await browser.get("/sign-in", x_forwarded_proto="http, HTTPS")).text


async def test_a_forwarded_host_does_not_open_loopback(served: Served) -> None:
    api = await served.api()
    answer = await api.get("/list-jobs", host="evil.example", **{"x-forwarded-host": "localhost"})
    assert answer.status_code == 421
