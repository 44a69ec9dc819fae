"""Durations as people write them, in events, in failure cards and on pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_execution_framework.domain.events import took


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 ms"),
        (0, "0 ms"),
        (0.04, "40 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (2.54, "2.5 s"),
        (9.96, "10 s"),
        (41, "41 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (407, "6 min 47 s"),
        (3_599, "59 min 59 s"),
        (3599.6, "1 h"),
        (3_600, "1 h"),
        (12_600, "3 h 30 min"),
        (86_340, "23 h 59 min"),
        (86_399, "1 d"),
        (190_000, "2 d 5 h"),
    ],
)
def test_a_duration_is_told_in_the_units_that_matter(seconds: float, text: str) -> None:
    assert took(seconds) == text


@given(st.floats(0, 1e9, allow_nan=False))
def test_what_is_told_is_nearly_right(seconds: float) -> None:
    units = {"ms": 0.001, "s": 1, "min": 60, "h": 3_600, "d": 86_400}
    words = took(seconds).split()
    told = sum(
        float(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True)
    )
    assert told == pytest.approx(seconds, rel=0.055, abs=0.0005)
