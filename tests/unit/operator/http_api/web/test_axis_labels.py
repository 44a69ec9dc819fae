"""No label of an axis covers another one or leaves the axis, however wide that is."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from enso_operator.http_api.web.views.labels import (
    CHARACTER,
    WIDTHS,
    Label,
    width_for,
    widths_for,
)

TIMES = st.builds(Label, st.floats(0, 100), st.integers(1, 40), st.booleans())


@given(st.lists(TIMES, max_size=12), st.floats(WIDTHS[0], 3000))
def test_labels_that_are_shown_stand_apart(labels: list[Label], width: float) -> None:
    widths = widths_for(labels)
    extents: list[tuple[float, float]] = []
    for label, least in zip(labels, widths, strict=True):
        if least is not None and least <= width:
            at, length = label.left / 100 * width, label.characters * CHARACTER
            extents.append((at - length, at) if label.ends_there else (at, at + length))
    extents.sort()
    for (_, before), (after, _) in pairwise(extents):
        assert after > before
    assert all(begin >= -1 and end <= width + 1 for begin, end in extents)


def test_begin_and_end_are_always_shown() -> None:
    assert widths_for([Label(0, 8), Label(100, 8, ends_there=True)]) == [WIDTHS[0], WIDTHS[0]]


def test_a_label_that_continues_another_one_is_shown_where_both_have_room() -> None:
    labels = [Label(0, 8), Label(100, 8, ends_there=True), Label(50, 8), Label(0, 20, continues=2)]
    first, end, second, more = widths_for(labels)
    assert (first, end, second) == (170, 170, 240)
    assert more == 560


def test_a_name_is_shown_where_it_has_room() -> None:
    assert width_for(6, 100) == WIDTHS[0]
    assert width_for(6, 10) == 420
    assert width_for(60, 0.4) is None
