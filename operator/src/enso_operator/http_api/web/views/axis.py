"""The axis of time of a job: where in its width a moment stands.

Long stretches in which nothing ran (a night before somebody resumed) are cut to a narrow mark: what
ran is what people look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 100.0
"""Positions are per cent of the width."""
LONG_PAUSE_SECONDS = 5.0
LONG_PAUSE_SHARE = 0.15
"""A pause is cut where it is longer than both: so many seconds, and that share of what ran."""
CUT_WIDTH = 3.0
"""The width of a pause that is cut."""
MOST_CUT_WIDTH = 40.0
"""The width of all of them together."""
FIRST_HORIZON_SECONDS = 10.0
HORIZON_GROWTH = 1.4
"""While a job runs its axis is longer than what ran, and grows in steps: else each change of one
bar would move all others."""

Span = tuple[float, float]
"""A beginning and an end, in seconds since the epoch."""


@dataclass(frozen=True)
class Cut:
    """A pause of the job that is not drawn at its length."""

    left: float
    width: float
    seconds: float


@dataclass(frozen=True)
class _Piece:
    begin: float
    end: float
    left: float
    width: float


@dataclass(frozen=True)
class Axis:
    """From moments to positions."""

    pieces: tuple[_Piece, ...]
    cuts: tuple[Cut, ...]

    def position(self, at: float, *, is_end: bool = False) -> float:
        """Return where the moment stands.

        Within a pause that was cut that is its end; of the end of something its beginning.
        """
        right = 0.0
        for piece in self.pieces:
            if is_end and at < piece.begin:
                return round(right, 3)
            if at <= piece.end:
                share = max(0.0, at - piece.begin) / (piece.end - piece.begin)
                return round(piece.left + share * piece.width, 3)
            right = piece.left + piece.width
        return WIDTH

    @property
    def end(self) -> float:
        """The moment at its end."""
        return self.pieces[-1].end

    @property
    def rate(self) -> float:
        """How far a second moves at its end."""
        last = self.pieces[-1]
        return round(last.width / (last.end - last.begin), 6)

    @property
    def begins(self) -> tuple[tuple[float, float], ...]:
        """The position and the moment at which each of its pieces begins."""
        return tuple((piece.left, piece.begin) for piece in self.pieces)


def axis_of(spans: Iterable[Span], running_since: float | None, now: float) -> Axis | None:
    """Return the axis on which all spans stand; None where nothing has run.

    `running_since` is the beginning of what runs now, if anything does: it may go on.
    """
    busy = merged(sorted(spans))
    if not busy:
        return None
    active = sum(end - begin for begin, end in busy)
    limit = max(LONG_PAUSE_SECONDS, LONG_PAUSE_SHARE * active)
    stretches = [busy[0]]
    for begin, end in busy[1:]:
        if begin - stretches[-1][1] > limit:
            stretches.append((begin, end))
        else:
            stretches[-1] = (stretches[-1][0], end)
    if running_since is not None:
        begin, _ = stretches[-1]
        stretches[-1] = (begin, begin + _horizon(max(now - begin, stretches[-1][1] - begin)))
    return _drawn(stretches)


def merged(spans: Sequence[Span]) -> list[Span]:
    """Return the spans, in the order of their beginnings, as one wherever they touch."""
    whole: list[Span] = []
    for begin, end in spans:
        if whole and begin <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((begin, max(begin, end)))
    return whole


def _horizon(seconds: float) -> float:
    horizon = FIRST_HORIZON_SECONDS
    while horizon < seconds * 1.05:
        horizon *= HORIZON_GROWTH
    return horizon


def _drawn(stretches: Sequence[Span]) -> Axis:
    lengths = [max(end - begin, 0.001) for begin, end in stretches]
    pauses = len(stretches) - 1
    cut_width = min(CUT_WIDTH, MOST_CUT_WIDTH / pauses) if pauses else 0.0
    scale = (WIDTH - pauses * cut_width) / sum(lengths)
    pieces: list[_Piece] = []
    cuts: list[Cut] = []
    left = 0.0
    for number, ((begin, _), length) in enumerate(zip(stretches, lengths, strict=True)):
        if number:
            cuts.append(Cut(round(left, 3), cut_width, begin - stretches[number - 1][1]))
            left += cut_width
        pieces.append(_Piece(begin, begin + length, left, length * scale))
        left += length * scale
    return Axis(tuple(pieces), tuple(cuts))
