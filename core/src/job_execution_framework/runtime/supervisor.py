"""What a session runs: its plan, once, under a marker, with a journal of what happened.

``python -m job_execution_framework.runtime PLAN DIRECTORY``. The directory belongs to this one
session run and holds:

========== ==========================================================================
``marker`` made with ``O_EXCL``: a second start of the same run starts nothing
``alive``  locked as long as the supervisor lives, by nobody once it is dead
``journal`` the records
``word``   what the coordinator wants: ``pause`` or ``cancel``
========== ==========================================================================

SIGTERM means ``cancel``.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from job_execution_framework.domain.errors import EnsoError
from job_execution_framework.domain.steps import ControlWord
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.interpreter import orphans
from job_execution_framework.runtime.journal import Journal, JournalUnitOfWork
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.records import End

MARKER, ALIVE, JOURNAL, WORD = "marker", "alive", "journal", "word"
GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL, for a script's own clean-up."""
LOOKS = 20
"""How often a lock that somebody holds is tried again."""
LISTEN_SECONDS = 0.1
"""How soon a control word is seen."""


def main(plan_file: str, directory: str) -> int:
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
        _run(Plan.from_json(Path(plan_file).read_text("utf-8"), os.environ), root, journal)
    except (EnsoError, OSError) as error:
        journal.append(End(f"{type(error).__name__}: {error}"))
        return 1
    journal.append(End())
    return 0


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


def _run(plan: Plan, root: Path, journal: Journal) -> None:
    for variable in plan.secrets():
        os.environ.pop(variable, None)  # a script gets its own secrets as parameters, no others
    session = plan.session
    runner = ChildRunner(
        root, session.interpreter, session.start_timeout_seconds, GRACE_SECONDS, job_id=plan.job_id
    )
    orphans.adopt()
    signal.signal(signal.SIGTERM, lambda _number, _frame: runner.cancel())
    listener = threading.Thread(target=_listen, args=(root / WORD, runner), daemon=True)
    _obey(root / WORD, runner)  # it may have been said before the start
    listener.start()
    try:
        services.execute(plan.job_id, job_uow=JournalUnitOfWork(plan.job(), journal), runner=runner)
    finally:
        runner.close()


def _listen(word: Path, runner: ChildRunner) -> None:
    """Watch for the coordinator's word."""
    while True:
        _obey(word, runner)
        time.sleep(LISTEN_SECONDS)


def _obey(word: Path, runner: ChildRunner) -> None:
    said = word.read_text("utf-8") if word.exists() else ""
    if said == ControlWord.PAUSE.value:
        runner.pause()
    elif said == ControlWord.CANCEL.value:
        runner.cancel()
