"""What holds for every page: its headers, its static files, its refusals."""

from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from tests.support.api import Api, Served

pytestmark = pytest.mark.anyio
STATIC = files("enso_operator.http_api.web") / "static"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


class Inline(HTMLParser):
    """Collects what a page loads, and what of it would run or style inline."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.addresses: list[str] = []
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}={value}")
            if name in ("src", "href", "action") and value:
                self.addresses.append(value)

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style") and data.strip():
            self.inline.append(data)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/list-jobs", 200),
        ("/get-job/nothing", 404),
        ("/nothing", 404),
        ("/static/nothing.css", 404),
        ("/docs", 200),
    ],
)
async def test_every_answer_says_what_browsers_may_do(api: Api, path: str, status: int) -> None:
    answer = await api.get(path, accept=BROWSER)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "; form-action '" in policy
    assert ("unsafe-inline" in policy) == (path == "/docs")


async def test_a_refused_host_and_a_broken_server_say_it_too(served: Served) -> None:
    api = await served.api()
    answer = await api.get("/", host="evil.example")
    assert answer.status_code == 421
    assert "default-src 'none'" in answer.headers["content-security-policy"]

    broken = await served.over(None)  # type: ignore[arg-type]  # any use of it raises
    answer = await broken.get("/")
    assert answer.status_code == 500
    assert "something of enso&#39;s own broke" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_pages_run_and_load_nothing_but_what_is_served(api: Api) -> None:
    await api.add(["say", {}])
    for path in ("/", "/?state=Failed", "/nothing"):
        page = Inline((await api.get(path, accept=BROWSER)).text)
        assert page.inline == []
        assert all(re.match(r"/(?!/)|#", address) for address in page.addresses)
        for address in page.addresses:
            if address.startswith("/static/"):
                assert (await api.get(address)).status_code == 200


async def test_static_files_may_be_kept_for_good(api: Api) -> None:
    page = (await api.get("/")).text
    addresses = set(re.findall(r'"(/static/[^"]+)"', page))
    names = {re.sub(r"-[0-9a-f]{12}", "", address) for address in addresses}
    assert {"/static/enso.css", "/static/enso.js", "/static/htmx.min.js"} <= names
    for address in addresses:
        answer = await api.get(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        digest = hashlib.sha256(answer.content).hexdigest()
        assert f"-{digest[:12]}." in address


async def test_only_files_for_browsers_are_served(api: Api) -> None:
    for name in ("VENDORED.md", "LICENSE.htmx.txt", "..%2fpages.py", "enso.css"):
        assert (await api.get(f"/static/{name}")).status_code == 404


def test_files_of_others_are_those_that_were_looked_at() -> None:
    table = (STATIC / "VENDORED.md").read_text()
    sums = dict(re.findall(r"^\| `([^`]+)` .* `([0-9a-f]{64})` \|$", table, re.MULTILINE))
    ours = {"VENDORED.md", "enso.svg"}
    ours |= {"asking.css", "enso.css", "forms.css", "enso.js", "live.js", "places.js", "sending.js"}
    names = {entry.name for entry in STATIC.iterdir()}
    assert names == sums.keys() | ours
    for name, digest in sums.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest


async def test_errors_are_pages_for_people_and_json_for_programs(api: Api) -> None:
    lost = await api.get("/nothing", accept=BROWSER)
    assert (lost.status_code, lost.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at this address." in lost.text
    assert (await api.get("/nothing")).json()["error"].startswith("there is nothing at this path")

    posted = await api.post("/", {})
    assert posted.status_code == 405
    assert "This address is only to be looked at." in posted.text
    for path in ("/get-job/nothing", "/add-job"):
        answer = await api.get(path, accept=BROWSER)
        assert answer.headers["content-type"] == "application/json"
