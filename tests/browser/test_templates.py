"""The templates: what each runs, and that what would fail cannot be started."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.support.browser import Visit
from tests.support.embedded_server import EmbeddedServer
from tests.support.templates import SHOT, template


def test_what_a_template_runs_leads_to_the_library(visit: Visit, server: EmbeddedServer) -> None:
    visitor = visit(server.address)
    visitor.follows("Templates")
    visitor.page.get_by_text("Runs open, simulate, publish").click()
    visitor.sees("simulate_banner", "substeps = $(params.substeps)")
    assert visitor.violations() == []

    visitor.follows("publish-banner")
    visitor.sees("What it runs", "release = /release/$(params.shot).scene")
    assert visitor.violations() == []

    visitor.follows("simulate_banner")
    visitor.sees("Library", "Steps in each frame.")


def test_what_would_fail_is_grey_and_says_why(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    gone = template(
        {"name": "simulate", "scriptRef": {"name": "simulate_baner"}}, parameters=[SHOT]
    )
    (tmp_path / "templates" / "gone.yaml").write_text(yaml.safe_dump(gone))
    visitor = visit(server.address)
    visitor.go("/templates/publish")
    why = "there is no script 'simulate_baner' in the library: did you mean 'simulate_banner'?"
    visitor.sees(f"It cannot be started: simulate: {why}")
    assert visitor.page.get_by_role("button", name="Start").is_disabled()
    assert visitor.violations() == []

    visitor.go("/templates?text=simulate_baner")
    visitor.sees(f"It cannot be started: simulate: {why}")
    assert visitor.page.get_by_role("button", name="Start…").is_disabled()
    assert visitor.violations() == []
    assert visitor.overflow() == 0
