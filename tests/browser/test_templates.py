"""The templates: what each runs, and what would fail says so."""

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


def test_what_would_fail_now_says_why_and_what_is_refused_is_grey(
    visit: Visit, server: EmbeddedServer, tmp_path: Path
) -> None:
    gone = template(
        {"name": "simulate", "scriptRef": {"name": "simulate_baner"}}, parameters=[SHOT]
    )
    (tmp_path / "templates" / "gone.yaml").write_text(yaml.safe_dump(gone))
    visitor = visit(server.address)
    visitor.go("/templates/publish")
    why = "there is no script 'simulate_baner' in the library: did you mean 'simulate_banner'?"
    visitor.sees(f"It would fail now: simulate: {why}")
    assert visitor.page.get_by_role("button", name="Start").is_enabled()
    assert visitor.violations() == []

    visitor.go("/templates?text=simulate_baner")
    visitor.sees(f"It would fail now: simulate: {why}")
    assert visitor.violations() == []
    assert visitor.overflow() == 0

    boxed = template({"name": "box", "container": {"image": "studio/tool"}}, parameters=[SHOT])
    (tmp_path / "templates" / "gone.yaml").write_text(yaml.safe_dump(boxed))
    why = "it is a container, which needs a cluster"
    for address, button in (("/templates/publish", "Start"), ("/templates?text=box", "Start…")):
        visitor.go(address)
        visitor.sees(f"It cannot be started: box: {why}")
        assert visitor.page.get_by_role("button", name=button).is_disabled()
        assert visitor.violations() == []
