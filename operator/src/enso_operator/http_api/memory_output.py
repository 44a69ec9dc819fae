"""The output of one attempt of a job in memory, out of the file of its session run.

Events have the positions at which an attempt's output begins and ends. Lines are never parsed for
it: a script may write what looks like enso's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

from enso_operator.http_api.output import NoOutput, check_script
from enso_operator.sessions.local.sessions import OUTPUT
from enso_operator.sessions.regular_file import piece_of
from job_execution_framework.domain.events import ScriptEvent, ScriptStarted
from job_execution_framework.domain.job import Job
from job_execution_framework.runtime.child_runner import mark
from job_execution_framework.service_layer.record_line import JOURNAL

PIECE_BYTES = 64 * 1024
SHORTEST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.02, 0.5
"""Bounds of the pause before the file is looked at again; it grows while nothing is written."""
MOST_LOOKS = 50
"""Looks at a session that records events all the time, where nobody waits for more output."""


@dataclass(frozen=True)
class Place:
    """Where the output of an attempt is."""

    run: str
    begins: int
    ends: int | None
    """None while nobody knows it."""
    is_over: bool
    """Whether the attempt has ended."""
    is_run_open: bool
    """Whether its session run may still write."""
    known: int
    """How many records of the run the job has taken in."""


async def output_of(
    place_of: Callable[[], Place], folder: Path, *, is_following: bool
) -> AsyncGenerator[bytes]:
    """Yield what an attempt wrote, in pieces; while following, until it has ended.

    `place_of` says where that is by now; what it raises is raised.
    """
    place = place_of()
    log = _SessionLog(folder / place.run)
    position, pause, looks = place.begins, SHORTEST_LOOK_SECONDS, 0
    while True:
        size, records = await asyncio.to_thread(log.look)
        place = place_of()
        # The end of an attempt is recorded before the mark of the next one is written: up to
        # `size` all is the attempt's own, unless its end is a record that the job does not know.
        is_certain = place.ends is not None or not place.is_run_open or records <= place.known
        end = (size if place.ends is None else min(size, place.ends)) if is_certain else position
        while position < end:
            most = min(PIECE_BYTES, end - position)
            piece = await asyncio.to_thread(piece_of, log.file, position, most)
            if not piece:
                return
            position += len(piece)
            pause = SHORTEST_LOOK_SECONDS
            yield piece
        if is_certain and (place.is_over or not is_following):
            return
        looks += 1
        if not is_following and looks == MOST_LOOKS:
            return
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_LOOK_SECONDS)


def place_in(job: Job, script: str, number: int) -> Place:
    """Return where the output of an attempt of a script is. Raises NoOutput."""
    check_script(job, script)
    started = _start_of(job, script, number)
    if started is None or started.output_begins is None:
        raise NoOutput(f"attempt {number} of {script!r} has not begun: nothing was written")
    run = started.origin
    later = [event for event in job.events if event.origin == run and event.seq > started.seq]
    ends = [
        getattr(event, "output_ends", None)
        for event in later
        if isinstance(event, ScriptEvent) and (event.script, event.attempt) == (script, number)
    ]
    following = next((event for event in later if isinstance(event, ScriptStarted)), None)
    end = next((end for end in ends if end is not None), None)
    if end is None and following and following.output_begins is not None:
        end = following.output_begins - len(mark(following.script, following.attempt).encode())
    return Place(
        run=run,
        begins=started.output_begins,
        ends=end,
        is_over=not job.is_running(script, number),
        is_run_open=job.open_run is not None and job.open_run.run == run,
        known=job.cursors.get(run, 0),
    )


def _start_of(job: Job, script: str, number: int) -> ScriptStarted | None:
    starts = (event for event in job.events if isinstance(event, ScriptStarted))
    return next(
        (event for event in starts if (event.script, event.attempt) == (script, number)), None
    )


class _SessionLog:
    """The output of a session run, and its journal, of which the records are only counted."""

    def __init__(self, folder: Path) -> None:
        self.file, self._journal = folder / OUTPUT, folder / JOURNAL
        self._position = self._records = 0

    def look(self) -> tuple[int, int]:
        """Return the bytes of output, and then how many records there are."""
        size = self.file.stat().st_size if self.file.is_file() else 0
        while piece := piece_of(self._journal, self._position, PIECE_BYTES):
            self._position += len(piece)
            self._records += piece.count(b"\n")
        return size, self._records
