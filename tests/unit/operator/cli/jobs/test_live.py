"""What a watch draws, and where it cannot draw, what it tells."""

from __future__ import annotations

import sys

import pytest

from enso_operator.cli.jobs.live import Live, visible_part

LINES = ["HEADER", *(f"script-{number}" for number in range(100))]


def test_what_fits_is_shown_whole() -> None:
    assert visible_part(LINES, 1, 101) == LINES


@pytest.mark.parametrize("focus", [1, 2, 41, 99, 100])
def test_what_does_not_fit_is_shown_around_what_matters(focus: int) -> None:
    shown = visible_part(LINES, focus, 12)
    assert len(shown) == 12
    assert shown[0] == "HEADER"
    assert LINES[focus] in shown
    first, last = LINES.index(shown[1]), LINES.index(shown[-2])
    assert shown[-1] == f"… {first - 1} lines above and {100 - last} below are not shown"


def test_a_line_for_each_change_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    live = Live()
    live.print_lines(["shot  Running"])
    live.show_problem("nobody answers")
    live.show_problem("nobody answers")
    said = capsys.readouterr()
    assert said.out.endswith(" shot  Running\n")
    assert said.err == "enso: nobody answers; trying again\n"  # once, not with every attempt
    live.clear_problem()
    live.show_problem("nobody answers")
    assert capsys.readouterr().err


def test_a_terminal_shows_trouble_only_as_long_as_it_lasts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    live = Live()
    live.print_lines(["shot  Running"])
    live.show_problem("nobody answers")
    live.draw(["HEADER", "row"], 1, "shot: Running")
    drawn = capsys.readouterr().out
    assert "shot  Running" not in drawn
    for part in ("shot: Running", "HEADER", "row", "nobody answers; trying again"):
        assert part in drawn
    live.clear_problem()
    live.draw(["HEADER", "row"], 1)
    again = capsys.readouterr().out
    assert "\x1b[5A" in again  # over the five lines that were drawn before
    assert "nobody" not in again
