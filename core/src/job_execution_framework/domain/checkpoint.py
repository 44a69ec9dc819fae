"""The checkpoint rule: what a fresh interpreter must run again before it can go on.

Scripts of a session share memory. What a script left there is lost when the process ends, although
the script succeeded. Without this rule a job could save a scene that nothing has modified. Used by
`Job`, for its decisions, and by whoever says what a resume will run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import dropwhile, takewhile

from job_execution_framework.domain.row import Row
from job_execution_framework.domain.script import Script


def first_undone(scripts: Sequence[Script], rows: Mapping[str, Row]) -> Script | None:
    """Return the script to go on with, or None where all are done."""
    return next((script for script in scripts if not rows[script.name].done), None)


def to_replay(scripts: Sequence[Script], rows: Mapping[str, Row], goal: Script) -> list[Script]:
    """Return what a fresh interpreter runs again before `goal`, in the job's order.

    These are the setup scripts of the session, and all that succeeded after its last checkpoint.
    A script that somebody skipped has never run and is not run again.
    """
    before = [
        script
        for script in takewhile(lambda script: script is not goal, scripts)
        if script.session == goal.session and rows[script.name].succeeded
    ]
    on_disk = max((i for i, script in enumerate(before, 1) if script.checkpoint), default=0)
    return [script for i, script in enumerate(before) if script.setup or i >= on_disk]


def to_run(scripts: Sequence[Script], rows: Mapping[str, Row], goal: Script) -> list[Script]:
    """Return what a fresh session that begins at `goal` may start: the scripts of its plan."""
    ahead = dropwhile(lambda script: script is not goal, scripts)
    return to_replay(scripts, rows, goal) + [
        script for script in ahead if script.session == goal.session and not rows[script.name].done
    ]


def outdated(
    scripts: Sequence[Script], changed: Collection[str], from_script: str = ""
) -> frozenset[str]:
    """Return the scripts whose success in a run that began before a resume does not count.

    These are `from_script` and all after it, and in each session all from the first change on.
    """
    names = [script.name for script in scripts]
    begin = names.index(from_script) if from_script else len(names)
    of, sessions, found = {text.partition(".")[0] for text in changed}, set[str](), set[str]()
    for position, script in enumerate(scripts):
        if of & {script.name, script.session}:
            sessions.add(script.session)
        if position >= begin or script.session in sessions:
            found.add(script.name)
    return frozenset(found)
