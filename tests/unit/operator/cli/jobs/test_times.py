"""Times and durations as people write and read them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from enso_operator.cli.jobs.times import InvalidTime, age, duration, seconds_of_age, since

NOW = datetime(2026, 11, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20:00", "2026-11-28T20:00:00+02:00"),
        ("2:15", "2026-11-29T02:15:00+02:00"),
        ("2h", "2026-11-29T01:30:00+02:00"),
        ("1d12h", "2026-11-27T15:30:00+02:00"),
        ("2026-11-20", "2026-11-20T00:00:00+02:00"),
        ("2026-11-20T08:00:00Z", "2026-11-20T08:00:00+00:00"),
    ],
)
def test_times_and_ages_that_since_understands(text: str, expected: str) -> None:
    assert since(text, NOW).isoformat() == expected


@pytest.mark.parametrize("text", ["yesterday", "25:00", "12:61", "2", "", "-2h", "2026-13-01"])
def test_what_is_no_time_is_said_with_what_is_one(text: str) -> None:
    with pytest.raises(InvalidTime, match="is no time: write 20:00, 2h"):
        since(text, NOW)


def test_durations() -> None:
    assert [duration(text) for text in ("90", "90s", "10m", "1h30m")] == [90, 90, 600, 5400]
    with pytest.raises(InvalidTime, match="'soon' is no duration: write 90s"):
        duration("soon")


@pytest.mark.parametrize(
    "text", ["0s", "119s", "5m41s", "9m", "41m", "5h12m", "30h", "3d4h", "90d"]
)
def test_an_age_is_shown_as_kubectl_does_and_read_back(text: str) -> None:
    assert age(seconds_of_age(text)) == text


def test_no_age_is_longer_than_it_was() -> None:
    for seconds in range(0, 40 * 86400, 997):
        assert seconds_of_age(age(seconds)) <= seconds
    assert age(-5) == "0s"  # another machine's clock may be ahead
