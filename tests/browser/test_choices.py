"""What somebody has chosen or written stays so while the page changes around it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.shots import start_scripts
from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer


def test_a_choice_is_the_same_when_the_next_script_starts(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    gate, never = tmp_path / "gate", str(tmp_path / "never")
    jobid = start_scripts(
        server,
        ("wait_for", {"path": str(gate)}),
        ("wait_for", {"path": never}),
        ("open_shot", {"path": "a"}),
        ("publish_shot", {"release": "b"}),
    )
    visitor = visit(server.address)
    visitor.go(f"/jobs/{jobid}")
    visitor.sees("now at wait-for")
    pause = visitor.page.get_by_label("Pause when")
    skip = visitor.page.get_by_label("Script to skip")
    pause.select_option("open-shot")
    skip.select_option("open-shot")
    visitor.fills("Why", "half a sen")

    gate.touch()
    visitor.sees("now at wait-for-2")
    expect(pause.locator("option").first).to_have_text("when wait-for-2 ends")

    assert (pause.input_value(), skip.input_value()) == ("open-shot", "open-shot")
    assert visitor.page.get_by_label("Why").input_value() == "half a sen"
