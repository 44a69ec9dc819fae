"""Runs the plan of a session whose first start this is: the supervisor loads and then calls it."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.runtime.processes import orphans
from job_execution_framework.runtime.session_runner import SessionRunner
from job_execution_framework.service_layer.execution import execute
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.record_line import JOURNAL, LONGEST_BYTES
from job_execution_framework.service_layer.records import End, to_line

THINNING_BYTES = 3 * 1024 * 1024
"""Size of a Pod's journal above which records are thinned out: a node cuts a log at 10 MiB."""
LONGEST_NAME, MOST_NAMED = 200, 10
"""Characters of the name of a killed process, and number of names, that are recorded."""


@dataclass(frozen=True)
class Files:
    """Where the session finds what it needs, and writes what it has done."""

    plan: Path
    root: Path
    """The folder of this session run."""
    control: Path
    summary: Path | None


def refuse(root: Path) -> int:
    """Record that a session that had begun before was started again, and started nothing."""
    journal = Journal(root / JOURNAL)
    journal.append(End("the session was started a second time, and started nothing"))
    return 0


def run(
    files: Files, grace: float, environment: Mapping[str, str], launcher: Launcher | None
) -> int:
    """Run the plan, with secrets from `environment`; return 0 where the journal is complete.

    The launcher is that of an interpreter which was started ahead.
    """
    journal = Journal(files.root / JOURNAL)
    try:
        plan = Plan.from_json(files.plan.read_text("utf-8"), environment)
        unit_of_work = SummarizingUnitOfWork(plan, journal, files.summary)
        killed = _run(plan, files, unit_of_work, launcher or Launcher(files.root), grace)
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
        self._lease, self._file = plan.lease, file

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
            summary.write(self._file, self._job, self._lease, ended=ended)


def _is_long(event: Event) -> bool:
    """Whether the line of the event's record is so long that readers ignore it."""
    return len(to_line(event)) > LONGEST_BYTES


def _thinned(event: Event) -> Event:
    """Return the event without fields that only people need, or that the plan has, too."""
    if isinstance(event, ScriptFailed):
        message = printable(unbroken(event.cause.message), LONGEST_ON_A_LINE)
        event = replace(event, cause=replace(event.cause, message=message, said=()))
    return replace(event, parameters={}) if isinstance(event, ScriptEvent) else event


def _run(
    plan: Plan,
    files: Files,
    unit_of_work: JournalUnitOfWork,
    launcher: Launcher,
    grace: float,
) -> tuple[str, ...]:
    """Run the plan; return names of what scripts left running that did not end by itself."""
    for variable in plan.secrets():
        os.environ.pop(variable, None)  # a script gets its own secrets as parameters, no others
    runner = SessionRunner(plan, launcher, files.control, grace)
    runner.redactor.learn(*(Secret(os.environ.get(name)) for name in plan.secret_environment))
    runner.add_modules([script for script in plan.scripts if script.name not in plan.lease])
    orphans.adopt()
    is_alone = files.control.parent == files.root
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
