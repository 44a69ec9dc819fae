"""The checkpoint rule: what a fresh interpreter must run again before it can go on.

Scripts of a session share memory. What a script left there is lost when the process ends, although
the script succeeded. Without this rule a job could save a scene that nothing has modified. Used by
`Job`, for its decisions, and by whoever says what a resume will run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import dropwhile, takewhile

from job_execution_framework.domain.going_on import is_done, is_over, is_past
from job_execution_framework.domain.row import Row
from job_execution_framework.domain.script import Script


def first_undone(scripts: Sequence[Script], rows: Mapping[str, Row]) -> Script | None:
    """Return the script to go on with, or None where all are done, or failed and gone past."""
    return next((script for script in scripts if not is_over(script, rows[script.name])), None)


def vouches(script: Script, row: Row) -> bool:
    """Whether what stands before the script need not run again: it is a checkpoint of all that."""
    return script.checkpoint and row.succeeded and not row.partial and not is_past(script, row)


def is_partial(scripts: Sequence[Script], rows: Mapping[str, Row], checkpoint: Script) -> bool:
    """Whether a checkpoint that succeeds now is made without a script before it."""
    before = takewhile(lambda script: script is not checkpoint, scripts)
    return any(
        script.session == checkpoint.session and not is_done(script, rows[script.name])
        for script in before
    )


def to_replay(scripts: Sequence[Script], rows: Mapping[str, Row], goal: Script) -> list[Script]:
    """Return what a fresh interpreter runs again before `goal`, in the job's order.

    These are the setup scripts of the session, and all that succeeded after its last checkpoint.
    A script that somebody skipped has never run and is not run again, nor is one that the job went
    on past.
    """
    if goal.is_final:  # a finally script finds nothing of others in its interpreter
        return []
    before = [
        script
        for script in takewhile(lambda script: script is not goal, scripts)
        if script.session == goal.session and _may_be_replayed(script, rows[script.name])
    ]
    kept = (i for i, script in enumerate(before, 1) if vouches(script, rows[script.name]))
    on_disk = max(kept, default=0)
    return [script for i, script in enumerate(before) if script.setup or i >= on_disk]


def to_run(scripts: Sequence[Script], rows: Mapping[str, Row], goal: Script) -> list[Script]:
    """Return what a fresh session that begins at `goal` may start: the scripts of its plan.

    After `goal` may stand some that succeeded, as the job went on past it: they run again if others
    of the session come after them.
    """
    ahead = [
        script
        for script in dropwhile(lambda script: script is not goal, scripts)
        if script.session == goal.session and script.is_final == goal.is_final
    ]
    while ahead and is_over(ahead[-1], rows[ahead[-1].name]):
        ahead.pop()
    return to_replay(scripts, rows, goal) + [
        script
        for script in ahead
        if not is_over(script, rows[script.name]) or _may_be_replayed(script, rows[script.name])
    ]


def to_come(scripts: Sequence[Script], rows: Mapping[str, Row]) -> list[Script]:
    """Return what fresh interpreters run from here on to the job's end, in order."""
    found: list[Script] = []
    for session in dict.fromkeys(script.session for script in scripts):
        of_session = [script for script in scripts if script.session == session]
        if goal := first_undone(of_session, rows):
            found += to_run(scripts, rows, goal)
    return found


def _may_be_replayed(script: Script, row: Row) -> bool:
    return row.succeeded and not is_past(script, row)


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
