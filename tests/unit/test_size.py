"""A file is short enough to be read at once."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES_OF_A_FILE = 400
ONE_FILE = "child.py"
"""It runs in the Pythons of other programs, where nothing of ours can be imported."""
MOST_LINES_OF_THAT = 500


def lines_too_many(file: Path) -> int:
    most = MOST_LINES_OF_THAT if file.name == ONE_FILE else MOST_LINES_OF_A_FILE
    return len(file.read_text("utf-8").splitlines()) - most


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    files = [file for place in ("core", "operator", "dev") for file in (ROOT / place).rglob("*.py")]
    assert not [file for file in files if lines_too_many(file) > 0]
