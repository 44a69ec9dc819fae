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
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from job_execution_framework.domain.cause import LONGEST_ON_A_LINE, Reason, printable, unbroken
from job_execution_framework.domain.control import CANCEL
from job_execution_framework.domain.errors import EnsoError, Unreadable
from job_execution_framework.domain.events import (
    Event,
    ScriptEvent,
    ScriptFailed,
    ScriptSucceeded,
)
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.secret import Redactor, Secret
from job_execution_framework.runtime import summary
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.journal import Journal, JournalUnitOfWork
from job_execution_framework.runtime.processes import orphans
from job_execution_framework.service_layer import controls, services
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.record_line import JOURNAL, LONGEST_BYTES
from job_execution_framework.service_layer.records import End, to_line
from job_execution_framework.service_layer.runner import Result

MARKER, ALIVE, CONTROL = "marker", "alive", "control"
GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL, for a script's own clean-up."""
LOCK_TRIES = 20
"""How often a lock that another process holds is tried."""
THINNING_BYTES = 3 * 1024 * 1024
"""Size of a Pod's journal above which records are thinned out: a node cuts a log at 10 MiB."""
LONGEST_NAME, MOST_NAMED = 200, 10
"""Characters of the name of a killed process, and number of names, that are recorded."""
POLL_SECONDS = 0.1
"""How often the file of the session's control is read."""


class Terminated(EnsoError):
    """The session's Pod was terminated while a script ran; its outcome is not known."""


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
    if isinstance(event, ScriptSucceeded):
        event = replace(event, output=None)
    return replace(event, parameters={}) if isinstance(event, ScriptEvent) else event


class _TerminableRunner(ChildRunner):
    """A runner for Pods: a script that ends because the Pod is taken away has no outcome."""

    terminated = False

    def terminate(self) -> None:
        """End the running script, which may clean up, and start no other."""
        self.terminated = True
        self.tell(CANCEL)

    def run(self, script: Script, attempt: int) -> Result:
        """Run one attempt. Raises Terminated if it ended because the Pod is being terminated."""
        result = super().run(script, attempt)
        if self.terminated and result.cause and result.cause.reason == Reason.CANCELLED:
            raise Terminated(f"script {script.name!r} was ended, as its session was taken away")
        return result


def _lock(alive: int) -> bool:
    """Lock the file until this process ends. `is_alive` locks it, too, for an instant."""
    for _ in range(LOCK_TRIES):
        if _try_lock(alive, fcntl.LOCK_EX):
            return True
        time.sleep(POLL_SECONDS / 10)
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
    session = plan.session
    runner = _TerminableRunner(
        root,
        session.interpreter,
        session.start_timeout_seconds,
        grace,
        plan.job_id,
        session.end_timeout_seconds,
    )
    runner.redactor.learn(*(Secret(os.environ.get(name)) for name in plan.secret_environment))
    runner.add_modules([script for script in plan.scripts if script.name not in plan.lease])
    orphans.adopt()
    is_alone = control.parent == root
    signal.signal(
        signal.SIGTERM,
        lambda _number, _frame: runner.tell(CANCEL) if is_alone else runner.terminate(),
    )
    _apply_control(control, runner)  # the control may have been written before this process started
    threading.Thread(target=_watch_control, args=(control, runner), daemon=True).start()
    try:
        services.execute(plan.job_id, job_uow=unit_of_work, runner=runner)
    finally:
        left = runner.close()
    return _shown(left, runner.redactor)


def _shown(killed: list[str], redactor: Redactor) -> tuple[str, ...]:
    """Return the names of killed processes as people may see them: redacted, and bounded."""
    names = [printable(redactor.hide(name), LONGEST_NAME) for name in killed[:MOST_NAMED]]
    more = len(killed) - len(names)
    return (*names, f"{more} more") if more else tuple(names)


def _watch_control(control: Path, runner: ChildRunner) -> None:
    """Read the control file again and again, and follow it."""
    while True:
        _apply_control(control, runner)
        time.sleep(POLL_SECONDS)


def _apply_control(control: Path, runner: ChildRunner) -> None:
    try:
        text = control.read_text("utf-8") if control.exists() else ""
        if text:
            runner.tell(controls.from_json(text))
    except (Unreadable, OSError):
        return  # a half-written file is read again in a moment
