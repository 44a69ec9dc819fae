"""Tables: whole in a pipe, as wide as a terminal, coloured only where that is wanted."""

from __future__ import annotations

import sys

import pytest

from enso_operator.cli.jobs.table import Column, Screen, table

COLUMNS = (Column("NAME"), Column("STATUS"), Column("SCRIPT", 8), Column("REASON", 8))
ROWS = [("n" * 52, "Failed", "simulate-the-cloth", "OutOfMemory"), ("shot", "Running", "", "")]


def test_nothing_is_cut_where_nobody_says_how_wide_it_is() -> None:
    header, first, second = table(COLUMNS, ROWS, Screen())
    assert header.split() == ["NAME", "STATUS", "SCRIPT", "REASON"]
    assert first.split() == list(ROWS[0])
    assert second == "shot" + " " * 50 + "Running"


@pytest.mark.parametrize("width", [85, 100, 200])
def test_a_line_is_as_wide_as_the_screen_at_most_and_names_are_whole(width: int) -> None:
    lines = table(COLUMNS, ROWS, Screen(width))
    assert max(map(len, lines)) <= width
    assert "n" * 52 in lines[1]
    assert "SCRIPT" in lines[0]


def test_what_has_no_room_at_all_is_left_out() -> None:
    lines = table(COLUMNS, ROWS, Screen(64))
    assert lines[0].split() == ["NAME", "STATUS"]
    assert lines[1].split() == ["n" * 52, "Failed"]


def test_a_state_has_its_colour_and_the_columns_stand_as_without() -> None:
    plain, coloured = table(COLUMNS, ROWS, Screen()), table(COLUMNS, ROWS, Screen(None, None, True))
    assert "\x1b[31mFailed\x1b[0m" in coloured[1]
    without = [line.replace("\x1b[31m", "").replace("\x1b[36m", "") for line in coloured]
    assert [line.replace("\x1b[0m", "").rstrip() for line in without] == plain


def test_no_colour_in_a_pipe_nor_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert Screen.of_output() == Screen()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert Screen.of_output().is_colourful
    assert Screen.of_output().width
    monkeypatch.setenv("TERM", "dumb")
    assert not Screen.of_output().is_colourful
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Screen.of_output().is_colourful
