"""A file is short enough to be read at once."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("core", "operator", "dev", "benchmarks")
MOST_LINES_OF_A_FILE = 400


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    files = [file for place in PLACES for file in (ROOT / place).rglob("*.py")]
    lines = {file: len(file.read_text("utf-8").splitlines()) for file in files}
    assert [file for file, count in lines.items() if count > MOST_LINES_OF_A_FILE] == []
