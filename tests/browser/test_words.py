"""Words that people understand who have not read the documentation, and the space around them."""

from __future__ import annotations

from tests.browser.shots import failed
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.visitor import Visitor


def test_an_attempt_is_told_in_words_of_everybody(visit: Visit, server: EmbeddedServer) -> None:
    jobid = failed(server)
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")

    visitor.page.locator("#script-simulate summary").click()

    visitor.sees("How it runs", "In session", "main-1")
    visitor.follows("Show output of attempt 1")
    visitor.sees("of the job", jobid)


def test_a_page_that_is_not_there_says_so(visit: Visit, server: EmbeddedServer) -> None:
    visitor = visit(server.address)

    visitor.go("/jobs/nobody")

    visitor.sees("Not found", "there is no job 'nobody'")
    visitor.errors.clear()  # the browser's own, of the answer's status


def test_the_states_to_choose_from_begin_where_everything_begins(
    visit: Visit, server: EmbeddedServer
) -> None:
    failed(server)
    visitor = visit(server.address)

    assert left(visitor, ".choices [aria-current]") == left(visitor, "h1")


def test_a_description_keeps_its_distance_from_the_form(
    visit: Visit, server: EmbeddedServer
) -> None:
    visitor = visit(server.address)
    visitor.go("/templates/publish-banner")

    description = visitor.page.get_by_text("Simulates the banner").bounding_box()
    field = visitor.page.get_by_label("shot").bounding_box()

    assert description
    assert field
    assert field["y"] - (description["y"] + description["height"]) >= 10


def left(visitor: Visitor, selector: str) -> float:
    box = visitor.page.locator(selector).first.bounding_box()
    assert box
    return box["x"]
