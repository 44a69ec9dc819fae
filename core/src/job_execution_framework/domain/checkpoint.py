"""The checkpoint rule: what a fresh interpreter must run again before it can go on.

Scripts of a session share memory, so a success that lives only in memory is gone with the
process. Saving a scene that nothing has modified must be impossible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import dropwhile, takewhile

from job_execution_framework.domain.row import Row
from job_execution_framework.domain.script import Script


def first_undone(scripts: Sequence[Script], rows: Mapping[str, Row]) -> Script | None:
    """Return the script to go on with, or None where all are done."""
    return next((script for script in scripts if not rows[script.name].done), None)


def to_replay(scripts: Sequence[Script], rows: Mapping[str, Row], goal: Script) -> list[Script]:
    """Return what a fresh interpreter runs again before `goal`, in the job's order.

    The setup scripts of the session, and every script after its last checkpoint that succeeded.
    What somebody skipped has never run, and is not replayed either.
    """
    before = [
        script
        for script in takewhile(lambda script: script is not goal, scripts)
        if script.session == goal.session and rows[script.name].succeeded
    ]
    vouched = max((i for i, script in enumerate(before, 1) if script.checkpoint), default=0)
    return [script for i, script in enumerate(before) if script.setup or i >= vouched]


def to_run(scripts: Sequence[Script], rows: Mapping[str, Row], goal: Script) -> list[Script]:
    """Return all that a fresh session may start to come past `goal`: its plan."""
    ahead = dropwhile(lambda script: script is not goal, scripts)
    return to_replay(scripts, rows, goal) + [
        script for script in ahead if script.session == goal.session and not rows[script.name].done
    ]
