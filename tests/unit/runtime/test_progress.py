"""What scripts say of themselves in their output, in the words of Open Job Description."""

from __future__ import annotations

import textwrap
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.progress import LONGEST_TEXT, Progress
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.secret import Redactor, Secret
from job_execution_framework.runtime import progress
from job_execution_framework.runtime.progress import LONGEST_LINE_BYTES, ProgressReader
from job_execution_framework.service_layer.progress_line import from_line
from job_execution_framework.service_layer.record_line import JOURNAL, PROGRESS
from tests.support.eventually import until
from tests.support.scripts import Scripts
from tests.support.supervised import supervised


class Said:
    """A reader, and the progress in its file."""

    def __init__(self, folder: Path, *secrets: Secret) -> None:
        self.file = folder / PROGRESS
        self.reader = ProgressReader(self.file, Redactor(*secrets))
        self.reader.begin("do", 1)

    def now(self) -> Progress | None:
        return from_line(self.file.read_bytes().rstrip(b"\n")) if self.file.exists() else None

    def becomes(self, percent: float | None, message: str = "") -> None:
        def is_so() -> bool:
            said = self.now()
            return said is not None and (said.percent, said.message) == (percent, message)

        until(is_so)


@pytest.fixture
def said(tmp_path: Path) -> Said:
    return Said(tmp_path)


def test_lines_are_read_however_they_are_torn(said: Said) -> None:
    for byte in b"noise\nopenjd_progress: 42.5\r\nopenjd_status: meshing\ropenjd_progr":
        said.reader.add(bytes([byte]))
    said.becomes(42.5, "meshing")
    said.reader.add(b"ess: 43\n")
    said.becomes(43, "meshing")


@pytest.mark.parametrize(
    "line",
    [
        *["openjd_progress: nan", "openjd_progress: 1e999", "openjd_progress: -1"],
        *["openjd_progress: half", "openjd_progress:", "openjd_progress", " openjd_progress: 7"],
        *["say openjd_progress: 7", "openjd_env: A=7", "openjd_unknown: 7", "OPENJD_PROGRESS: 7"],
    ],
)
def test_what_is_no_progress_is_passed_over(said: Said, line: str) -> None:
    said.reader.add(f"openjd_progress: 5\n{line}\nopenjd_status: on\n".encode())
    said.becomes(5, "on")


def test_a_text_is_one_line_bounded_and_without_secrets(tmp_path: Path) -> None:
    said = Said(tmp_path, Secret("canary-4711"))
    said.reader.add(f"openjd_status: uses canary-4711 \x1b[31m{'x' * 1000}\nopenjd_".encode())
    until(said.file.exists)
    now = said.now()
    assert now
    assert now.message.startswith("uses *** \\x1b[31mxxx")
    assert len(now.message) == LONGEST_TEXT


def test_of_a_long_line_the_first_bytes_are_read_and_half_a_secret_is_none(tmp_path: Path) -> None:
    said = Said(tmp_path, Secret("canary-4711"))
    begin = "openjd_fail: "
    line = begin + "x" * (LONGEST_LINE_BYTES - len(begin) - 6) + "canary-4711"
    for part in (line[:3000], line[3000:4090], line[4090:], "y" * 100_000, "\nopenjd_progress: 3"):
        said.reader.add(part.encode())
    failed = said.reader.end()
    assert failed.startswith("xxx")
    assert "canary" not in failed
    assert len(failed) <= LONGEST_LINE_BYTES


def test_it_is_gone_when_the_attempt_has_ended_and_nobody_brings_it_back(said: Said) -> None:
    said.reader.add(b"openjd_progress: 5\n")
    said.becomes(5)
    said.reader.add(b"openjd_progress: 6\n")  # this waits for its turn to be written
    assert said.reader.end() == ""
    said.reader.add(b"openjd_progress: 7\n")  # a daemon of the script writes on
    assert not said.file.exists()
    said.reader.begin("do", 2)
    said.reader.add(b"openjd_status: once more\n")
    said.becomes(None, "once more")
    now = said.now()
    assert now
    assert (now.attempt, now.number) == (2, 3)


def test_a_flood_is_written_at_most_once_a_second(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[float] = []
    pauses: list[float] = []
    done = threading.Event()
    replace = ProgressReader._replace_file  # pyright: ignore[reportPrivateUsage]

    def counted(reader: ProgressReader, line: bytes) -> None:
        written.append(1)
        replace(reader, line)

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        done.wait(60)

    monkeypatch.setattr(ProgressReader, "_replace_file", counted)
    monkeypatch.setattr(progress, "time", SimpleNamespace(sleep=pause))  # no other's pauses
    for number in range(100_000):
        said.reader.add(b"openjd_progress: %.3f\n" % (number / 1000))
    until(lambda: pauses)
    assert len(written) == 1
    done.set()
    said.becomes(100)


def test_100_000_lines_of_progress_leave_no_trace_in_the_journal(tmp_path: Path) -> None:
    flood = """\
    import enso
    def main():
        for number in range(100_000):
            enso.progress(number / 1000, f"frame {number}")
    """
    records, output = supervised(tmp_path, Script("do", Source(textwrap.dedent(flood))))
    kinds = [type(record).__name__ for record in records]
    assert kinds == ["ScriptStarted", "ScriptSucceeded", "End"]
    assert len((tmp_path / JOURNAL).read_bytes().splitlines()) == 3
    assert not (tmp_path / PROGRESS).exists()
    assert output.count(b"openjd_progress: ") == output.count(b"openjd_status: frame ") == 100_000


def test_what_a_script_says_is_shown_while_it_runs(scripts: Scripts) -> None:
    go_on = scripts.directory / "go-on"
    source = f"""
    import enso, io, contextlib, pathlib, time
    def main():
        with contextlib.redirect_stdout(io.StringIO()):
            enso.progress(42.54, "meshing\\nnow")
        while not pathlib.Path({str(go_on)!r}).exists():
            time.sleep(0.01)
    """
    file = scripts.directory / PROGRESS
    thread_says: list[bytes] = []

    def look() -> None:
        until(file.exists)
        thread_says.append(file.read_bytes())
        go_on.touch()

    thread = threading.Thread(target=look)
    thread.start()
    assert scripts.run(source).cause is None
    thread.join()
    assert from_line(thread_says[0].rstrip()) == Progress("bad", 1, 42.5, "meshing now", 2)
    assert not file.exists()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("enso.progress('half')", "takes a number from 0 to 100, but got 'half'"),
        ("enso.progress('50')", "takes a number from 0 to 100, but got '50'"),
        ("enso.progress(None)", "takes a number from 0 to 100, but got None"),
        ("enso.progress(True)", "takes a number from 0 to 100, but got True"),
        ("enso.progress(-1)", "takes a number from 0 to 100, but got -1"),
        ("enso.progress(float('nan'))", "takes a number from 0 to 100, but got nan"),
        ("enso.progress(10**400)", "takes a number from 0 to 100, but got 1000"),
        ("enso.progress(5, 6)", "takes a text as its message, but got one of type int"),
        ("enso.progress()", "missing 1 required positional argument"),
    ],
)
def test_enso_progress_refuses_what_is_none(scripts: Scripts, call: str, sentence: str) -> None:
    cause = scripts.fails(f"import enso\ndef main():\n    {call}\n")
    assert sentence in cause.message
    assert cause.at
    assert cause.at.text == call


def test_enso_progress_hurts_no_script_that_has_closed_its_output(scripts: Scripts) -> None:
    for close in ("sys.stdout.close()", "sys.__stdout__ = None; sys.stdout = None"):
        source = f"import enso, sys\ndef main():\n    {close}\n    enso.progress(5, 'é')\n"
        assert scripts.run(source).cause is None


FAILS = "def main():\n    print('openjd_fail: no licence for {}')\n    {}\n"


def test_what_a_script_says_of_its_failure_is_the_failures_message(scripts: Scripts) -> None:
    scripts.runner.redactor.learn(Secret("canary-4711"))
    cause = scripts.fails(FAILS.format("canary-4711", "raise OSError('exit code 3')"))
    assert (cause.reason, cause.error) == (Reason.EXCEPTION, "OSError")
    assert cause.message == "no licence for ***"
    assert str(cause) == "OSError: no licence for ***"
    cause = scripts.fails(FAILS.format("ann", "raise SystemExit(3)"))
    assert (cause.reason, cause.message) == (Reason.EXIT_CODE, "3: no licence for ann")
    cause = scripts.fails(FAILS.format("ann", "import os; os._exit(4)"))
    assert cause.reason == Reason.EXITED_EARLY
    assert cause.message.startswith("no licence for ann; the interpreter exited with code 4")


def test_a_success_stays_one_and_the_next_script_has_its_own_words(scripts: Scripts) -> None:
    assert scripts.run(FAILS.format("ann", "pass")).cause is None
    assert scripts.run(FAILS.format("ann", "raise SystemExit(0)")).cause is None
    cause = scripts.fails("def main(): raise OSError('its own')")
    assert cause.message == "its own"


def test_the_last_word_of_a_failure_counts_even_without_an_end_of_its_line(
    scripts: Scripts,
) -> None:
    cause = scripts.fails(
        "def main():\n"
        "    print('openjd_fail: first')\n"
        "    print('openjd_fail: second', end='')\n"
        "    raise OSError\n"
    )
    assert cause.message == "second"


def test_records_of_a_failure_have_what_the_script_said(tmp_path: Path) -> None:
    records, _ = supervised(tmp_path, Script("do", Source(FAILS.format("ann", "raise OSError"))))
    failed = [record for record in records if isinstance(record, events.ScriptFailed)]
    assert [record.cause.message for record in failed] == ["no licence for ann"]
