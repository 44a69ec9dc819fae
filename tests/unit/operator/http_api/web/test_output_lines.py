"""Lines made of output that comes in pieces."""

from __future__ import annotations

import pytest

from enso_operator.http_api.web.views.output_lines import (
    LONGEST_LINE,
    MOST_KEPT,
    Lines,
    OutputLine,
)
from job_execution_framework.domain.cause import Cause

CAUSE = Cause("Exception", "diverged at frame 1019", "ValueError")
OUTPUT = (
    "旗 1\n\x1b[1;32mgreen\x1b[0m\r\n  1%\r 50%\r100%\n\n\r\r\nopenjd_progress: 4.5\n"
    "error: diverged at frame 1019\r\nover\rwritten\r\r\nthe e"
).encode() + b"nd \xff\xe6\x97"
TEXTS = [
    *("旗 1", "green", "100%", "", "", "openjd_progress: 4.5"),
    *("error: diverged at frame 1019", "written"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_output_that_is_torn_anywhere_makes_the_same_lines(size: int) -> None:
    lines = Lines(CAUSE)
    ended = [
        line
        for start in range(0, len(OUTPUT), size)
        for line in lines.add(OUTPUT[start : start + size])
    ]
    assert [line.text for line in ended] == TEXTS
    assert [line.text for line in ended if line.is_marked] == ["error: diverged at frame 1019"]
    assert lines.begun == OutputLine("the end \ufffd")


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("openjd_progress: 42.5", True),
        ("openjd_status: frame 12", True),
        ("openjd_progress: half", False),
        ("openjd_fail: no licence", False),
        ("openjd_env: A=b", False),
        (" openjd_progress: 42.5", False),
        ("progress: 42.5", False),
    ],
)
def test_only_what_is_shown_elsewhere_can_be_folded(line: str, is_told: bool) -> None:
    (made,) = Lines(None).add(f"{line}\n".encode())
    assert (made.text, made.is_told) == (line, is_told)


def test_a_line_without_an_end_holds_little() -> None:
    lines = Lines(None)
    for _ in range(100):
        assert lines.add(b"x" * 64 * 1024) == []
    assert lines.begun == OutputLine("x" * LONGEST_LINE, more=100 * 64 * 1024 - LONGEST_LINE)
    assert len(vars(lines)["_begun"]) == MOST_KEPT


def test_what_is_written_over_a_long_line_is_shown_whole() -> None:
    lines = Lines(None)
    lines.add(b"x" * 3 * MOST_KEPT + b"\r")
    (line,) = lines.add(b"100%\n")
    assert line == OutputLine("100%")
