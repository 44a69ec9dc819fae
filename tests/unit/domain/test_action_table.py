"""Every action in every state of a job: what it does, or why it is refused."""

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
resume         | Pausing   | -> Running: resumed; it goes on at 'do'
resume         | Paused    | -> Running: resumed; it goes on at 'do'
resume         | Suspended | is suspended by its spec: set spec.suspend to false
resume         | Both      | -> Suspended: resumed; still suspended by its spec
resume         | Succeeded | has nothing left to do; name the script to run again from
resume         | Ending    | -> Running: resumed; it goes on when session s1-1 has ended
resume         | Failed    | -> Running: resumed; it goes on at 'do' after open has run again
resume         | Stopping  | -> Running: resumed; it goes on when session s1-1 has ended
resume         | Cancelled | -> Running: resumed; it goes on at 'open'
from open      | Waiting   | is Waiting: only a job that has ended, or was paused, can be resumed
from open      | Running   | is Running: only a job that has ended, or was paused, can be resumed
from open      | Retrying  | is Running: only a job that has ended, or was paused, can be resumed
from open      | Pausing   | is paused and goes on where it stopped; to run 'open' again, cancel the job first
from open      | Paused    | is paused and goes on where it stopped; to run 'open' again, cancel the job first
from open      | Suspended | is suspended by its spec: set spec.suspend to false
from open      | Both      | is paused and goes on where it stopped; to run 'open' again, cancel the job first
from open      | Succeeded | -> Running: resumed; it goes on at 'open'
from open      | Ending    | -> Running: resumed; it goes on when session s1-1 has ended
from open      | Failed    | -> Running: resumed; it goes on at 'open'
from open      | Stopping  | -> Running: resumed; it goes on when session s1-1 has ended
from open      | Cancelled | -> Running: resumed; it goes on at 'open'
from save      | Waiting   | is Waiting: only a job that has ended, or was paused, can be resumed
from save      | Running   | is Running: only a job that has ended, or was paused, can be resumed
from save      | Retrying  | is Running: only a job that has ended, or was paused, can be resumed
from save      | Pausing   | is paused and goes on where it stopped; to run 'save' again, cancel the job first
from save      | Paused    | is paused and goes on where it stopped; to run 'save' again, cancel the job first
from save      | Suspended | is suspended by its spec: set spec.suspend to false
from save      | Both      | is paused and goes on where it stopped; to run 'save' again, cancel the job first
from save      | Succeeded | -> Running: resumed; it goes on at 'save' after open, do have run again
from save      | Ending    | cannot go on at 'save', because 'do' before it is not done; resume from 'do', or skip it
from save      | Failed    | cannot go on at 'save', because 'do' before it is not done; resume from 'do', or skip it
from save      | Stopping  | cannot go on at 'save', because 'do' before it is not done; resume from 'do', or skip it
from save      | Cancelled | cannot go on at 'save', because 'open' before it is not done; resume from 'open', or skip it
skip and go on | Waiting   | is Waiting: only a job that has ended, or was paused, can be resumed
skip and go on | Running   | is Running: only a job that has ended, or was paused, can be resumed
skip and go on | Retrying  | is Running: only a job that has ended, or was paused, can be resumed
skip and go on | Pausing   | cannot skip 'do', which runs now
skip and go on | Paused    | cannot skip 'do', which runs now
skip and go on | Suspended | is suspended by its spec: set spec.suspend to false
skip and go on | Both      | cannot skip 'do', which runs now
skip and go on | Succeeded | cannot skip 'do', which is done already
skip and go on | Ending    | -> Running: resumed; it goes on when session s1-1 has ended
skip and go on | Failed    | -> Running: resumed; it goes on at 'save' after open has run again
skip and go on | Stopping  | -> Running: resumed; it goes on when session s1-1 has ended
skip and go on | Cancelled | -> Running: resumed; it goes on at 'open'
pause          | Waiting   | -> Suspended: paused
pause          | Running   | -> Suspended: its session was asked to pause after 'do', which runs now
pause          | Retrying  | -> Suspended: paused; session s1-1 is being ended
pause          | Pausing   | -> Suspended: its session was asked to pause after 'do', which runs now
pause          | Paused    | is pausing already: its session was asked to pause after 'do', which runs now
pause          | Suspended | -> Suspended: its session was asked to pause after 'do', which runs now
pause          | Both      | is pausing already: its session was asked to pause after 'do', which runs now
pause          | Succeeded | is Succeeded: only a job that has not ended can be paused
pause          | Ending    | is Failed: only a job that has not ended can be paused
pause          | Failed    | is Failed: only a job that has not ended can be paused
pause          | Stopping  | is Cancelled: only a job that has not ended can be paused
pause          | Cancelled | is Cancelled: only a job that has not ended can be paused
after save     | Waiting   | -> Waiting: it will pause after 'save'
after save     | Running   | -> Running: it will pause after 'save'
after save     | Retrying  | -> Running: it will pause after 'save'
after save     | Pausing   | was already asked to pause after 'save'
after save     | Paused    | is pausing already: its session was asked to pause after 'do', which runs now
after save     | Suspended | -> Suspended: it will pause after 'save'
after save     | Both      | is pausing already: its session was asked to pause after 'do', which runs now
after save     | Succeeded | is Succeeded: only a job that has not ended can be paused
after save     | Ending    | is Failed: only a job that has not ended can be paused
after save     | Failed    | is Failed: only a job that has not ended can be paused
after save     | Stopping  | is Cancelled: only a job that has not ended can be paused
after save     | Cancelled | is Cancelled: only a job that has not ended can be paused
retry          | Waiting   | has no script that waits for its next attempt
retry          | Running   | has no script that waits for its next attempt
retry          | Retrying  | -> Running: the next attempt of 'do' starts now, retry 1 of 1
retry          | Pausing   | has no script that waits for its next attempt
retry          | Paused    | is paused and starts no script: resume it
retry          | Suspended | is suspended by its spec: set spec.suspend to false
retry          | Both      | is paused and starts no script: resume it
retry          | Succeeded | is Succeeded: only a job that has not ended can retry; resume it instead
retry          | Ending    | is Failed: only a job that has not ended can retry; resume it instead
retry          | Failed    | is Failed: only a job that has not ended can retry; resume it instead
retry          | Stopping  | is Cancelled: only a job that has not ended can retry; resume it instead
retry          | Cancelled | is Cancelled: only a job that has not ended can retry; resume it instead
skip           | Waiting   | -> Waiting: 'save' is skipped
skip           | Running   | -> Running: its session was asked to skip 'save'
skip           | Retrying  | -> Running: its session was asked to skip 'save'
skip           | Pausing   | -> Running: its session was asked to skip 'save'
skip           | Paused    | -> Suspended: its session was asked to skip 'save'
skip           | Suspended | -> Suspended: its session was asked to skip 'save'
skip           | Both      | -> Suspended: its session was asked to skip 'save'
skip           | Succeeded | is Succeeded: resume it and skip 'save' in that resume
skip           | Ending    | is Failed: resume it and skip 'save' in that resume
skip           | Failed    | is Failed: resume it and skip 'save' in that resume
skip           | Stopping  | is Cancelled: resume it and skip 'save' in that resume
skip           | Cancelled | is Cancelled: resume it and skip 'save' in that resume
skip it        | Waiting   | -> Waiting: 'do' is skipped
skip it        | Running   | cannot skip 'do', which runs now
skip it        | Retrying  | -> Running: its session was asked to skip 'do'
skip it        | Pausing   | cannot skip 'do', which runs now
skip it        | Paused    | cannot skip 'do', which runs now
skip it        | Suspended | cannot skip 'do', which runs now
skip it        | Both      | cannot skip 'do', which runs now
skip it        | Succeeded | is Succeeded: resume it and skip 'do' in that resume
skip it        | Ending    | is Failed: resume it and skip 'do' in that resume
skip it        | Failed    | is Failed: resume it and skip 'do' in that resume
skip it        | Stopping  | is Cancelled: resume it and skip 'do' in that resume
skip it        | Cancelled | is Cancelled: resume it and skip 'do' in that resume
cancel         | Waiting   | -> Cancelled: cancelled
cancel         | Running   | -> Cancelled: cancelled; session s1-1 is being stopped
cancel         | Retrying  | -> Cancelled: cancelled; session s1-1 is being stopped
cancel         | Pausing   | -> Cancelled: cancelled; session s1-1 is being stopped
cancel         | Paused    | -> Cancelled: cancelled; session s1-1 is being stopped
cancel         | Suspended | -> Cancelled: cancelled; session s1-1 is being stopped
cancel         | Both      | -> Cancelled: cancelled; session s1-1 is being stopped
cancel         | Succeeded | is Succeeded: only a job that has not ended can be cancelled
cancel         | Ending    | is Failed: only a job that has not ended can be cancelled
cancel         | Failed    | is Failed: only a job that has not ended can be cancelled
cancel         | Stopping  | is Cancelled: only a job that has not ended can be cancelled
cancel         | Cancelled | is Cancelled: only a job that has not ended can be cancelled
suspend        | Waiting   | -> Suspended: suspended
suspend        | Running   | -> Suspended: suspended
suspend        | Retrying  | -> Suspended: suspended
suspend        | Pausing   | -> Suspended: suspended
suspend        | Paused    | -> Suspended: suspended
suspend        | Suspended | is suspended already
suspend        | Both      | is suspended already
suspend        | Succeeded | is Succeeded: only a job that has not ended can be suspended
suspend        | Ending    | is Failed: only a job that has not ended can be suspended
suspend        | Failed    | is Failed: only a job that has not ended can be suspended
suspend        | Stopping  | is Cancelled: only a job that has not ended can be suspended
suspend        | Cancelled | is Cancelled: only a job that has not ended can be suspended
unsuspend      | Waiting   | is not suspended
unsuspend      | Running   | is not suspended
unsuspend      | Retrying  | is not suspended
unsuspend      | Pausing   | is not suspended
unsuspend      | Paused    | is not suspended
unsuspend      | Suspended | -> Running: unsuspended
unsuspend      | Both      | -> Suspended: unsuspended; still paused
unsuspend      | Succeeded | is Succeeded: only a job that has not ended can be unsuspended
unsuspend      | Ending    | is Failed: only a job that has not ended can be unsuspended
unsuspend      | Failed    | is Failed: only a job that has not ended can be unsuspended
unsuspend      | Stopping  | is Cancelled: only a job that has not ended can be unsuspended
unsuspend      | Cancelled | is Cancelled: only a job that has not ended can be unsuspended
"""  # noqa: E501  # sentences, whole
"""For each verb and state: the job's state and what is told of it, or why it is refused."""
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
    assert f"-> {job.state}: {action.outcome(job)}" == comes
    assert len(job.events) > len(before.events)


def test_no_cell_of_the_table_is_missing() -> None:
    assert {cell[:2] for cell in CELLS} == {(verb, state) for verb in VERBS for state in JOBS}
