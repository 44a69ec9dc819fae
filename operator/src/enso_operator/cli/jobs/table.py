"""Tables and colours, on a terminal and elsewhere. Pure: what is known of the screen is given."""

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
"""Of a state: the terminal's code for its colour."""


@dataclass(frozen=True)
class Screen:
    """What is known of where it is shown."""

    width: int | None = None
    """None where nobody says: then nothing is cut."""
    height: int | None = None
    is_colourful: bool = False

    @classmethod
    def of_output(cls) -> Screen:
        """Return that of standard output: only on a terminal anything is cut or coloured."""
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
    least: int | None = None
    """To how many characters it may be cut, and left out where there is no room even for these.

    None: it is always shown whole.
    """


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], screen: Screen) -> list[str]:
    """Return the lines of a table, as wide as the screen at most, if its columns allow it.

    A cell that is a state has that state's colour.
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
    """Cut the columns that may be cut, the last ones first; one that gets too narrow is dropped."""
    for is_dropping in (False, True):
        for number in reversed(range(len(columns))):
            least = columns[number].least
            too_much = sum(width + GAP for width in widths if width) - GAP - room
            if least is None or too_much <= 0:
                continue
            left = widths[number] - too_much
            widths[number] = 0 if is_dropping else min(widths[number], max(left, least))


def _line(cells: Iterable[str], widths: Sequence[int], screen: Screen) -> str:
    shown: list[str] = []
    for cell, width in zip(cells, widths, strict=True):
        if width:
            text = cell if len(cell) <= width else f"{cell[: width - 1]}…"
            shown.append(screen.paint(text, cell) + " " * (width - len(text)))
    return (" " * GAP).join(shown).rstrip()
