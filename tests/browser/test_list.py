"""The list of jobs: what it is limited to, by a choice and by words."""

from __future__ import annotations

from tests.browser.shots import failed, start
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer


def test_a_reason_limits_the_list_as_soon_as_it_is_chosen(
    visit: Visit, server: EmbeddedServer
) -> None:
    broken, other = failed(server), start(server, substeps=4)
    visitor = visit(server.address)
    visitor.sees(broken, other, "RuntimeError")

    visitor.page.get_by_label("Reason", exact=True).select_option("Exception")

    visitor.page.get_by_label("Without reason Exception").wait_for()
    visitor.sees(broken)
    assert visitor.page.get_by_text(other).count() == 0


def test_without_a_program_of_ours_a_button_does_it(visit: Visit, server: EmbeddedServer) -> None:
    broken, other = failed(server), start(server, substeps=4)
    visitor = visit(server.address, java_script_enabled=False)

    visitor.page.get_by_label("Reason", exact=True).select_option("Exception")
    visitor.presses("Search")

    visitor.page.get_by_label("Without reason Exception").wait_for()
    visitor.sees(broken)
    assert visitor.page.get_by_text(other).count() == 0


def test_words_find_what_the_box_says(visit: Visit, server: EmbeddedServer) -> None:
    broken = failed(server)
    visitor = visit(server.address)
    box = visitor.page.get_by_placeholder("Name, script, reason, label")

    for words in (broken, "simulate", "runtimeerror", "exception publish-banner"):
        box.fill(words)
        visitor.presses("Search")
        visitor.page.get_by_label(f"Without text {words}").wait_for()
        visitor.sees(broken)
    box.fill("nothing-like-this")
    visitor.presses("Search")
    visitor.sees("No job matches.")
