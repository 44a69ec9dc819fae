"""The axis of time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enso_operator.http_api.web.views.axis import WIDTH, Axis, axis_of

MOMENTS = st.floats(0, 1e9, allow_nan=False)
SPANS = st.lists(st.tuples(MOMENTS, st.floats(0, 1e6)), min_size=1, max_size=12)


def _axis(*spans: tuple[float, float], running_since: float | None = None, now: float = 0) -> Axis:
    axis = axis_of(spans, running_since, now)
    assert axis is not None
    return axis


def test_nothing_has_no_axis() -> None:
    assert axis_of([], None, 0) is None


def test_what_ran_without_a_pause_is_drawn_to_scale() -> None:
    axis = _axis((100, 110), (110, 140))
    assert [axis.position(at) for at in (100, 110, 140)] == [0, 25, 100]
    assert axis.cuts == ()


def test_a_night_is_cut_out() -> None:
    axis = _axis((0, 60), (50_000, 50_060))
    (cut,) = axis.cuts
    assert cut.seconds == 49_940
    assert (axis.position(60), axis.position(50_000)) == (cut.left, cut.left + cut.width)
    assert axis.position(30) == pytest.approx(cut.left / 2)
    assert axis.position(50_060) == 100
    assert [at for _, at in axis.begins] == [0, 50_000]


def test_a_short_pause_stays() -> None:
    assert _axis((0, 60), (64, 100)).cuts == ()
    assert _axis((0, 1), (5, 6)).cuts == ()


def test_while_something_runs_the_end_of_the_axis_moves_in_steps() -> None:
    ends = {_axis((0, now), running_since=0, now=now).pieces[-1].end for now in range(1, 3600)}
    assert len(ends) < 20
    axis = _axis((0, 100), running_since=0, now=100)
    assert axis.position(100) < WIDTH
    assert axis.position(101) - axis.position(100) == pytest.approx(axis.rate, rel=0.01)


@given(SPANS)
def test_positions_grow_with_time_within_the_width(spans: list[tuple[float, float]]) -> None:
    axis = _axis(*((begin, begin + length) for begin, length in spans))
    moments = sorted([begin for begin, _ in spans] + [begin + length for begin, length in spans])
    positions = [axis.position(at) for at in moments]
    assert all(before <= after for before, after in pairwise(positions))
    assert positions[0] >= 0
    assert positions[-1] <= WIDTH + 0.01
