"""The output of `enso run`: a line for each event, what the scripts write, and the failure card.

`run.py` and `resume.py` create a `Progress`; the actor calls `committed` after each commit.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.segment import Segment, Segments
from rich.status import Status
from rich.text import Text

from enso_operator.cli.output import Line, Output
from enso_operator.cli.run_folders import RunFolder
from enso_operator.cli.said_progress import SaidProgress
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import printable
from job_execution_framework.domain.events import arguments, took
from job_execution_framework.domain.failed_run import failed_run
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.runtime.child_runner import mark
from job_execution_framework.service_layer.clock import SystemClock

POLL_SECONDS = 0.1
"""How often the scripts' output is read."""
LINES_SHOWN = 200
"""Lines of one attempt that are shown if the output is no terminal; the log has them all."""
LONGEST_LINE = 2000
"""The most characters of a line that are shown."""
BAR_SECONDS = 10.0
"""How often a progress bar is shown if the output is no terminal, where it takes a line."""
_STYLES = {"succeeded": "green", "failed": "red", "interrupted": "yellow", "retrying": "yellow"}


class Progress:
    """Prints lines to a terminal or a log; on a terminal also a status line about what runs now."""

    def __init__(self, folder: RunFolder, file: Path) -> None:
        self._console = Console()
        self._folder, self._file, self._clock = folder, file, SystemClock()
        self._status: Status | None = None
        self._running, self._waits = "", "starting"
        """What the status line says: the script that runs, or else what is waited for."""
        self._since = 0.0
        self._output: Output | None = None
        """The output of the latest session run."""
        self._shown = 0
        self._bar, self._bar_at = "", 0.0
        """The latest line that ends with CR (a progress bar), and when one was shown last."""
        self._said = SaidProgress()
        self._incomplete = ""
        """The output after the last complete line."""
        self._begun: set[tuple[str, int]] = set()
        """The attempts of the open session whose start was recorded."""

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
        """Print one or more lines as they are, without rich's markup and emoji codes."""
        text = text.encode("utf-8", "backslashreplace").decode()  # file names may have any bytes
        line = Segment(f"{text}\n", self._console.get_style(style or "none"))
        self._console.print(Segments([line]), soft_wrap=True)

    def attach(self, job: Job) -> None:
        """Continue to show a job that an earlier `enso run` has started."""
        for event in job.events:
            self._track(event, event.at)
        running = f", {self._running} since {self._took()}"
        running = running if self._running else ""
        self.say(
            f"{job.id} has not ended{running}: going on with it as it was started; changes to "
            f"{self._file} are not used"
        )

    def _took(self) -> str:
        return took(max(0.0, self._clock.now() - self._since))

    def _track(self, event: events.Event, at: float) -> None:
        """Update from an event: which output is shown, from which position, and what runs."""
        if isinstance(event, events.SessionOpened):
            self._output = Output(self._folder.sessions / event.run)
            self._begun.clear()
            self._running, self._waits = "", "starting"
        elif isinstance(event, events.ScriptStarted):
            self._running = f"{event.place()} running"
            self._since, self._shown = at, 0
            self._said.clear()
            self._begun.add((event.script, event.attempt))
        elif isinstance(event, events.ScriptEvent):
            retries = isinstance(event, events.ScriptRetrying)
            self._running = ""
            self._waits = f"{event.place()} waits for its retry" if retries else ""
            self._said.clear()
        if self._output and event.origin == self._output.run:
            self._output.known = event.seq
            self._output.is_in_attempt = isinstance(event, events.ScriptStarted)
            self._output.skip_to(_output_position(event) or 0)

    async def watch(self) -> None:
        """Show output and the running time until cancelled."""
        while True:
            self._show_output()
            if self._status and self._running:
                said = self._said.bar(is_ascii=not self._console.encoding.startswith("utf"))
                head = " | ".join(filter(None, [f"{self._running}, {self._took()}", said]))
                room = max(0, self._console.width - len(head) - len("⠋  | "))
                live = f" | {self._incomplete[:room]}" if self._incomplete else ""
                room = max(0, self._console.width - len("⠋ "))
                self._status.update(Text(f"{head}{live}"[:room]))
            elif self._status:
                self._status.update(Text(self._waits))
            await asyncio.sleep(POLL_SECONDS)

    def committed(self, job: Job, new: Sequence[events.Event]) -> None:
        """Show new events; the output of a script comes before the event of its outcome."""
        del job  # the events have everything that is shown
        for event in new:
            self._show_output(event)
            self._track(event, self._clock.now())
            if isinstance(event, events.ScriptEvent):
                self._show_event(event)
            elif isinstance(event, (events.InterpreterLost, events.SessionEnded)):
                self._show_loss(event)

    def _show_event(self, event: events.ScriptEvent) -> None:
        what = type(event).__name__.removeprefix("Script").lower()
        place = event.place()
        text = f"{place} {what}{event.outcome()}"
        if isinstance(event, events.ScriptStarted):
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            args = f": {arguments(event.parameters)}" if event.parameters else ""
            text = f"{place} {what}{again}{args}"
        elif (event.script, event.attempt) not in self._begun:
            text = f"{place} in doubt, nobody can know whether it began{event.outcome()}"
        self.say(text, _STYLES.get(what, ""))

    def _show_loss(self, event: events.InterpreterLost | events.SessionEnded) -> None:
        if isinstance(event, events.InterpreterLost):
            self.say(
                "the interpreter is gone, and what its scripts had in memory with it", "yellow"
            )
        elif event.cause:
            self.say(f"session {event.run} was lost: {event.cause}", "yellow")
        elif event.killed:
            self.say(f"session {event.details()}", "yellow")

    def ended(self, job: Job) -> None:
        """Print how the job ended and, if it failed, why and how to resume it."""
        self._show_output()
        done, total = sum(job.rows[script.name].done for script in job.main), len(job.main)
        if job.state is JobState.SUCCEEDED:
            self.say(f"{job.id} succeeded: {done} of {total} scripts done", "bold green")
            return
        resume = f"{_program()} run {shlex.quote(str(self._file))} --resume"
        run = failed_run(job)
        log = Output(self._folder.sessions / run).log if run else self._folder.path
        if card := failure_card(job, log=str(log), resume=resume):
            self.say(f"{job.id} failed: {done} of {total} scripts done", "bold red")
            self.say("\nWhy:\n" + "\n".join(f"  {line}" for line in card.why))
            return
        states = {script.name: job.rows[script.name].state for script in job.main}
        stopped = [name for name, state in states.items() if state is ScriptState.FAILED]
        where = f" at {stopped[-1]}" if stopped else ""
        text = f"{job.id} was cancelled{where}: {done} of {total} scripts done"
        self.say(f"{text}; resume: {resume}", "bold yellow")

    def _show_output(self, event: events.Event | None = None) -> None:
        """Show the scripts' new lines, up to the position of an event.

        If the log cannot be read, the job still goes on.
        """
        if not self._output:
            return
        try:
            self._show_lines(self._output, event)
        except OSError as error:
            self.say(f"what scripts write is not shown any more: {error}", "yellow")
            self._output = None

    def _show_lines(self, output: Output, event: events.Event | None) -> None:
        end, is_end = _output_position(event), True
        if isinstance(event, events.SessionEnded):
            end = output.size()
        elif end is None:
            end, is_end = output.attributable(), False
        elif isinstance(event, events.ScriptStarted):
            end -= len(mark(event.script, event.attempt))
        for line in output.lines(min(end, output.size()), is_end=is_end):
            self._show(line)
            if self._shown > LINES_SHOWN and not self._console.is_terminal:
                output.skip_to(end)
                break
        self._show_bar(output, is_end=is_end)

    def _show(self, line: Line) -> None:
        """Show one line; keep a line that the next one overwrites until the last of them."""
        text = _text(line.text)
        if self._said.take(text):
            return
        if line.is_overwritten:
            self._bar = text if text.strip() else self._bar
            return
        text, self._bar = text or self._bar, ""
        self._shown += 1
        if self._shown <= LINES_SHOWN or self._console.is_terminal:
            self.say(f"  | {text}", "dim")
        elif self._shown == LINES_SHOWN + 1 and self._output:
            self.say(f"  | … more in {self._output.log}", "dim")

    def _show_bar(self, output: Output, *, is_end: bool) -> None:
        """Show an incomplete line: in a terminal's status line, else every BAR_SECONDS."""
        self._incomplete = _text(output.incomplete).strip() or self._bar.strip()
        is_due = not self._status and self._clock.now() >= self._bar_at + BAR_SECONDS
        if is_due and (said := self._said.news()):
            self.say(f"  | {said}", "dim")
            self._bar_at = self._clock.now()
        if self._bar and (is_end or is_due):
            self._show(Line((self._bar if is_end else self._incomplete).encode()))
            self._bar_at = self._clock.now()


def _program() -> str:
    """Return the command that starts this program."""
    return "enso" if which("enso") else shlex.quote(sys.argv[0])


def _text(line: bytes) -> str:
    return printable(line.decode("utf-8", "replace"), LONGEST_LINE)


def _output_position(event: events.Event | None) -> int | None:
    """Return the position of an attempt's event in its session's output, if it is known."""
    if isinstance(event, events.ScriptStarted):
        return event.output_begins
    if isinstance(event, (events.ScriptSucceeded, events.ScriptFailed)):
        return event.output_ends
    return None
