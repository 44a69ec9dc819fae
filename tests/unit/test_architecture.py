"""A stranger finds their way: the architecture page has each module, and a file is soon read."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
PACKAGES = ("core/src/job_execution_framework", "operator/src/enso_operator")
PLACES = ("core", "operator", "dev", "benchmarks", "tests")
MOST_LINES_OF_A_FILE = 400


def modules() -> set[str]:
    """Return the paths of all modules, each from its own package on."""
    return {
        str(file.relative_to(ROOT / package))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if file.name != "__init__.py"
    }


def told() -> list[str]:
    """Return the paths that the page's tables name."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    return [path for row in rows for path in re.findall(r"`([\w./-]+(?:\.py|/)|Dockerfile)`", row)]


def test_every_path_on_the_page_exists() -> None:
    roots = [ROOT, ROOT / "tests" / "cluster", *(ROOT / package for package in PACKAGES)]
    assert told()
    assert [path for path in told() if not any((root / path).exists() for root in roots)] == []


def test_every_module_is_on_the_page() -> None:
    assert modules() - {*told()} == set()


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    files = [file for place in PLACES for file in (ROOT / place).rglob("*.py")]
    lines = {file: len(file.read_text("utf-8").splitlines()) for file in files}
    assert {file: count for file, count in lines.items() if count > MOST_LINES_OF_A_FILE} == {}
