"""How every script of a session stands, in few bytes that outlive its log.

On Kubernetes it is written in place to the container's termination message, of which the last 4,096
bytes count: the file is never cut, so that there is never a moment without a whole one.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.service_layer.observations import Outcome

SIZE = 4096
LONGEST_REASON = 20
_LETTERS = {
    "R": ScriptState.RUNNING,
    "S": ScriptState.SUCCEEDED,
    "F": ScriptState.FAILED,
}
_OF = {state: letter for letter, state in _LETTERS.items()}
_BEGIN, _ENDED, _GOES_ON = "enso/1", "ended", "goes-on"


def write(file: Path, job: Job, lease: Collection[str], *, ended: bool = False) -> None:
    """Write how the leased scripts of `job` stand now; `ended` once nothing else will happen."""
    words = [_BEGIN, _ENDED if ended else _GOES_ON]
    for position, (name, row) in enumerate(job.rows.items(), start=1):
        if name in lease and (letter := _OF.get(row.state)):
            reason = f":{row.latest.cause.reason[:LONGEST_REASON]}" if row.latest.cause else ""
            words.append(f"{position}{letter}{row.attempt}{reason}")
    text = " ".join(words).encode("ascii", "replace")[: SIZE - 1]
    with file.open("r+b" if file.exists() else "w+b", buffering=0) as target:
        # Blanks only over what stood there before: people read it in `kubectl describe pod`.
        before = min(os.fstat(target.fileno()).st_size, SIZE)
        os.pwrite(target.fileno(), text.ljust(before - 1) + b"\n", 0)


def read(text: str, names: Sequence[str]) -> tuple[tuple[Outcome, ...], bool] | None:
    """Return what such a text tells of the scripts of these names, and whether that is all.

    None where it is no summary: whatever runs in the container may write there, too.
    """
    words = text.split()
    if len(words) < 2 or words[0] != _BEGIN:  # noqa: PLR2004  # what stands before the scripts
        return None
    outcomes: list[Outcome] = []
    for word in words[2:]:
        place, _, reason = word.partition(":")
        letter = next((one for one in _LETTERS if one in place), "")
        position, _, attempt = place.partition(letter or " ")
        if not (position.isdecimal() and attempt.isdecimal() and 0 < int(position) <= len(names)):
            return None
        outcomes.append(Outcome(names[int(position) - 1], int(attempt), _LETTERS[letter], reason))
    return tuple(outcomes), words[1] == _ENDED
