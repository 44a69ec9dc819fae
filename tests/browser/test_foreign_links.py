"""A link of another site to a page of ours, followed in a browser that has such pages open."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.signed_in import ANN
from tests.support.signed_in_server import signed_in_server
from tests.support.visitor import Visitor


def test_a_link_of_another_site_leaves_an_open_form_as_it_was(
    visit: Callable[..., Visitor],
) -> None:
    """To browsers localhost and 127.0.0.1 are two sites."""
    with signed_in_server() as (port, _):
        visitor = visit(f"http://localhost:{port}")
        visitor.page.get_by_label("Token of the cluster").fill(ANN)
        other = visitor.context.new_page()
        other.route(
            "http://127.0.0.1/**",
            lambda route: route.fulfill(
                body=f'<a href="http://localhost:{port}/">go</a>', content_type="text/html"
            ),
        )
        other.goto("http://127.0.0.1/")
        other.get_by_text("go").click()
        other.get_by_label("Token of the cluster").wait_for()
        visitor.page.keyboard.press("Enter")  # the form that was open before
        visitor.sees("There are no jobs yet")
        other.goto("http://127.0.0.1/")
        other.get_by_text("go").click()
        other.get_by_text("There are no jobs yet").wait_for()
