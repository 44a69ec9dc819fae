"""Runs the plan of a session, once, and writes its events into a journal.

``python -m job_execution_framework.runtime PLAN DIRECTORY [CONTROL GRACE SUMMARY]``. The directory
belongs to this one session run and holds:

========== ==========================================================================
``marker`` made with ``O_EXCL``, so that a second start of the same run starts nothing
``alive``  locked by the supervisor as long as it lives
``journal`` the records
``control`` a `SessionControl` that the coordinator writes, as JSON
========== ==========================================================================

In a Pod CONTROL is another file than that, GRACE is how many seconds scripts have to clean up, and
a SUMMARY is kept beside the journal. There SIGTERM means that the Pod is taken away: the running
script may clean up, and its outcome stays unknown. Elsewhere SIGTERM cancels the session.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from job_execution_framework.domain.cause import LONGEST_ON_A_LINE, printable, unbroken
from job_execution_framework.domain.control import CANCEL
from job_execution_framework.domain.errors import EnsoError
from job_execution_framework.domain.events import (
    Event,
    ScriptEvent,
    ScriptFailed,
)
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.secret import Redactor, Secret
from job_execution_framework.runtime import summary
from job_execution_framework.runtime.journal import Journal, JournalUnitOfWork
from job_execution_framework.runtime.processes import orphans
from job_execution_framework.runtime.session_runner import SessionRunner
from job_execution_framework.service_layer.execution import execute
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.record_line import JOURNAL, LONGEST_BYTES
from job_execution_framework.service_layer.records import End, to_line

MARKER, ALIVE, CONTROL = "marker", "alive", "control"
GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL, for a script's own clean-up."""
LOCK_TRIES, LOCK_PAUSE_SECONDS = 20, 0.01
"""How often a lock that another process holds is tried, and how long after the try before."""
THINNING_BYTES = 3 * 1024 * 1024
"""Size of a Pod's journal above which records are thinned out: a node cuts a log at 10 MiB."""
LONGEST_NAME, MOST_NAMED = 200, 10
"""Characters of the name of a killed process, and number of names, that are recorded."""


def main(
    plan_file: str,
    directory: str,
    control: str = "",
    grace: str = str(GRACE_SECONDS),
    summary_file: str = "",
) -> int:
    """Run the plan; return 0 where its journal is complete, even if scripts failed."""
    root = Path(directory)
    alive = os.open(root / ALIVE, os.O_WRONLY | os.O_CREAT, 0o644)
    if not _lock(alive):
        return 0  # the run has its supervisor
    journal = Journal(root / JOURNAL)
    if not first_start(root):
        journal.append(End("the session was started a second time, and started nothing"))
        return 0
    try:
        plan = Plan.from_json(Path(plan_file).read_text("utf-8"), os.environ)
        unit_of_work = SummarizingUnitOfWork(
            plan, journal, Path(summary_file) if summary_file else None
        )
        killed = _run(plan, root, unit_of_work, Path(control or root / CONTROL), float(grace))
    except (EnsoError, OSError) as error:
        journal.append(End(f"{type(error).__name__}: {error}"))
        return 1
    journal.append(End(killed=killed))
    unit_of_work.sum_up(ended=True)
    return 0


class SummarizingUnitOfWork(JournalUnitOfWork):
    """Keeps a summary beside the journal, where `file` says so."""

    def __init__(self, plan: Plan, journal: Journal, file: Path | None) -> None:
        super().__init__(plan.job(), journal)
        self._job_id, self._lease, self._file = plan.job_id, plan.lease, file

    def save(self, job: Job, events: list[Event], version: int | str | None) -> int:
        """Append the new events, and write the summary."""
        is_large = self._file is not None and self.journal.size() > THINNING_BYTES
        events = [_thinned(event) if is_large or _is_long(event) else event for event in events]
        saved = super().save(job, events, version)
        self.sum_up()
        return saved

    def sum_up(self, *, ended: bool = False) -> None:
        """Write the states of the scripts."""
        if self._file:
            summary.write(self._file, self.load(self._job_id)[0], self._lease, ended=ended)


def _is_long(event: Event) -> bool:
    """Whether the line of the event's record is so long that readers ignore it."""
    return len(to_line(event)) > LONGEST_BYTES


def _thinned(event: Event) -> Event:
    """Return the event without fields that only people need, or that the plan has, too."""
    if isinstance(event, ScriptFailed):
        message = printable(unbroken(event.cause.message), LONGEST_ON_A_LINE)
        event = replace(event, cause=replace(event.cause, message=message, said=()))
    return replace(event, parameters={}) if isinstance(event, ScriptEvent) else event


def _lock(alive: int) -> bool:
    """Lock the file until this process ends. `is_alive` locks it, too, for an instant."""
    for _ in range(LOCK_TRIES):
        if _try_lock(alive, fcntl.LOCK_EX):
            return True
        time.sleep(LOCK_PAUSE_SECONDS)
    return False


def is_alive(directory: Path) -> bool:
    """Whether the supervisor of the session run in `directory` lives."""
    with suppress(FileNotFoundError), (directory / ALIVE).open("rb") as alive:
        return not _try_lock(alive.fileno(), fcntl.LOCK_SH)
    return False


def _try_lock(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def first_start(root: Path) -> bool:
    """Make the marker; return whether this is the first start of the run."""
    try:
        (root / MARKER).touch(0o644, exist_ok=False)
    except FileExistsError:
        return False
    return True


def _run(
    plan: Plan, root: Path, unit_of_work: JournalUnitOfWork, control: Path, grace: float
) -> tuple[str, ...]:
    """Run the plan; return names of what scripts left running that did not end by itself."""
    for variable in plan.secrets():
        os.environ.pop(variable, None)  # a script gets its own secrets as parameters, no others
    runner = SessionRunner(plan, root, control, grace)
    runner.redactor.learn(*(Secret(os.environ.get(name)) for name in plan.secret_environment))
    runner.add_modules([script for script in plan.scripts if script.name not in plan.lease])
    orphans.adopt()
    is_alone = control.parent == root
    signal.signal(
        signal.SIGTERM,
        lambda _number, _frame: runner.tell(CANCEL) if is_alone else runner.terminate(),
    )
    runner.watch_for_cancel()
    try:
        execute(plan.job_id, job_uow=unit_of_work, runner=runner)
    finally:
        left = runner.close()
    return _shown(left, runner.redactor)


def _shown(killed: list[str], redactor: Redactor) -> tuple[str, ...]:
    """Return the names of killed processes as people may see them: redacted, and bounded."""
    names = [printable(redactor.hide(name), LONGEST_NAME) for name in killed[:MOST_NAMED]]
    more = len(killed) - len(names)
    return (*names, f"{more} more") if more else tuple(names)
