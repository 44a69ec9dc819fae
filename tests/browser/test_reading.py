"""What can be read and reached: by the keyboard, what is greyed, a form that is wrong, outputs."""

from __future__ import annotations

from tests.browser.shots import failed, start, state_of
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import until


def test_the_keyboard_is_enough(visit: Visit, server: EmbeddedServer) -> None:
    jobid = failed(server)
    visitor = visit(server.address)

    visitor.goes_by_tab_to(jobid)
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url(f"**/jobs/{jobid}")
    visitor.sees("simulate failed")
    visitor.goes_by_tab_to("Resume…")
    visitor.page.keyboard.press("Enter")
    visitor.sees("What will run, and what is kept")
    visitor.goes_by_tab_to("substeps")
    visitor.page.keyboard.type("4")
    visitor.page.keyboard.press("Enter")
    visitor.sees("Changes: substeps of simulate")
    visitor.goes_by_tab_to("Resume")
    visitor.page.keyboard.press("Enter")

    visitor.sees("Succeeded", "3 of 3 scripts done")


def test_a_form_that_is_wrong_says_where_and_keeps_what_was_typed(
    visit: Visit, server: EmbeddedServer
) -> None:
    visitor = visit(server.address, java_script_enabled=False)
    visitor.go("/templates/publish-banner")

    visitor.fills("shot", "ten")
    visitor.fills("substeps", "100")
    visitor.skips_the_browsers_own_checks()
    visitor.presses("Start")

    visitor.sees("shot", "[0-9]{3}", "substeps", "64")
    assert visitor.page.get_by_label("shot").input_value() == "ten"
    visitor.errors.clear()  # the browser's own, of the answer's status


def test_what_is_not_possible_is_greyed_and_says_why(visit: Visit, server: EmbeddedServer) -> None:
    jobid = start(server, substeps=4)
    until(lambda: state_of(server, jobid) == "Succeeded")  # its first script may succeed before
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")

    pause = visitor.page.get_by_role("button", name="Pause")

    assert pause.is_disabled()
    visitor.page.get_by_text("Why are some grey?").click()
    visitor.sees("Pause", "only a job that has not ended can be paused")


def test_the_output_of_an_attempt_is_read(visit: Visit, server: EmbeddedServer) -> None:
    jobid = failed(server)
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")

    visitor.follows("all of them")

    visitor.sees("simulating 旗 <b>banner</b> & 'quoted'", "<script>alert(1)</script>", "exploded")


def test_the_library_is_read(visit: Visit, server: EmbeddedServer) -> None:
    visitor = visit(server.address)

    visitor.follows("Library")

    visitor.sees("simulate_banner", "substeps", "Steps in each frame.")


def test_a_plain_text_has_no_error_either(visit: Visit, server: EmbeddedServer) -> None:
    jobid = failed(server)
    visitor = visit(server.address)

    visitor.go(f"/jobs/{jobid}/scripts/simulate/attempts/1/output")

    visitor.sees("simulating 旗 <b>banner</b>")
