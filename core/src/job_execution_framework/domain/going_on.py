"""Going on past scripts that failed for good: ``onFailure: Continue``, and finally scripts.

Such a script is settled while its job lives, which then fails at its end; a resume runs it. One
finally script is not kept from running by another's failure. `Job`, the checkpoint rule and the
failure card ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from job_execution_framework.domain.row import Row, ScriptState
from job_execution_framework.domain.script import Script


def is_past(script: Script, row: Row) -> bool:
    """Whether the job goes on past this script, which failed and is not tried again."""
    has_failed = row.state is ScriptState.FAILED and row.failed_for_good(script.retries)
    return (script.continues or script.is_final) and has_failed


def is_done(script: Script, row: Row) -> bool:
    """Whether a resume need not run the script: it is done, and its last replay did not fail."""
    return row.done and not is_past(script, row)


def is_over(script: Script, row: Row) -> bool:
    """Whether a job that lives does not start the script any more, but perhaps as a replay."""
    return row.done or is_past(script, row)


def failed(scripts: Iterable[Script], rows: Mapping[str, Row]) -> list[Script]:
    """Return the scripts that failed and are not tried again, in the job's order."""
    return [
        script
        for script in scripts
        if (row := rows[script.name]).state is ScriptState.FAILED
        and row.failed_for_good(script.retries)
    ]
