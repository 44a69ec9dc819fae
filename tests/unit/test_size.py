"""A file is short enough to be read at once."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES_OF_A_FILE = 400


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    files = [file for place in ("core", "operator", "dev") for file in (ROOT / place).rglob("*.py")]
    longest = max(files, key=lambda file: len(file.read_text("utf-8").splitlines()))
    assert len(longest.read_text("utf-8").splitlines()) <= MOST_LINES_OF_A_FILE, longest
