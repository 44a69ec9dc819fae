"""What `enso run` shows of what scripts write: all of it, each line below its own script."""

from __future__ import annotations

import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from enso_operator.cli.output import LARGEST_LINE_BYTES, Line, Output
from tests.support.workstation import Workstation
from tests.unit.operator.cli.test_run import NOTE

LIKE_MARKS = """\
def main():
    print("before")
    print("--- two, attempt 1")
    print("--- upload, attempt 2")
    print("after")
"""
ENDS = """\
import sys
def main():
    print("windows\\r\\nlines\\r\\n", end="")
    for percent in range(0, 101, 5): print("\\r%3d%% done" % percent, end="", flush=True)
    print()
    print("old\\rnew")
    print("half", end="")
"""
BAR = (
    NOTE
    + """\
import time
def main():
    for percent in range(40, 43): print("\\r%d %%" % percent, end="", flush=True)
    while not os.path.exists(os.environ["NOTES"]): time.sleep(0.05)
"""
)


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    return Workstation(tmp_path)


def shown(said: str) -> list[str]:
    """Return the scripts' own lines, and where each attempt begins and ends."""
    kept = ("  | ", "1/2 ", "2/2 ")
    lines = [line.partition(":")[0] for line in said.splitlines() if line.startswith(kept)]
    return [line.partition(",")[0] if line[0] != " " else line for line in lines]


def test_a_line_that_looks_like_a_mark_is_a_line_and_hides_nothing(
    workstation: Workstation,
) -> None:
    workstation.write(
        [
            {"name": "one", "source": LIKE_MARKS},
            {"name": "two", "source": LIKE_MARKS + "    raise OSError\n"},
        ]
    )
    code, said = workstation.run()
    assert code == 1
    lines = ["  | before", "  | --- two, attempt 1", "  | --- upload, attempt 2", "  | after"]
    assert shown(said)[:11] == [
        *("1/2 one started", *lines, "1/2 one succeeded"),
        *("2/2 two started", *lines),
    ]
    assert said.index("  | OSError") < said.index("2/2 two failed")


def test_lines_end_as_they_do_on_a_terminal(workstation: Workstation) -> None:
    workstation.write(
        [{"name": "one", "source": ENDS}, {"name": "two", "source": "def main(): pass"}]
    )
    code, said = workstation.run()
    assert code == 0, said
    assert shown(said) == [
        "1/2 one started",
        *("  | windows", "  | lines", "  | 100% done", "  | new", "  | half"),
        "1/2 one succeeded",
        *("2/2 two started", "2/2 two succeeded"),
    ]


def test_a_progress_bar_is_seen_while_it_grows(workstation: Workstation) -> None:
    workstation.write([{"name": "one", "source": BAR}])
    ours, theirs = pty.openpty()
    process = workstation.start(stdout=theirs, stderr=subprocess.STDOUT)
    os.close(theirs)
    seen = bytearray()
    while b"42 %" not in seen:
        seen += os.read(ours, 65536)
    (workstation.root / "notes").touch()
    read_all(ours)
    assert process.wait(60) == 0


def read_all(terminal: int) -> bytes:
    seen = bytearray()
    with suppress(OSError):  # nobody holds the other end any more
        while data := os.read(terminal, 65536):
            seen += data
    os.close(terminal)
    return bytes(seen)


@pytest.mark.parametrize("terminal", [True, False])
def test_only_where_nobody_looks_on_is_a_long_output_cut(
    workstation: Workstation, terminal: bool
) -> None:
    workstation.write(
        [{"name": "one", "source": "def main():\n    for n in range(300): print('n', n)"}]
    )
    ours, theirs = pty.openpty() if terminal else os.pipe()
    process = workstation.start(stdout=theirs, stderr=subprocess.STDOUT)
    os.close(theirs)
    said = read_all(ours)
    assert process.wait(60) == 0
    assert b"  | n 199" in said
    assert (b"  | n 299" in said) is terminal
    assert (b"more in" in said) is not terminal


@pytest.mark.parametrize(
    ("data", "lines", "rest"),
    [
        (b"a\nb\r\nc\rd", [Line(b"a"), Line(b"b"), Line(b"c", True)], b"d"),
        (b"a\r", [], b"a\r"),
        (b"\r 1 %\r 2 %", [Line(b"", True), Line(b" 1 %", True)], b" 2 %"),
        (b"\n\n", [Line(b""), Line(b"")], b""),
        (b"x" * LARGEST_LINE_BYTES + b"y\n", [Line(b"x" * LARGEST_LINE_BYTES), Line(b"y")], b""),
        (b"a\n" * LARGEST_LINE_BYTES, [Line(b"a")] * LARGEST_LINE_BYTES, b""),
    ],
)
def test_lines_are_read_as_they_come(
    tmp_path: Path, data: bytes, lines: list[Line], rest: bytes
) -> None:
    output = Output(tmp_path)
    output.log.write_bytes(data)
    assert list(output.lines(output.size(), is_end=False)) == lines
    assert output.incomplete == rest
    with output.log.open("ab") as log:
        log.write(b"\n")
    whole = b"".join(line.text for line in output.lines(output.size(), is_end=True))
    assert whole == rest.rstrip(b"\r")
    assert output.incomplete == b""


def test_what_may_be_of_an_attempt_that_is_not_known_yet_waits(tmp_path: Path) -> None:
    output = Output(tmp_path)
    assert output.attributable() == 0
    output.log.write_bytes(b"of the first\n")
    (tmp_path / "journal").write_bytes(b"start\n")
    assert output.attributable() == 0
    output.known, output.is_in_attempt = 1, True
    assert output.attributable() == 13
    with (tmp_path / "journal").open("ab") as journal:
        journal.write(b"end\nanother start\n")
    output.log.write_bytes(b"of the first\nof another\n")
    assert output.attributable() == 0
    output.known = 3
    assert output.attributable() == 24


def test_the_mark_of_an_attempt_that_is_not_recorded_yet_is_not_shown(tmp_path: Path) -> None:
    output = Output(tmp_path)
    (tmp_path / "journal").write_bytes(b"session\n")
    output.known = 1
    output.log.write_bytes(b"--- one, attempt 1\n")
    assert output.attributable() == 0
