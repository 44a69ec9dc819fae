"""What the records container prints of progress: little, however long a session runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from enso_operator.sessions.pods.progress_tail import ProgressTail
from job_execution_framework.domain.progress import LONGEST_TEXT, Progress
from job_execution_framework.service_layer.progress_line import to_line
from job_execution_framework.service_layer.record_line import LONGEST_PROGRESS_BYTES, PROGRESS

LOOKS = 0.11
"""Seconds, a little more than between two looks at the file."""


def said(number: int, message: str = "") -> bytes:
    return to_line(Progress("do", 1, number % 100, message, number + 1))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / PROGRESS


def test_it_is_printed_when_it_has_changed_and_at_most_once_a_second(file: Path) -> None:
    tail, printed = ProgressTail(file, 0), list[bytes]()
    for number in range(100):
        file.write_bytes(said(number // 4))
        printed.append(tail.read(number * LOOKS))
    lines = [line for line in printed if line]
    assert 8 <= len(lines) <= 11
    assert lines[0] == said(0)
    assert len(set(lines)) == len(lines)


def test_nothing_new_prints_nothing_but_once_more_on_request(file: Path) -> None:
    file.write_bytes(said(1))
    tail = ProgressTail(file, 0)
    assert [tail.read(at) for at in (0, 5, 10)] == [said(1), b"", b""]
    tail.repeat()
    assert [tail.read(at) for at in (20, 25)] == [said(1), b""]


def test_all_progress_of_ten_days_fits_into_a_log_beside_the_records(file: Path) -> None:
    tail, now, size, number = ProgressTail(file, 0), 0.0, 0, 0
    while now < 10 * 24 * 3600:
        number += 1
        file.write_bytes(said(number, "x" * LONGEST_TEXT))
        size += len(tail.read(now))
        now = max(now + LOOKS, tail._look_at)  # pyright: ignore[reportPrivateUsage]
    assert size < 2 * 1024 * 1024


@pytest.mark.parametrize("what", ["nothing", "folder", "fifo", "link", "device"])
def test_what_a_script_puts_there_instead_prints_nothing(file: Path, what: str) -> None:
    if what == "folder":
        file.mkdir()
    elif what == "fifo":
        os.mkfifo(file)
    elif what == "device":
        file.symlink_to("/dev/zero")
    elif what == "link":
        file.with_name("other").write_bytes(said(1))
        file.symlink_to(file.with_name("other"))
    assert ProgressTail(file, 0).read(0) == b""


@pytest.mark.parametrize(
    "text",
    [b"", b"progress {", b'{"v":1,"type":"End"}\n', b"\n" + said(1), b"drained\n"],
    ids=repr,
)
def test_what_is_no_progress_is_not_printed(file: Path, text: bytes) -> None:
    file.write_bytes(text)
    assert ProgressTail(file, 0).read(0) == b""
    file.write_bytes(b"progress " + b"x" * LONGEST_PROGRESS_BYTES + b"\n")
    assert ProgressTail(file, 0).read(0) == b""
