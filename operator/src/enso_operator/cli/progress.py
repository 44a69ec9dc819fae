"""What `enso run` shows: each transition as a line, what the scripts write, and the failure."""

from __future__ import annotations

import asyncio
import mmap
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from types import TracebackType
from typing import BinaryIO, Self

from rich.console import Console
from rich.segment import Segment, Segments
from rich.status import Status
from rich.text import Text

from enso_operator.adapters.local import OUTPUT
from enso_operator.journals import RunFolder
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import printable
from job_execution_framework.domain.events import arguments, took
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.runtime.child_runner import MARK, mark
from job_execution_framework.service_layer.clock import SystemClock

LOOK_SECONDS = 0.1
"""How often the scripts' output is looked at."""
LINES_SHOWN = 200
"""Lines of one attempt that are shown; the log has them all."""
LARGEST_LINE_BYTES = 64 * 1024
LONGEST_LINE = 2000
"""Characters of a line that are shown."""
_MARK = re.compile(re.escape(MARK.encode()) + rb"[-a-z0-9]+, attempt \d+\n")
_STYLES = {"succeeded": "green", "failed": "red", "interrupted": "yellow", "retrying": "yellow"}


class Progress:
    """Lines for a person on a terminal or in a log; on a terminal also what runs right now."""

    def __init__(self, folder: RunFolder, file: Path) -> None:
        self._console = Console()
        self._folder, self._file, self._clock = folder, file, SystemClock()
        self._status: Status | None = None
        self._running = ""
        self._since = 0.0
        self._log: Path | None = None
        self._position = 0
        self._shown = 0
        self._begun: set[str] = set()
        """The marks of the open session's attempts whose start has been told."""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            spinner = "dots" if self._console.encoding.startswith("utf") else "line"
            self._status = self._console.status("starting", spinner=spinner)
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._status:
            self._status.stop()

    def say(self, text: str, style: str = "") -> None:
        """Print one line, or several, as they are: no word of them is a style or a picture."""
        text = text.encode("utf-8", "backslashreplace").decode()  # a file's name may be anything
        line = Segment(f"{text}\n", self._console.get_style(style or "none"))
        self._console.print(Segments([line]), soft_wrap=True)

    def attach(self, job: Job) -> None:
        """Take up a job that somebody else showed until now."""
        for event in job.events:
            self._take_up(event, event.at)
        running = f", {self._running} since {self._took()}"
        running = running if self._running else ""
        self.say(
            f"{job.id} has not ended{running}: going on with it as it was started; changes to "
            f"{self._file} are not used"
        )
        if self._log and self._log.exists():
            begun = [one.encode() for one in self._begun]
            self._position = max((_last(self._log, one) for one in begun), default=0)

    def _took(self) -> str:
        return took(max(0.0, self._clock.now() - self._since))

    def _take_up(self, event: events.Event, at: float) -> None:
        """Know which session's output is shown, which attempts began, and what runs."""
        if isinstance(event, events.SessionOpened):
            self._log, self._position = self._folder.sessions / event.run / OUTPUT, 0
            self._begun.clear()
        elif isinstance(event, events.ScriptStarted):
            self._running = f"{event.number}/{event.of} {event.script} running"
            self._since = at
            self._begun.add(mark(event.script, event.attempt))
        elif isinstance(event, events.ScriptEvent):
            self._running = ""

    async def watch(self) -> None:
        """Show output and the running time until cancelled."""
        while True:
            self._show_output()
            if self._status and self._running:
                self._status.update(Text(f"{self._running}, {self._took()}"))
            await asyncio.sleep(LOOK_SECONDS)

    def committed(self, job: Job, new: Sequence[events.Event]) -> None:
        """Tell what happened; the scripts' own output comes before what came of it."""
        del job  # the events say it all
        for event in new:
            self._show_output()
            self._take_up(event, self._clock.now())
            if isinstance(event, events.ScriptEvent):
                self._tell(event)
            elif isinstance(event, (events.InterpreterLost, events.SessionEnded)):
                self._tell_loss(event)

    def _tell(self, event: events.ScriptEvent) -> None:
        what = type(event).__name__.removeprefix("Script").lower()
        place = f"{event.number}/{event.of} {event.script}"
        text = f"{place} {what}{event.outcome()}"
        if isinstance(event, events.ScriptStarted):
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            args = f": {arguments(event.parameters)}" if event.parameters else ""
            text = f"{place} {what}{again}{args}"
        elif mark(event.script, event.attempt) not in self._begun:
            text = f"{place} in doubt, nobody can know whether it began{event.outcome()}"
        self.say(text, _STYLES.get(what, ""))

    def _tell_loss(self, event: events.InterpreterLost | events.SessionEnded) -> None:
        if isinstance(event, events.InterpreterLost):
            self.say(
                "the interpreter is gone, and what its scripts had in memory with it", "yellow"
            )
        elif event.cause:
            self.say(f"session {event.run} was lost: {event.cause}", "yellow")
        elif event.killed:
            self.say(f"session {event.told()}", "yellow")

    def ended(self, job: Job) -> None:
        """Say how the job ended and, where it failed, all that helps."""
        self._show_output()
        done = sum(row.done for row in job.rows.values())
        if job.state is JobState.SUCCEEDED:
            self.say(f"{job.id} succeeded: {done} of {len(job.rows)} scripts done", "bold green")
            return
        resume = f"{_program()} run {shlex.quote(str(self._file))} --resume"
        if card := failure_card(job, log=str(self._log or self._folder.path), resume=resume):
            self.say(f"{job.id} failed: {done} of {len(job.rows)} scripts done", "bold red")
            self.say("\nWhy:\n" + "\n".join(f"  {line}" for line in card.why))
            return
        stopped = [name for name, row in job.rows.items() if row.state is ScriptState.FAILED]
        where = f" at {stopped[-1]}" if stopped else ""
        text = f"{job.id} was cancelled{where}: {done} of {len(job.rows)} scripts done"
        self.say(f"{text}; resume: {resume}", "bold yellow")

    def _show_output(self) -> None:
        """Show the scripts' new lines. That they cannot be read is no reason to stop their job."""
        if not self._log or not self._log.exists():
            return
        try:
            self._show_new_lines(self._log)
        except OSError as error:
            self.say(f"what scripts write is not shown any more: {error}", "yellow")
            self._log = None

    def _show_new_lines(self, file: Path) -> None:
        """Show each below the start of its own script."""
        with file.open("rb") as log:
            log.seek(self._position)
            while (line := log.readline(LARGEST_LINE_BYTES)) and self._show(line):
                self._position = log.tell()
                if self._shown > LINES_SHOWN:
                    self._position = log.seek(_next_mark(log, self._position))

    def _show(self, line: bytes) -> bool:
        """Show one line; False where it has to wait for its end, or for its script's start."""
        if not line.endswith(b"\n") and len(line) < LARGEST_LINE_BYTES:
            return False
        if _MARK.fullmatch(line):
            self._shown = 0
            return line.decode() in self._begun
        self._shown += 1
        if self._shown <= LINES_SHOWN:
            text = printable(line.decode("utf-8", "replace").rstrip("\n"), LONGEST_LINE)
            self.say(f"  | {text}", "dim")
        elif self._shown == LINES_SHOWN + 1:
            self.say(f"  | … more in {self._log}", "dim")
        return True


def _program() -> str:
    """Return how this program can be started again."""
    return "enso" if which("enso") else shlex.quote(sys.argv[0])


def _last(log: Path, line: bytes) -> int:
    """Return where the line stands last in the log, its beginning where it does not."""
    with log.open("rb") as file:
        if not log.stat().st_size:
            return 0
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as content:
            return max(0, content.rfind(line))


def _next_mark(log: BinaryIO, position: int) -> int:
    """Return where the next script's output begins, or the log's end for now."""
    with mmap.mmap(log.fileno(), 0, prot=mmap.PROT_READ) as content:
        found = content.find(b"\n" + MARK.encode(), position - 1)
        return found + 1 if found >= 0 else max(position, len(content) - LONGEST_LINE)
