"""A link of another site, with which a browser sends no cookie, breaks no form that is open."""

from __future__ import annotations

import pytest

from enso_operator.http_api.app import Reach, create_app
from enso_operator.http_api.auth.viewer import Everybody, Viewers
from enso_operator.http_api.memory_backend import EmbeddedJobs
from tests.support.api import Served
from tests.support.signed_in import HOME, Browser, people

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("path", ["/", "/sign-in", "/jobs/nothing"])
async def test_the_page_is_loaded_again_and_no_cookie_is_set(
    served: Served, path: str, site: str, *, asks: bool
) -> None:
    stack = served.stack
    viewers: Viewers = await people(stack)
    if not asks:
        viewers = Everybody(await stack.enter_async_context(EmbeddedJobs()))
    app = create_app(viewers, Reach(hosts=None))
    browser = await Browser.opened(stack, app, HOME)
    answer = await browser.get(path, sec_fetch_site=site)
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in answer.text
    assert "set-cookie" not in answer.headers
    own = await browser.get(path)
    assert "http-equiv" not in own.text


async def test_a_form_that_another_site_sends_is_refused_without_a_cookie(
    served: Served,
) -> None:
    stack = served.stack
    browser = await Browser.opened(stack, create_app(await people(stack), Reach(hosts=None)))
    answer = await browser.post("/sign-out", {"a": "b"}, sec_fetch_site="cross-site")
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
