"""Signing in and out in a real browser, which keeps the cookie, and lets no script read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import Visit
from tests.support.signed_in import ANN, People
from tests.support.signed_in_server import signed_in_server


@pytest.fixture
def served() -> Iterator[tuple[int, People]]:
    with signed_in_server() as server:
        yield server


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_somebody_signs_in_looks_and_signs_out(
    visit: Visit, served: tuple[int, People], host: str
) -> None:
    visitor = visit(f"http://{host}:{served[0]}")
    visitor.sees("Sign in", "kubectl create token NAME --namespace shows")
    assert visitor.violations() == []
    visitor.page.get_by_label("Token of the cluster").fill(ANN)
    visitor.page.keyboard.press("Enter")
    visitor.sees("There are no jobs yet", "ann", "Sign out")
    assert visitor.violations() == []
    assert visitor.page.evaluate("document.cookie") == ""
    assert ANN not in visitor.page.content() + visitor.page.url

    visitor.go("/jobs/nothing")
    visitor.sees("there is no job 'nothing'")
    visitor.errors.clear()  # there is no such job, and the browser says so
    visitor.go("/")
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.sees("Token of the cluster")
    assert [cookie.get("name") for cookie in visitor.context.cookies()] == ["enso-form"]


def test_a_token_that_ends_leads_back_to_the_sign_in_page(
    visit: Visit, served: tuple[int, People]
) -> None:
    port, known = served
    visitor = visit(f"http://localhost:{port}")
    visitor.page.get_by_label("Token of the cluster").fill("eves")
    visitor.page.keyboard.press("Enter")
    visitor.sees("does not accept this token")
    visitor.errors.clear()  # 401
    visitor.page.get_by_label("Token of the cluster").fill(ANN)
    visitor.page.keyboard.press("Enter")
    visitor.sees("There are no jobs yet")
    known.revoked.add(ANN)
    visitor.go("/")
    visitor.sees("no longer accepts the token that you signed in with")
    visitor.errors.clear()  # of the page before, if its stream was asked for meanwhile


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (2560, "light")])
def test_the_page_fits(visit: Visit, served: tuple[int, People], width: int, scheme: str) -> None:
    size = {"width": width, "height": 800}
    visitor = visit(f"http://localhost:{served[0]}", viewport=size, color_scheme=scheme)
    visitor.sees("Sign in")
    assert visitor.overflow() == 0
    assert visitor.violations() == []
