"""The output of `enso watch`: a table that is redrawn on a terminal, else line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime

from enso_operator.cli import display
from enso_operator.cli.jobs.follow import ProblemPrinter
from enso_operator.cli.jobs.table import Screen

_RESERVED_LINES = 2
"""Lines of the screen that a table does not use: one for a problem, and the cursor's line."""


class Live:
    """Shows tables and lines on standard output."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdout.isatty()
        """Whether standard output is a terminal, where a table can be redrawn."""
        self._drawn = 0
        self._problem = ""
        self._printer = ProblemPrinter()

    def screen(self) -> Screen:
        """Return the present size of the terminal, which may change."""
        return Screen.of_output()

    def show_problem(self, sentence: str) -> None:
        """Show why the watch is interrupted: print it once, or show it below the table."""
        self._problem = sentence
        if not self.is_terminal:
            self._printer.show(sentence)

    def clear_problem(self) -> None:
        """Remove the sentence of `show_problem`."""
        self._problem = ""
        self._printer.clear()

    def print_lines(self, lines: Iterable[str]) -> None:
        """Print lines with the time, if standard output is no terminal."""
        if not self.is_terminal:
            for line in lines:
                print(f"{datetime.now().astimezone():%H:%M:%S} {line}", flush=True)
                display.exit_if_pipe_closed()

    def draw(self, lines: list[str], focus: int, head: str = "") -> None:
        """Redraw the table; if it is too high for the screen, only the part around line `focus`.

        `head` is shown above the table.
        """
        above = [head, ""] if head else []
        height = self.screen().height or len(lines) + len(above) + _RESERVED_LINES
        shown = [*above, *visible_part(lines, focus, height - len(above) - _RESERVED_LINES)]
        if self._problem:
            shown.append(f"{self._problem}; trying again")
        self._replace(shown)

    def end(self, lines: list[str]) -> None:
        """Draw the whole table for the last time."""
        if self.is_terminal:
            self._replace(lines)

    def _replace(self, lines: list[str]) -> None:
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        # Turn off line wrapping meanwhile: a wrapped line would take two lines of the screen.
        print(f"\x1b[?7l{up}\r\x1b[J" + "\n".join(lines) + "\x1b[?7h", flush=True)
        self._drawn = len(lines)


def visible_part(lines: list[str], focus: int, room: int) -> list[str]:
    """Return the header and as many lines around `focus` as there is room for."""
    if len(lines) <= room:
        return lines
    header, rows = lines[0], lines[1:]
    room = max(1, room - 2)  # the header, and the line that says what is not shown
    begin = min(max(0, focus - 1 - room // 2), len(rows) - room)
    below = len(rows) - begin - room
    hidden = f"… {begin} lines above and {below} below are not shown"
    return [header, *rows[begin : begin + room], hidden]
