"""Progress as a line: what one release writes another reads, and what is none is passed over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from job_execution_framework.domain.errors import Unreadable
from job_execution_framework.domain.progress import LONGEST_TEXT, Progress, percent_of
from job_execution_framework.service_layer import records
from job_execution_framework.service_layer.progress_line import from_line, to_line
from job_execution_framework.service_layer.record_line import (
    BEGINS,
    LONGEST_PROGRESS_BYTES,
    PROGRESS_BEGINS,
    Lines,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "progress.v1.txt"
SAID = [
    Progress("simulate", 2, 42.5, r"meshing 🎬 /a\b", 7),
    Progress("simulate", 1, 0.0, number=1),
    Progress("publish", 1, None, "waits for the tracker", 2),
]


def test_progress_is_written_and_read_as_it_always_was() -> None:
    golden = GOLDEN.read_bytes()
    assert b"".join(map(to_line, SAID)) == golden
    assert [*map(from_line, golden.splitlines())] == SAID


def test_a_release_that_knows_no_progress_takes_it_for_no_record() -> None:
    """It passes over lines that do not begin as records do; a record of a new kind it refuses."""
    journal = Lines(BEGINS)
    assert journal.of(b'{"v":1,"a":1}\n' + GOLDEN.read_bytes() + b'{"v":1,"b":1}\n') == [
        b'{"v":1,"a":1}',
        b'{"v":1,"b":1}',
    ]
    with pytest.raises(Unreadable):
        records.from_line(to_line(SAID[0]).removeprefix(PROGRESS_BEGINS))


def document(**changes: object) -> bytes:
    text = json.dumps({"v": 1, "script": "s", "attempt": 1, "percent": 5, **changes})
    return PROGRESS_BEGINS + text.encode()


@pytest.mark.parametrize(
    "line",
    [
        *[b"", b"progress", b"progress ", b"progress {", b"progress []", b"progress 1", b"\xff"],
        *[document(v=version) for version in (2, "1", None)],
        *[document(percent=percent) for percent in ("5", [5], True)],
        *[document(script=1), document(attempt="1"), document(message=1), document(number=2**60)],
        document(message="x" * LONGEST_PROGRESS_BYTES),
        b"progress " + b"[" * 1000,
    ],
    ids=lambda line: repr(line[:50]),
)
def test_what_is_no_progress_is_passed_over(line: bytes) -> None:
    assert from_line(line) is None


def test_fields_of_a_newer_release_are_ignored() -> None:
    assert from_line(document(later=[1])) == Progress("s", 1, 5)


def test_what_a_script_may_have_written_there_itself_is_bounded() -> None:
    read = from_line(document(percent=1e9, message="a\nb\x1b" + "c" * 1000))
    assert read
    assert read.percent == 100
    assert read.message.startswith("a b\\x1bccc")
    assert len(read.message) == LONGEST_TEXT
    for percent in (-1, float("nan"), float("inf")):
        read = from_line(document(percent=percent))
        assert read is None or read.percent is None


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        *[("42.5", 42.5), ("0", 0), ("100", 100), ("99.96", 100), ("1e1", 10), ("-0.0", 0)],
        *[("101", 100), ("1e300", 100), (" 7 ", 7)],
        *[("nan", None), ("1e999", None), ("-1", None), ("-inf", None), ("half", None)],
        *[("", None), ("42%", None), ("4 2", None)],
    ],
)
def test_a_percentage_is_a_number_that_is_not_negative(text: str, percent: float | None) -> None:
    read = percent_of(text)
    assert read == percent
    assert not str(read).startswith("-")


def test_the_longest_line_fits() -> None:
    longest = Progress("s" * 63, 10**6, 99.9, "🎬" * LONGEST_TEXT, 10**9)
    line = to_line(longest).rstrip(b"\n")
    assert from_line(line) == longest
