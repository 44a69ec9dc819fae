"""The place up to which a log has been shown, over readings that end early."""

from __future__ import annotations

import pytest

from enso_operator.cli.jobs.log_place import LogPlace

LOG = [b"--- open, attempt 1\n", b"opened\n", b"--- bake, attempt 1\n", b"frame 1\n"]


def readings(*logs: list[bytes]) -> tuple[list[bytes], int]:
    """Return what is shown of a log that is read so often, and how often it had been rotated."""
    rotations: list[None] = []
    place = LogPlace(lambda: rotations.append(None))
    shown = [line for lines in logs for line in place.rest_of(lines)]
    return shown, len(rotations)


@pytest.mark.parametrize("first", [[], LOG[:1], LOG[:3], LOG])
def test_each_line_is_shown_once(first: list[bytes]) -> None:
    assert readings(first, LOG, LOG) == (LOG, 0)


@pytest.mark.parametrize(
    ("first", "shown"),
    [
        ([b"--- open, at"], [b"--- open, at", b"tempt 1\n", *LOG[1:]]),
        ([*LOG[:2], b"--- b"], [*LOG[:2], b"--- b", b"ake, attempt 1\n", *LOG[3:]]),
    ],
)
def test_a_line_that_was_cut_goes_on(first: list[bytes], shown: list[bytes]) -> None:
    assert readings(first, LOG) == (shown, 0)


def test_of_a_log_that_was_begun_anew_all_is_shown_and_that_is_said() -> None:
    rotated = [b"frame 1\n", b"frame 2\n"]
    assert readings(LOG, rotated, [*rotated, b"frame 3\n"]) == (
        [*LOG, *rotated, b"frame 3\n"],
        1,
    )
