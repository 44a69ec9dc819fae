"""What scripts write, counted: where each attempt's part of it begins and ends, and its lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.lines import ends_in, lines_of
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.runtime.pump import OutputTail
from job_execution_framework.service_layer.record_line import JOURNAL
from tests.support.scripts import Scripts
from tests.support.supervised import supervised

LOOKS_LIKE_OURS = """\
import pathlib, threading, time
def late(journal):
    while "ScriptRetrying" not in journal.read_text():
        time.sleep(0.01)
    print("late")
def main(journal):
    print("--- save, attempt 1")
    threading.Thread(target=late, args=(pathlib.Path(journal),)).start()
    print("half", end="", flush=True)
"""
"""Prints something between the attempts of the script after it."""
FAILS = (
    "import sys\ndef main():\n    print('\\u00fc', file=sys.stderr)\n    raise OSError('disk')\n"
)


def test_records_tell_where_an_attempts_output_begins_and_ends(tmp_path: Path) -> None:
    """Whatever scripts write: a mark that one of them prints is not where another begins."""
    records, output = supervised(
        tmp_path,
        Script("open", Source(LOOKS_LIKE_OURS), {"journal": str(tmp_path / JOURNAL)}),
        Script("save", Source(FAILS), retries=Retries(1, 2)),
    )
    begins = [event.output_begins for event in records if isinstance(event, events.ScriptStarted)]
    ends = [
        event.output_ends
        for event in records
        if isinstance(event, (events.ScriptSucceeded, events.ScriptFailed))
    ]
    parts = [output[begin:end].decode() for begin, end in zip(begins, ends, strict=True)]
    assert parts[0] == "--- save, attempt 1\nhalf"
    for part in parts[1:]:
        assert part.removeprefix("late\n").startswith("ü\nTraceback (most recent call last):\n")
        assert part.endswith("OSError: disk\n")
    assert output.count(b"late\n") == 1
    assert output[: begins[0]] == b"--- open, attempt 1\n"
    assert output[ends[1] : begins[2]].endswith(b"--- save, attempt 2\n")


@pytest.mark.parametrize(
    ("chunks", "count"),
    [
        ([b"a\nb\r\nc\rd"], 4),
        ([b"a\r", b"\nb\r", b"\r", b"\n"], 3),
        ([b"\n", b"\n"], 2),
        ([b"a\r"], 1),
        ([b""], 0),
        (["a\u2028b\x0bc\x85d\n".encode()], 1),
    ],
)
def test_lines_end_with_lf_crlf_or_cr_wherever_the_output_is_cut(
    chunks: list[bytes], count: int
) -> None:
    said = OutputTail()
    for chunk in chunks:
        said.add(chunk)
    lines, number = said.take(10)
    assert number == count
    whole = b"".join(chunks)
    assert lines == [line for line in lines_of(whole.decode()) if line]
    is_torn = bool(whole) and not whole.endswith((b"\n", b"\r"))
    assert ends_in(whole, b"") == count - is_torn


def test_a_long_progress_bar_is_not_forgotten(scripts: Scripts) -> None:
    source = """
    def main():
        for n in range(4000): print("\\r%4d of 4000 %s" % (n, "#" * 30), end="")
        raise ValueError
    """
    cause = scripts.fails(source)
    assert cause.said_lines == 4001
    assert cause.said[-1].startswith("3999 of 4000 ###")
    assert len(cause.said) == 5


def test_carriage_returns_are_told_as_ends_of_lines(scripts: Scripts) -> None:
    cause = scripts.fails(
        "def main():\n    print('one\\r\\ntwo\\r')\n    raise OSError('a\\r\\nb\\rc')"
    )
    assert cause.said == ("one", "two")
    assert cause.message == "a\nb\nc"
