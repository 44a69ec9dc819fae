"""What the records container prints of a journal that scripts can write to as they like."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from enso_operator.sessions.pods.sidecar import (
    AT_ONCE_BYTES,
    BYTES_A_SECOND,
    LONGEST_LOOK_SECONDS,
    PIECE_BYTES,
    SHORTEST_LOOK_SECONDS,
    Tail,
    pause_after,
)
from job_execution_framework.domain import events
from job_execution_framework.service_layer.record_line import BEGINS, JOURNAL, LONGEST_BYTES
from job_execution_framework.service_layer.records import End, to_line
from tests.support.eventually import until


def record(seq: int, *, size: int = 0) -> bytes:
    """Return a record as a session writes it; `size` is that of its longest text."""
    return to_line(
        events.ScriptStarted(
            at=1, origin="main-1", seq=seq, script="x" * size, number=1, of=1, attempt=seq
        )
    )


def printed(folder: Path, journal: bytes) -> bytes:
    """Return what the container prints of such a journal from its start to its SIGTERM."""
    (folder / "runtime").mkdir()
    (folder / "run").mkdir()
    (folder / "run" / JOURNAL).write_bytes(journal)
    program = [sys.executable, "-m", "enso_operator.sessions.pods.sidecar", str(folder / "runtime")]
    with (folder / "log").open("wb") as log:
        sidecar = subprocess.Popen([*program, str(folder / "run")], stdout=log)
    try:
        until((folder / "runtime" / "runtime.zip").exists)
        sidecar.send_signal(signal.SIGTERM)
        assert sidecar.wait(60) == 0
    finally:
        sidecar.kill()
    return (folder / "log").read_bytes()


def leads_elsewhere(journal: Path) -> None:
    journal.symlink_to("/dev/zero")


def everything(tail: Tail, now: float) -> list[bytes]:
    """Return the records that it reads at one moment."""
    found = b"".join(iter(lambda: tail.read(now), b""))
    return found.splitlines(keepends=True)


def test_records_are_printed_and_that_they_are_all(tmp_path: Path) -> None:
    journal = b"".join(map(record, range(1, 50))) + to_line(End())
    assert printed(tmp_path, journal) == journal + b"drained\n"


def test_what_is_no_record_is_not_printed(tmp_path: Path) -> None:
    noise = b"\n" * 1_000_000 + b"drained\n" + b"said\n" + BEGINS + b"1" * 20_000_000 + b"\n"
    journal = record(1) + noise + record(2) + noise + b'{"v":1,"ty'
    assert printed(tmp_path, journal) == record(1) + record(2) + b"drained\n"


@pytest.mark.parametrize("size", [LONGEST_BYTES // 2, LONGEST_BYTES - 200])
def test_records_are_whole_wherever_they_lie(tmp_path: Path, size: int) -> None:
    records = [record(seq, size=size) for seq in range(1, 8)]
    (tmp_path / JOURNAL).write_bytes(b"".join(records))
    tail, found = Tail(tmp_path / JOURNAL, 0), b""
    while not tail.at_end:
        found += tail.read(0)
    assert found == b"".join(records)


def test_a_record_that_is_written_in_two_pieces_is_read_once(tmp_path: Path) -> None:
    journal, now = tmp_path / JOURNAL, 0.0
    tail = Tail(journal, 0)
    journal.write_bytes(record(1) + record(2)[:10])
    assert everything(tail, now) == [record(1)]
    with journal.open("ab") as file:
        file.write(record(2)[10:])
    assert everything(tail, now) == [record(2)]


def test_a_line_that_never_ends_takes_no_memory(tmp_path: Path) -> None:
    with (tmp_path / JOURNAL).open("wb") as journal:
        journal.write(BEGINS)
        journal.truncate(60_000_000)
    tail = Tail(tmp_path / JOURNAL, 0)
    tracemalloc.start()
    try:
        while not tail.at_end:
            assert tail.read(0) == b""
        assert tracemalloc.get_traced_memory()[1] < 16 * PIECE_BYTES
    finally:
        tracemalloc.stop()


def test_a_whole_journal_is_printed_at_once_and_a_flood_is_not(tmp_path: Path) -> None:
    journal = tmp_path / JOURNAL
    count = 3 * AT_ONCE_BYTES // len(record(1, size=900))
    journal.write_bytes(b"".join(record(seq, size=900) for seq in range(count)))
    tail, now = Tail(journal, 0), 0.0
    at_once = sum(map(len, everything(tail, now)))
    assert AT_ONCE_BYTES <= at_once <= AT_ONCE_BYTES + 2 * PIECE_BYTES
    later = sum(map(len, everything(tail, now + 4)))
    assert later <= 4 * BYTES_A_SECOND + 2 * PIECE_BYTES
    assert not tail.at_end
    # At the end there is a whole journal's worth once more, and no word that it was all.
    rest = sum(map(len, tail.rest(now + 4)))
    assert AT_ONCE_BYTES <= rest <= AT_ONCE_BYTES + 2 * PIECE_BYTES
    assert not tail.at_end


def test_lines_that_only_look_like_records_are_counted_as_what_they_cost(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_bytes((BEGINS + b"\n") * 1_000_000)
    assert len(everything(Tail(tmp_path / JOURNAL, 0), 0)) < 50_000


@pytest.mark.parametrize(
    "replace",
    [os.mkfifo, os.mkdir, leads_elsewhere],
    ids=["a pipe", "a folder", "a link"],
)
def test_a_journal_that_is_no_file_is_none(tmp_path: Path, replace: Callable[[Path], None]) -> None:
    replace(tmp_path / JOURNAL)
    tail = Tail(tmp_path / JOURNAL, 0)
    assert tail.read(0) == b""
    assert tail.at_end


def test_it_looks_more_seldom_the_longer_nothing_comes_and_never_late() -> None:
    idle, pause, looks = 0.0, SHORTEST_LOOK_SECONDS, 0
    while idle < 60:
        assert pause <= min(LONGEST_LOOK_SECONDS, SHORTEST_LOOK_SECONDS + idle / 20) + 1e-9
        idle, pause, looks = idle + pause, pause_after(pause), looks + 1
    assert looks < 60 / LONGEST_LOOK_SECONDS + 100
