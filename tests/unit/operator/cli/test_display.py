"""A broken display does not stop the job; output of scripts is shown unchanged."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import until
from tests.support.workstation import Workstation
from tests.unit.operator.cli.test_run import NOTE

FULL = Path("/dev/full")
VERBATIM = (
    "hero:eye:ctrl",
    "a:b:c :smile:",
    "[bold]no style[/bold] [/] \\[x]",
    "a\ttab, and the end of a long line" + " " * 60 + "|",
    "ends in blanks   ",
)


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    return Workstation(tmp_path)


def two_sessions(says: str = "hello", until: str = "True") -> dict[str, Any]:
    """Return a job whose second session shows that somebody still drives it."""
    source = f"{NOTE}def main(name):\n    print({says!r})\n    note(name)\n"
    waits = f"    import time\n    while not ({until}): time.sleep(0.05)\n"
    interpreter = ["env", "PYTHONIOENCODING=utf-8", sys.executable]
    first = {"name": "one", "session": "a", "source": source + waits, "timeoutSeconds": 50}
    last = {"name": "two", "session": "b", "source": source}
    return {
        "scripts": [script | {"args": {"name": script["name"]}} for script in (first, last)],
        "sessions": [{"name": name, "interpreter": interpreter} for name in "ab"],
    }


def test_a_disk_that_is_full_does_not_stop_the_job(workstation: Workstation) -> None:
    workstation.write(**two_sessions())
    with FULL.open("w") as full:
        process = workstation.start(stdout=full, stderr=subprocess.PIPE)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, workstation.notes) == (0, ["one", "two"])
    assert said == (
        "enso: nothing more is shown, as standard output cannot be written: "
        "No space left on device\n"
    )


def test_no_display_at_all_does_not_stop_the_job(workstation: Workstation) -> None:
    workstation.write(**two_sessions())
    process = workstation.start(preexec_fn=lambda: os.closerange(0, 3))
    process.communicate(timeout=60)
    assert (process.returncode, workstation.notes) == (0, ["one", "two"])


def test_a_terminal_that_is_closed_does_not_stop_the_job(workstation: Workstation) -> None:
    closed = workstation.root / "closed"
    workstation.write(**two_sessions(until=f"os.path.exists({str(closed)!r})"))
    ours, theirs = pty.openpty()
    process = workstation.start(
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    os.close(theirs)
    until(lambda: workstation.notes == ["one"])
    os.close(ours)
    closed.touch()
    assert process.wait(60) == 0
    assert workstation.notes == ["one", "two"]


def test_a_terminal_without_such_characters_shows_escapes(workstation: Workstation) -> None:
    workstation.environment["PYTHONIOENCODING"] = "latin-1"
    workstation.write(**two_sessions(says="日本 für …"))
    process = workstation.start(text=False, encoding="latin-1")
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, workstation.notes) == (0, ["one", "two"])
    assert "  | \\u65e5\\u672c für \\u2026\n" in said


def terminal(workstation: Workstation) -> str:
    """Return what the job shows on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    process = workstation.start(stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    while True:
        try:
            said += os.read(ours, 65536)
        except OSError:  # nobody holds the other end any more
            break
    os.close(ours)
    process.wait(60)
    return said.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("place", ["pipe", "terminal"])
def test_what_scripts_say_is_shown_as_it_is(
    workstation: Workstation, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")  # a terminal that is told no colours
    said = "\n".join(VERBATIM)
    source = f"def main(path):\n    print({said!r})\n    raise OSError(path)\n"
    workstation.write([{"name": "say", "source": source, "args": {"path": "hero:eye:ctrl[/bold]"}}])
    shown = workstation.run()[1] if place == "pipe" else terminal(workstation)
    for line in VERBATIM:
        assert f"  | {line}\n" in shown, shown
    for line in (
        "1/1 say started: path=hero:eye:ctrl[/bold]\n",
        "    OSError: hero:eye:ctrl[/bold]\n",
        "  args    path=hero:eye:ctrl[/bold]\n",
    ):
        assert line in shown, shown


def test_without_buffers_a_line_is_shown_at_once() -> None:
    steady = "import sys; from enso_operator.cli import display; display.replace_streams()"
    program = f"{steady}; print('now'); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"now\n"
        process.communicate()
    assert process.returncode == 0
