"""Records from a log that is read again and again."""

from __future__ import annotations

import pytest

from enso_operator.sessions.pods.records import Records
from job_execution_framework.domain.events import Event, InterpreterLost
from job_execution_framework.domain.progress import Progress
from job_execution_framework.service_layer.progress_line import to_line as to_progress_line
from job_execution_framework.service_layer.record_line import BEGINS, LONGEST_BYTES
from job_execution_framework.service_layer.records import End, to_line


def event(seq: int) -> Event:
    return InterpreterLost(at=1, origin="main-1", seq=seq)


def line(seq: int) -> bytes:
    return to_line(event(seq)).removesuffix(b"\n")


END = to_line(End()).removesuffix(b"\n")


def taken(records: Records, *lines: bytes) -> list[int]:
    return [event.seq for text in records.sift(lines) if (event := records.take(text))]


def test_what_was_read_before_is_passed_on_once() -> None:
    records = Records()
    assert taken(records, line(1), line(2)) == [1, 2]
    records.begin(0)
    assert taken(records, line(1), line(2), line(3), END) == [3]
    assert records.complete


def test_lines_that_are_no_records_are_ignored() -> None:
    records = Records()
    said = b"unable to retrieve container logs for containerd://0"
    assert taken(records, b"", said, b"{}", line(1)) == [1]
    assert not records.damage


def test_a_log_that_was_cut_is_not_complete_until_it_is_read_whole() -> None:
    records = Records()
    assert taken(records, line(1), line(4), END) == [1]
    assert not records.complete
    records.begin(0)
    assert not records.complete
    assert taken(records, line(1), line(2), line(3), line(4), END) == [2, 3, 4]
    assert records.complete


def test_nothing_after_a_damaged_record_is_believed() -> None:
    records = Records()
    assert taken(records, line(1), b'{"v":99}', line(2)) == [1]
    assert "99" in records.damage
    assert not records.complete


def test_a_drained_log_is_complete_without_a_final_record() -> None:
    records = Records()
    taken(records, line(1), b"drained")
    assert records.complete


def test_a_log_that_was_cut_is_read_on_from_what_the_job_has() -> None:
    records = Records(5)
    assert taken(records, line(4), line(5), line(6), line(7), END) == [6, 7]
    assert records.complete


@pytest.mark.parametrize(
    ("lines", "damage"),
    [
        ([BEGINS + b" " * LONGEST_BYTES], "a record of more than 65536 bytes"),
        ([b""] * 2_000_000, "more than 1048576 bytes that are no records"),
        ([b"x" * 70_000] * 20, "more than 1048576 bytes that are no records"),
    ],
)
def test_a_flood_is_damage(lines: list[bytes], damage: str) -> None:
    records = Records()
    taken(records, *lines)
    assert taken(records, line(1)) == []
    assert damage in records.damage
    assert not records.complete


def test_the_heartbeats_of_a_month_are_no_flood() -> None:
    records = Records()
    assert taken(records, *[b""] * (30 * 24 * 360), line(1)) == [1]


def test_what_was_read_before_is_read_again_at_once_and_what_is_new_in_its_time() -> None:
    new, now = Records(), 5.0
    new.begin(now)
    lines = [line(seq) for seq in range(1, 12_000)]
    assert len(taken(new, *lines)) == len(lines)
    assert new.wait(now) > 30
    new.begin(now)
    assert taken(new, *lines) == []
    assert new.wait(now) == 0
    few = Records()
    few.begin(now)
    taken(few, *lines[:800])
    assert few.wait(now) == 0


def said(number: int) -> bytes:
    return to_progress_line(Progress("do", 1, number, number=number)).removesuffix(b"\n")


def test_progress_is_no_record_and_an_older_one_is_not_shown_again() -> None:
    records = Records()
    assert taken(records, line(1), said(1), line(2), said(2)) == [1, 2]
    assert records.progress == Progress("do", 1, 2, number=2)
    records.begin(0)
    assert taken(records, line(1), said(1)) == []
    assert records.progress == Progress("do", 1, 2, number=2)
    assert taken(records, line(2), said(2), said(3), b"progress {garbage", END) == []
    assert records.progress == Progress("do", 1, 2, number=2), "of a piece the last line counts"
    assert taken(records, said(3)) == []
    assert records.progress == Progress("do", 1, 3, number=3)
    assert records.complete


def test_progress_of_many_days_damages_no_log() -> None:
    records = Records()
    for _ in range(40):
        assert taken(records, *[said(number) for number in range(1000)]) == []
    assert not records.damage
