"""Tables and colours for the commands about jobs, on a terminal and in a pipe."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GAP = 2
COLOURS = {
    "Succeeded": "32",
    "Running": "36",
    "Failed": "31",
    "Interrupted": "33",
    "Cancelled": "33",
}
"""The ANSI colour code of each state."""


@dataclass(frozen=True)
class Screen:
    """The size and the colours of the terminal."""

    width: int | None = None
    """None if there is no terminal: then nothing is cut."""
    height: int | None = None
    is_colourful: bool = False

    @classmethod
    def of_output(cls) -> Screen:
        """Return the screen of standard output; without a terminal, nothing is cut or coloured."""
        if not sys.stdout.isatty():
            return cls()
        size = shutil.get_terminal_size()
        is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return cls(size.columns, size.lines, not is_plain)

    def paint(self, text: str, state: str) -> str:
        """Return a text in the colour of a state."""
        colour = COLOURS.get(state) if self.is_colourful else None
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    header: str
    min_width: int | None = None
    """The characters to which it may be cut; if there is no room for these, it is left out.

    None means that it is never cut.
    """


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], screen: Screen) -> list[str]:
    """Return the lines of a table; columns are cut or left out to fit the screen's width.

    A cell with the name of a state has that state's colour.
    """
    widths = [
        max(len(column.header), *(len(row[number]) for row in rows)) if rows else len(column.header)
        for number, column in enumerate(columns)
    ]
    if screen.width:
        _fit(widths, columns, screen.width)
    header = [column.header for column in columns]
    return [_line(header, widths, Screen()), *(_line(row, widths, screen) for row in rows)]


def _fit(widths: list[int], columns: Sequence[Column], room: int) -> None:
    """Cut columns, the last ones first; then drop columns that would become too narrow."""
    for is_dropping in (False, True):
        for number in reversed(range(len(columns))):
            min_width = columns[number].min_width
            excess = sum(width + GAP for width in widths if width) - GAP - room
            if min_width is None or excess <= 0:
                continue
            width = widths[number] - excess
            widths[number] = 0 if is_dropping else min(widths[number], max(width, min_width))


def _line(cells: Iterable[str], widths: Sequence[int], screen: Screen) -> str:
    shown: list[str] = []
    for cell, width in zip(cells, widths, strict=True):
        if width:
            text = cell if len(cell) <= width else f"{cell[: width - 1]}…"
            shown.append(screen.paint(text, cell) + " " * (width - len(text)))
    return (" " * GAP).join(shown).rstrip()
