"""Which labels of an axis are shown, so that none covers another one or leaves the axis.

How wide the axis is only the browser knows: each label is given the narrowest width from which it
is shown, and the style asks for that (`.from-…` in enso.css).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTHS = (170, 240, 320, 420, 560, 760, 1000, 1400)
"""Widths of an axis, in pixels; it is hardly ever narrower than the first of them."""
CHARACTER = 6.4
"""The width of a character of a label."""
GAP = 10.0
"""The space between two labels."""


@dataclass(frozen=True)
class Label:
    """A text on the axis."""

    left: float
    """Where it begins, in per cent of the width; or where it ends."""
    characters: int
    ends_there: bool = False
    continues: int | None = None
    """The number of the label that it follows without a gap."""


def widths_for(labels: Sequence[Label]) -> list[int | None]:
    """Return for each label the narrowest width from which it is shown; None where never.

    Those that come first are shown first.
    """
    shown: list[int | None] = [None] * len(labels)
    for width in WIDTHS:
        for number, label in enumerate(labels):
            if shown[number] is None and _fits(label, labels, shown, width):
                shown[number] = width
    return shown


def width_for(characters: int, share: float) -> int | None:
    """Return the narrowest width of which a share, in per cent, has room for so many characters."""
    fitting = (width for width in WIDTHS if characters * CHARACTER <= share / 100 * width)
    return next(fitting, None)


def _fits(label: Label, labels: Sequence[Label], shown: Sequence[int | None], width: int) -> bool:
    if label.continues is not None and shown[label.continues] is None:
        return False
    begin, end = _extent(label, labels, width)
    if begin < -1 or end > width + 1:
        return False
    for other, is_shown in enumerate(shown):
        if is_shown is None or other == label.continues:
            continue
        other_begin, other_end = _extent(labels[other], labels, width)
        if begin < other_end + GAP and other_begin < end + GAP:
            return False
    return True


def _extent(label: Label, labels: Sequence[Label], width: int) -> tuple[float, float]:
    length = label.characters * CHARACTER
    if label.continues is not None:
        _, begin = _extent(labels[label.continues], labels, width)
        return begin, begin + length
    at = label.left / 100 * width
    return (at - length, at) if label.ends_there else (at, at + length)
