"""What a session runs: its plan, once, under a marker, with a journal of what happened.

``python -m job_execution_framework.runtime PLAN DIRECTORY [WORD GRACE SUMMARY]``. The directory
belongs to this one session run and holds:

========== ==========================================================================
``marker`` made with ``O_EXCL``: a second start of the same run starts nothing
``alive``  locked as long as the supervisor lives, by nobody once it is dead
``journal`` the records
``word``   what the coordinator wants: ``pause`` or ``cancel``
========== ==========================================================================

In a Pod the word is another file, the scripts' grace in seconds is given, and a SUMMARY is kept
beside the journal. There SIGTERM comes from whoever takes the Pod away: the script that runs may
clean up, and its outcome stays unknown. Elsewhere SIGTERM means ``cancel``.
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
from job_execution_framework.domain.errors import EnsoError
from job_execution_framework.domain.events import (
    Event,
    ScriptEvent,
    ScriptFailed,
    ScriptSucceeded,
)
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.secret import Redactor, Secret
from job_execution_framework.domain.steps import SessionControl
from job_execution_framework.runtime import summary
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.journal import Journal, JournalUnitOfWork
from job_execution_framework.runtime.processes import orphans
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.record_line import JOURNAL, LONGEST_BYTES
from job_execution_framework.service_layer.records import End, to_line
from job_execution_framework.service_layer.runner import Result

MARKER, ALIVE, WORD = "marker", "alive", "word"
GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL, for a script's own clean-up."""
LOOKS = 20
"""How often a lock that somebody holds is tried again."""
THICK_BYTES = 3 * 1024 * 1024
"""Size of a Pod's journal from which on its records are thin: a node cuts a log at 10 MiB."""
LONGEST_NAME, MOST_NAMED = 200, 10
"""How much is said of what had to be killed."""
LISTEN_SECONDS = 0.1
"""How soon a control word is seen."""


class Terminated(EnsoError):
    """Somebody took the session's machine away while a script ran: how it ended is not known."""


def main(
    plan_file: str,
    directory: str,
    word: str = "",
    grace: str = str(GRACE_SECONDS),
    summary_file: str = "",
) -> int:
    """Run the plan; return 0 where its journal is complete, whatever became of the scripts."""
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
        killed = _run(plan, root, unit_of_work, Path(word or root / WORD), float(grace))
    except (EnsoError, OSError) as error:
        journal.append(End(f"{type(error).__name__}: {error}"))
        return 1
    journal.append(End(killed=killed))
    unit_of_work.sum_up(ended=True)
    return 0


class SummarizingUnitOfWork(JournalUnitOfWork):
    """Keeps a summary beside the journal, where one is wanted."""

    def __init__(self, plan: Plan, journal: Journal, file: Path | None) -> None:
        super().__init__(plan.job(), journal)
        self._job_id, self._lease, self._file = plan.job_id, plan.lease, file

    def save(self, job: Job, events: list[Event], version: int | str | None) -> int:
        """Append the new events, and sum up."""
        is_thick = self._file is not None and self.journal.size() > THICK_BYTES
        events = [_thinned(event) if is_thick or _is_long(event) else event for event in events]
        saved = super().save(job, events, version)
        self.sum_up()
        return saved

    def sum_up(self, *, ended: bool = False) -> None:
        """Write how the scripts stand."""
        if self._file:
            summary.write(self._file, self.load(self._job_id)[0], self._lease, ended=ended)


def _is_long(event: Event) -> bool:
    """Whether nobody would take the event for a record, as its line is too long."""
    return len(to_line(event)) > LONGEST_BYTES


def _thinned(event: Event) -> Event:
    """Leave out of an event what only tells people more: its job knows the parameters."""
    if isinstance(event, ScriptFailed):
        message = printable(unbroken(event.cause.message), LONGEST_ON_A_LINE)
        event = replace(event, cause=replace(event.cause, message=message, said=()))
    if isinstance(event, ScriptSucceeded):
        event = replace(event, output=None)
    return replace(event, parameters={}) if isinstance(event, ScriptEvent) else event


class _TerminableRunner(ChildRunner):
    """In a Pod: a script that is ended because the Pod is taken away has no outcome."""

    terminated = False

    def terminate(self) -> None:
        """End the running script, which may clean up, and start no other."""
        self.terminated = True
        self.cancel()

    def run(self, script: Script, attempt: int) -> Result:
        """Run one attempt to its end. Raises Terminated where that was not its own."""
        result = super().run(script, attempt)
        if self.terminated and result.cause and result.cause.reason == Reason.CANCELLED:
            raise Terminated(f"script {script.name!r} was ended, as its session was taken away")
        return result


def _lock(alive: int) -> bool:
    """Hold the lock for as long as this process lives. Who only looks holds it for an instant."""
    for _ in range(LOOKS):
        if _locks(alive, fcntl.LOCK_EX):
            return True
        time.sleep(LISTEN_SECONDS / 10)
    return False


def is_alive(directory: Path) -> bool:
    """Whether the supervisor of the session run in `directory` lives."""
    with suppress(FileNotFoundError), (directory / ALIVE).open("rb") as alive:
        return not _locks(alive.fileno(), fcntl.LOCK_SH)
    return False


def _locks(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def first_start(root: Path) -> bool:
    """Leave the marker: a run starts once, whoever starts it and however often."""
    try:
        (root / MARKER).touch(0o644, exist_ok=False)
    except FileExistsError:
        return False
    return True


def _run(
    plan: Plan, root: Path, unit_of_work: JournalUnitOfWork, word: Path, grace: float
) -> tuple[str, ...]:
    """Run the plan; return names of what its scripts left running that did not end by itself."""
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
    runner.bring([script for script in plan.scripts if script.name not in plan.lease])
    orphans.adopt()
    ends = runner.cancel if word.parent == root else runner.terminate
    signal.signal(signal.SIGTERM, lambda _number, _frame: ends())
    listener = threading.Thread(target=_listen, args=(word, runner), daemon=True)
    _obey(word, runner)  # it may have been said before the start
    listener.start()
    try:
        services.execute(plan.job_id, job_uow=unit_of_work, runner=runner)
    finally:
        left = runner.close()
    return _told(left, runner.redactor)


def _told(killed: list[str], redactor: Redactor) -> tuple[str, ...]:
    """Return the names of what was killed as they may be shown: no secret in them, and bounded."""
    told = [printable(redactor.hide(name), LONGEST_NAME) for name in killed[:MOST_NAMED]]
    more = len(killed) - len(told)
    return (*told, f"{more} more") if more else tuple(told)


def _listen(word: Path, runner: ChildRunner) -> None:
    """Watch for the coordinator's word."""
    while True:
        _obey(word, runner)
        time.sleep(LISTEN_SECONDS)


def _obey(word: Path, runner: ChildRunner) -> None:
    said = word.read_text("utf-8") if word.exists() else ""
    if said == SessionControl.PAUSE.value:
        runner.pause()
    elif said == SessionControl.CANCEL.value:
        runner.cancel()
