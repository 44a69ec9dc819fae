"""Where a watch is shown: drawn again and again on a terminal, line by line elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime

from enso_operator.cli import display
from enso_operator.cli.jobs.table import Screen

_LEFT = 2
"""Lines of the screen that a table leaves: one for trouble, and the one where the cursor stands."""


class Live:
    """Standard output, as a watch shows itself on it."""

    def __init__(self) -> None:
        self.is_on = sys.stdout.isatty()
        """Whether it is a terminal, on which a table can be drawn again."""
        self._drawn = 0
        self._trouble = ""

    def screen(self) -> Screen:
        """Return the terminal as it is now: people change its size."""
        return Screen.of_output()

    def trouble(self, sentence: str) -> None:
        """Say what keeps the watch from going on: once, or below the table as long as it lasts."""
        if sentence != self._trouble and not self.is_on:
            print(f"enso: {sentence}; trying again", file=sys.stderr, flush=True)
        self._trouble = sentence

    def all_is_well(self) -> None:
        """Remove the sentence that `trouble` shows."""
        self._trouble = ""

    def tell(self, lines: Iterable[str]) -> None:
        """Print lines with the time, where no table is drawn."""
        if not self.is_on:
            for line in lines:
                print(f"{datetime.now().astimezone():%H:%M:%S} {line}", flush=True)
                display.exit_if_pipe_closed()

    def draw(self, lines: list[str], focus: int, head: str = "") -> None:
        """Draw a table in the place of the one before; if it is too high, the part at `focus`.

        `head` stands above it.
        """
        above = [head, ""] if head else []
        height = self.screen().height or len(lines) + len(above) + _LEFT
        shown = [*above, *part_of(lines, focus, height - len(above) - _LEFT)]
        if self._trouble:
            shown.append(f"{self._trouble}; trying again")
        self._replace(shown)

    def end(self, lines: list[str]) -> None:
        """Draw the whole table a last time."""
        if self.is_on:
            self._replace(lines)

    def _replace(self, lines: list[str]) -> None:
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        # The terminal cuts lines that are too long: one that wraps would be two lines high.
        print(f"\x1b[?7l{up}\r\x1b[J" + "\n".join(lines) + "\x1b[?7h", flush=True)
        self._drawn = len(lines)


def part_of(lines: list[str], focus: int, room: int) -> list[str]:
    """Return the header and as many lines around `focus` as there is room for."""
    if len(lines) <= room:
        return lines
    header, rows = lines[0], lines[1:]
    room = max(1, room - 2)  # the header, and the line that says what is not shown
    begin = min(max(0, focus - 1 - room // 2), len(rows) - room)
    below = len(rows) - begin - room
    hidden = f"… {begin} lines above and {below} below are not shown"
    return [header, *rows[begin : begin + room], hidden]
