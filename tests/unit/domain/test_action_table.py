"""Every action in every state of a job: the state after it, or why it is refused."""

from __future__ import annotations

import pytest

from job_execution_framework.domain.actions import (
    Action,
    Cancel,
    Pause,
    Resume,
    Retry,
    Skip,
    Suspend,
    Unsuspend,
)
from job_execution_framework.domain.errors import InvalidAction
from tests.support.jobs_in_states import JOBS

VERBS: dict[str, Action] = {
    "resume": Resume(),
    "from open": Resume(from_script="open"),
    "from save": Resume(from_script="save"),
    "skip and go on": Resume(skip=("do",)),
    "pause": Pause(),
    "after save": Pause(after="save"),
    "retry": Retry(),
    "skip": Skip(script="save"),
    "skip it": Skip(script="do"),
    "cancel": Cancel(),
    "suspend": Suspend(),
    "unsuspend": Unsuspend(),
}
TABLE = """
resume         | Waiting   | is Waiting: only a job that has ended, or was paused, can be resumed
resume         | Running   | is Running: only a job that has ended, or was paused, can be resumed
resume         | Retrying  | is Running: only a job that has ended, or was paused, can be resumed
resume         | Pausing   | -> Running
resume         | Paused    | -> Running
resume         | Suspended | is suspended by its spec: set spec.suspend to false
resume         | Both      | -> Suspended
resume         | Succeeded | has nothing left to do; name the script to run again from
resume         | Ending    | -> Running
resume         | Failed    | -> Running
resume         | Cancelled | -> Running
from open      | Waiting   | is Waiting: only a job that has ended, or was paused, can be resumed
from open      | Running   | is Running: only a job that has ended, or was paused, can be resumed
from open      | Retrying  | is Running: only a job that has ended, or was paused, can be resumed
from open      | Pausing   | is paused and goes on where it stopped; to run 'open' again, cancel the job first
from open      | Paused    | is paused and goes on where it stopped; to run 'open' again, cancel the job first
from open      | Suspended | is suspended by its spec: set spec.suspend to false
from open      | Both      | is paused and goes on where it stopped; to run 'open' again, cancel the job first
from open      | Succeeded | -> Running
from open      | Ending    | -> Running
from open      | Failed    | -> Running
from open      | Cancelled | -> Running
from save      | Waiting   | is Waiting: only a job that has ended, or was paused, can be resumed
from save      | Running   | is Running: only a job that has ended, or was paused, can be resumed
from save      | Retrying  | is Running: only a job that has ended, or was paused, can be resumed
from save      | Pausing   | is paused and goes on where it stopped; to run 'save' again, cancel the job first
from save      | Paused    | is paused and goes on where it stopped; to run 'save' again, cancel the job first
from save      | Suspended | is suspended by its spec: set spec.suspend to false
from save      | Both      | is paused and goes on where it stopped; to run 'save' again, cancel the job first
from save      | Succeeded | -> Running
from save      | Ending    | cannot go on at 'save', because 'do' before it is not done; resume from 'do', or skip it
from save      | Failed    | cannot go on at 'save', because 'do' before it is not done; resume from 'do', or skip it
from save      | Cancelled | cannot go on at 'save', because 'open' before it is not done; resume from 'open', or skip it
skip and go on | Waiting   | is Waiting: only a job that has ended, or was paused, can be resumed
skip and go on | Running   | is Running: only a job that has ended, or was paused, can be resumed
skip and go on | Retrying  | is Running: only a job that has ended, or was paused, can be resumed
skip and go on | Pausing   | cannot skip 'do', which runs now
skip and go on | Paused    | cannot skip 'do', which runs now
skip and go on | Suspended | is suspended by its spec: set spec.suspend to false
skip and go on | Both      | cannot skip 'do', which runs now
skip and go on | Succeeded | cannot skip 'do', which is done already
skip and go on | Ending    | -> Running
skip and go on | Failed    | -> Running
skip and go on | Cancelled | -> Running
pause          | Waiting   | -> Suspended
pause          | Running   | -> Suspended
pause          | Retrying  | -> Suspended
pause          | Pausing   | -> Suspended
pause          | Paused    | is paused already
pause          | Suspended | -> Suspended
pause          | Both      | is paused already
pause          | Succeeded | is Succeeded: only a job that has not ended can be paused
pause          | Ending    | is Failed: only a job that has not ended can be paused
pause          | Failed    | is Failed: only a job that has not ended can be paused
pause          | Cancelled | is Cancelled: only a job that has not ended can be paused
after save     | Waiting   | -> Waiting
after save     | Running   | -> Running
after save     | Retrying  | -> Running
after save     | Pausing   | was already asked to pause after 'save'
after save     | Paused    | is paused already
after save     | Suspended | -> Suspended
after save     | Both      | is paused already
after save     | Succeeded | is Succeeded: only a job that has not ended can be paused
after save     | Ending    | is Failed: only a job that has not ended can be paused
after save     | Failed    | is Failed: only a job that has not ended can be paused
after save     | Cancelled | is Cancelled: only a job that has not ended can be paused
retry          | Waiting   | has no script that waits for its next attempt
retry          | Running   | has no script that waits for its next attempt
retry          | Retrying  | -> Running
retry          | Pausing   | has no script that waits for its next attempt
retry          | Paused    | is paused and starts no script: resume it
retry          | Suspended | is suspended by its spec: set spec.suspend to false
retry          | Both      | is paused and starts no script: resume it
retry          | Succeeded | is Succeeded: only a job that has not ended can retry; resume it instead
retry          | Ending    | is Failed: only a job that has not ended can retry; resume it instead
retry          | Failed    | is Failed: only a job that has not ended can retry; resume it instead
retry          | Cancelled | is Cancelled: only a job that has not ended can retry; resume it instead
skip           | Waiting   | -> Waiting
skip           | Running   | -> Running
skip           | Retrying  | -> Running
skip           | Pausing   | -> Running
skip           | Paused    | -> Suspended
skip           | Suspended | -> Suspended
skip           | Both      | -> Suspended
skip           | Succeeded | is Succeeded: resume it and skip 'save' in that resume
skip           | Ending    | is Failed: resume it and skip 'save' in that resume
skip           | Failed    | is Failed: resume it and skip 'save' in that resume
skip           | Cancelled | is Cancelled: resume it and skip 'save' in that resume
skip it        | Waiting   | -> Waiting
skip it        | Running   | cannot skip 'do', which runs now
skip it        | Retrying  | -> Running
skip it        | Pausing   | cannot skip 'do', which runs now
skip it        | Paused    | cannot skip 'do', which runs now
skip it        | Suspended | cannot skip 'do', which runs now
skip it        | Both      | cannot skip 'do', which runs now
skip it        | Succeeded | is Succeeded: resume it and skip 'do' in that resume
skip it        | Ending    | is Failed: resume it and skip 'do' in that resume
skip it        | Failed    | is Failed: resume it and skip 'do' in that resume
skip it        | Cancelled | is Cancelled: resume it and skip 'do' in that resume
cancel         | Waiting   | -> Cancelled
cancel         | Running   | -> Cancelled
cancel         | Retrying  | -> Cancelled
cancel         | Pausing   | -> Cancelled
cancel         | Paused    | -> Cancelled
cancel         | Suspended | -> Cancelled
cancel         | Both      | -> Cancelled
cancel         | Succeeded | is Succeeded: only a job that has not ended can be cancelled
cancel         | Ending    | is Failed: only a job that has not ended can be cancelled
cancel         | Failed    | is Failed: only a job that has not ended can be cancelled
cancel         | Cancelled | is Cancelled: only a job that has not ended can be cancelled
suspend        | Waiting   | -> Suspended
suspend        | Running   | -> Suspended
suspend        | Retrying  | -> Suspended
suspend        | Pausing   | -> Suspended
suspend        | Paused    | -> Suspended
suspend        | Suspended | is suspended already
suspend        | Both      | is suspended already
suspend        | Succeeded | is Succeeded: only a job that has not ended can be suspended
suspend        | Ending    | is Failed: only a job that has not ended can be suspended
suspend        | Failed    | is Failed: only a job that has not ended can be suspended
suspend        | Cancelled | is Cancelled: only a job that has not ended can be suspended
unsuspend      | Waiting   | is not suspended
unsuspend      | Running   | is not suspended
unsuspend      | Retrying  | is not suspended
unsuspend      | Pausing   | is not suspended
unsuspend      | Paused    | is not suspended
unsuspend      | Suspended | -> Running
unsuspend      | Both      | -> Suspended
unsuspend      | Succeeded | is Succeeded: only a job that has not ended can be unsuspended
unsuspend      | Ending    | is Failed: only a job that has not ended can be unsuspended
unsuspend      | Failed    | is Failed: only a job that has not ended can be unsuspended
unsuspend      | Cancelled | is Cancelled: only a job that has not ended can be unsuspended
"""  # noqa: E501  # sentences, whole
"""For each verb and state: the job's state after it, or why it is refused."""
CELLS = [tuple(part.strip() for part in line.split("|")) for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("verb", "state", "comes"), CELLS, ids=lambda text: text[:16])
def test_every_action_in_every_state(verb: str, state: str, comes: str) -> None:
    job, action = JOBS[state](), VERBS[verb]
    before = job.copy()
    if not comes.startswith("-> "):
        assert job.why_not(action) == f"job job {comes}"
        with pytest.raises(InvalidAction, match="job job "):
            job.obey(action, 9)
        assert job == before, "what is refused changes nothing"
        return
    assert job.why_not(action) == ""
    job.obey(action, 9)
    assert str(job.state) == comes.removeprefix("-> ")
    assert len(job.events) > len(before.events)


def test_no_cell_of_the_table_is_missing() -> None:
    assert {cell[:2] for cell in CELLS} == {(verb, state) for verb in VERBS for state in JOBS}
