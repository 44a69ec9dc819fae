"""The states of a session's scripts in few bytes, for the case that its log is lost.

The supervisor writes it, sessions in Pods read it.

On Kubernetes it is written in place to the container's termination message, of which the last 4,096
bytes count. The file is never truncated, so that there is a whole summary at every moment.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.service_layer.observations import LONGEST_REASON, Outcome

SIZE = 4096
_LETTERS = {
    "R": ScriptState.RUNNING,
    "S": ScriptState.SUCCEEDED,
    "F": ScriptState.FAILED,
}
_LETTER_OF = {state: letter for letter, state in _LETTERS.items()}
_BEGIN, _ENDED, _GOES_ON = "enso/1", "ended", "goes-on"


def write(file: Path, job: Job, lease: Collection[str], *, ended: bool = False) -> None:
    """Write the states of the scripts in `lease`; `ended` once nothing else will happen."""
    words = [_BEGIN, _ENDED if ended else _GOES_ON]
    for position, (name, row) in enumerate(job.rows.items(), start=1):
        if name in lease and (letter := _LETTER_OF.get(row.state)):
            known = row.budget or (row.latest.cause.reason if row.latest.cause else "")
            reason = f":{known[:LONGEST_REASON]}" if row.latest.cause else ""
            words.append(f"{position}{letter}{row.attempt}{reason}")
    text = " ".join(words).encode("ascii", "replace")[: SIZE - 1]
    with file.open("r+b" if file.exists() else "w+b", buffering=0) as target:
        # Pads with blanks only what was there before: `kubectl describe pod` shows the file.
        before = min(os.fstat(target.fileno()).st_size, SIZE)
        os.pwrite(target.fileno(), text.ljust(before - 1) + b"\n", 0)


def read(text: str, names: Sequence[str]) -> tuple[tuple[Outcome, ...], bool] | None:
    """Return the outcomes of these scripts in such a text, and whether the session had ended.

    None where it is not a summary: whatever runs in the container may write there, too.
    """
    words = text.split()
    if len(words) < 2 or words[0] != _BEGIN:  # noqa: PLR2004  # those before the scripts
        return None
    outcomes: list[Outcome] = []
    for word in words[2:]:
        outcome, _, reason = word.partition(":")
        letter = next((known for known in _LETTERS if known in outcome), "")
        position, _, attempt = outcome.partition(letter or " ")
        if not (position.isdecimal() and attempt.isdecimal() and 0 < int(position) <= len(names)):
            return None
        outcomes.append(Outcome(names[int(position) - 1], int(attempt), _LETTERS[letter], reason))
    return tuple(outcomes), words[1] == _ENDED
