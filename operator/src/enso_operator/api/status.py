"""The status of an EnsoJob, which the operator writes, and people and their tools read.

The conditions have the job's state, `scripts` has a row for each script, and `why` is the failure
card. `ledger` holds what only the operator needs to go on after a restart or a resume. The status
is at most 64 KiB: `kube/status/size.py` cuts messages and earlier attempts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from enso_operator.api.fields import AnyJson, Name, ObjectName, WireModel
from enso_operator.api.v1alpha1 import MOST_SCRIPTS, MOST_SESSIONS
from job_execution_framework.domain.actions import MOST_RESUMES
from job_execution_framework.domain.cause import LINES_KEPT, LONGEST_MESSAGE
from job_execution_framework.domain.history import ACTIONS_KEPT
from job_execution_framework.domain.retries import MOST_REASONS, NOT_RETRIED
from job_execution_framework.domain.row import ATTEMPTS_KEPT

LARGEST_STATUS = 64 * 1024
"""Bytes of a status."""
LONGEST_IN_ROW = 256
"""Characters of a message in a script's row: the whole one is in the failure and in the Event."""
LONGEST_LINE = 1024
"""Characters of one line of text: a card has no more bytes than that."""
MOST_ORIGINS = 128
"""Origins of events that are remembered: the coordinator, and the latest session runs."""

Time = Annotated[datetime, Field(strict=False)]
Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
Line = Annotated[str, Field(max_length=LONGEST_LINE)]
Message = Annotated[str, Field(max_length=LONGEST_MESSAGE)]
RunName = Annotated[str, Field(min_length=1, max_length=80)]
Token = Annotated[str, Field(min_length=1, max_length=128)]
MOST_COUNTS = MOST_REASONS + len(NOT_RETRIED)
"""Counts of failures for single reasons in one row."""
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
ExitCode = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Number = Annotated[int, Field(ge=0, le=2**53)]
State = Literal["NotStarted", "Running", "Succeeded", "Failed", "Interrupted", "Skipped"]


class Condition(WireModel):
    """One aspect of the job's state, as a standard Kubernetes condition."""

    type: Literal["Succeeded", "Finished", "Ready", "Reconciling", "Stalled"]
    """Succeeded and Finished are for people; Ready, Reconciling and Stalled for GitOps tools."""
    status: Literal["True", "False", "Unknown"]
    """Whether the condition holds. Succeeded is Unknown until the job has ended."""
    observed_generation: Number | None = None
    """The metadata.generation that the condition is about."""
    last_transition_time: Time
    """When the condition's status changed last."""
    reason: Identifier
    """One word; that of Succeeded is the job's state: Waiting, Running, Suspended, Failed …."""
    message: Line = ""
    """One line; of a failed job it says which script failed, with which arguments, and why."""


class CodeLocation(WireModel):
    """A place in the user's own code."""

    file: Line
    """The file; a script's own source is named after the script."""
    line: Count
    """Number of the line, from 1."""
    function: Line
    """The function."""
    text: Line | None = None
    """The line itself."""


class Failure(WireModel):
    """Why something failed."""

    script: Name | None = None
    """The script that failed, if it was one."""
    attempt: Count | None = None
    """Number of the attempt that failed."""
    time: Time | None = None
    """When it failed."""
    reason: Identifier
    """The cause in one word: OutOfMemory, Timeout, Exception, ImagePullFailed …."""
    message: Message | None = None
    """The failure's message, in which secrets are hidden."""
    error: Line | None = None
    """Type of the exception, where there was one."""
    root: Line | None = None
    """The first exception of a chain, such as: caused by OSError: no licence."""
    at: CodeLocation | None = None
    """The innermost place in the user's own code."""
    exit_code: ExitCode | None = None
    """Exit code of the process, where it ended by itself."""
    signal: Identifier | None = None
    """Signal that ended the process, such as SIGSEGV."""
    said: Annotated[list[Line], Field(max_length=LINES_KEPT)] | None = None
    """The last lines that the script wrote."""
    said_lines: Number | None = None
    """How many lines the script wrote in all."""


class AttemptStatus(WireModel):
    """An earlier attempt of a script."""

    attempt: Count
    """Number of the attempt, from 1."""
    definition: Count | None = None
    """Number of the changed definition that it was started with; absent for the spec itself."""
    state: State
    """How it ended."""
    start_time: Time | None = None
    """When it started."""
    completion_time: Time | None = None
    """When it ended."""
    seconds: Annotated[float, Field(ge=0, le=253_402_300_799)] | None = None
    """How long its script ran; absent where that is the time between its start and its end."""
    exit_code: ExitCode | None = None
    """Exit code of its process, where it ended by itself."""
    reason: Identifier | None = None
    """Why it failed, in one word."""


class ScriptStatus(WireModel):
    """One script: its latest attempt, and what came before it."""

    name: Name
    """The script's name."""
    final: bool = False
    """Whether it is one of the job's finally scripts."""
    state: State
    """State of the latest attempt; Interrupted means that its result is unknown."""
    attempt: Count = 0
    """Number of the latest attempt; 0 before the first."""
    definition: Count | None = None
    """Number of the changed definition that it was started with; absent for the spec itself."""
    start_time: Time | None = None
    """When the latest attempt started."""
    completion_time: Time | None = None
    """When the latest attempt ended."""
    seconds: Annotated[float, Field(ge=0, le=253_402_300_799)] | None = None
    """How long its script ran; absent where that is the time between its start and its end."""
    exit_code: ExitCode | None = None
    """Exit code of its process, where it ended by itself."""
    reason: Identifier | None = None
    """Why it failed, in one word."""
    message: Annotated[str, Field(max_length=LONGEST_IN_ROW)] | None = None
    """Why it failed, in short; while it runs, what it says that it does."""
    progress: Annotated[float, Field(ge=0, le=100)] | None = None
    """How far it is while it runs, in percent, if it has told it."""
    done: bool = False
    """Whether the script is done; a later replay that fails does not change this."""
    failures: Count = 0
    """Failed attempts since the job started or was last resumed; retries.limit limits them."""
    output: AnyJson = None
    """What main returned in the latest attempt that succeeded: at most 4 KiB, 16 KiB of a job."""
    output_attempt: Count | None = None
    """Number of the attempt that returned the output; absent where it is the latest."""
    reason_failures: Annotated[list[Count], Field(max_length=MOST_COUNTS)] | None = None
    """How many of them count for each reason of retries.onReasons, in its order.

    Behind them those of NoOutput, ScriptNotFound, NoMain and BadParameters, as far as onReasons has
    no entry for them, up to the last for which the script failed.
    """
    last_reason: Count | None = None
    """The place in reasonFailures, from 1, of the reason for which the last of them counts."""
    earlier: Annotated[list[AttemptStatus], Field(max_length=ATTEMPTS_KEPT)] | None = None
    """The attempts before the latest; only the last few are kept."""


class OpenRun(WireModel):
    """The process of a session that may be running."""

    name: RunName
    """Name of the session run, such as houdini-2."""
    session: Name
    """The session that it is a run of."""
    uid: Token
    """Identity of the only process that may start the scripts; on Kubernetes the Pod's UID."""
    open_time: Time
    """When it was opened."""
    definition: Count | None = None
    """Number of the changed definition that its plan was made of; absent for the spec itself."""
    scripts: Annotated[list[Name], Field(max_length=MOST_SCRIPTS)]
    """The only scripts that the session run may start."""
    warm: Annotated[list[Name], Field(max_length=MOST_SCRIPTS)] | None = None
    """Scripts whose results are in the memory of the run's interpreter."""


class SessionLedger(WireModel):
    """What is remembered of one session."""

    name: Name
    """The session's name; that of a container script is the script's."""
    runs: Count = 0
    """How many processes of it have been opened."""
    lost: Count = 0
    """How many of them were lost since the job started or was last resumed."""
    lost_by: Failure | None = None
    """Why the last of them was lost."""
    lost_time: Time | None = None
    """When the last of them was lost, while the next one waits for its backoff."""


class Pause(WireModel):
    """A pause that somebody asked for."""

    after: Name | None = None
    """The script after which the pause begins; absent once it has begun."""


class Closing(WireModel):
    """A session run that is still open and began before the job was resumed."""

    kind: Literal["Resume", "Unpause"] | None = None
    """Resume of a job that had ended, Unpause of a paused one; none where it has ended again."""
    again: Annotated[list[Name], Field(max_length=MOST_SCRIPTS)] | None = None
    """Scripts that are to run again even if that session run succeeds in them."""


class ChangedDefinition(WireModel):
    """A definition of the job that is not in its spec, but in a ControllerRevision."""

    number: Count
    """Its number: 1 is the spec, or what a template has made of it; a resume makes the others."""
    name: ObjectName
    """Name of the ControllerRevision, with a hash over the job's uid and what it holds."""


class Ledger(WireModel):
    """What the operator needs to go on from here, after its own restart or a resume."""

    run: OpenRun | None = None
    """The session run that is open."""
    run_end_time: Time | None = None
    """When the last session run ended, if none is open: a retry's backoff counts from there."""
    sessions: (
        Annotated[list[SessionLedger], Field(max_length=MOST_SESSIONS + MOST_SCRIPTS)] | None
    ) = None
    """Sessions that had a run."""
    cursors: Annotated[dict[RunName, Number], Field(max_length=MOST_ORIGINS)] | None = None
    """For each origin of events the number of the last event that the job has applied."""
    failed: Failure | None = None
    """The last failure of a script, while the job may still try it again."""
    skipped: Annotated[list[Name], Field(max_length=MOST_SCRIPTS)] | None = None
    """Scripts that are done because somebody skipped them."""
    partial: Annotated[list[Name], Field(max_length=MOST_SCRIPTS)] | None = None
    """Checkpoints that succeeded without a script before them: they vouch for nothing."""
    spec_digest: Token | None = None
    """Digest of the spec as first seen: a job whose spec has another digest is stopped."""
    definitions: Annotated[list[ChangedDefinition], Field(max_length=MOST_RESUMES + 1)] | None = (
        None
    )
    """Changed definitions: the present one last, before it those that attempts ran with."""
    resumes: Annotated[int, Field(ge=0, le=MOST_RESUMES)] = 0
    """How often the job was resumed."""
    resume_time: Time | None = None
    """When the job was last resumed."""
    suspend_time: Time | None = None
    """Since when the job stands still: until its next session opens the deadline counts no time."""
    suspended_seconds: Annotated[float, Field(ge=0, le=2**53)] = 0
    """Seconds it stood still before that, since it started or was last resumed."""
    finally_stopped: bool = False
    """Whether somebody stopped the finally scripts of the job's present end."""
    suspended: bool = False
    """Whether the spec suspends the job; written only for a job that is paused as well."""
    pause: Pause | None = None
    """Somebody paused the job."""
    closing: Closing | None = None
    """An action that waits for the end of the open session run."""
    skip_requested: Annotated[list[Name], Field(max_length=MOST_SCRIPTS)] | None = None
    """Scripts that the open session was asked to skip."""
    retry_forced: Annotated[list[Name], Field(max_length=MOST_SCRIPTS)] | None = None
    """Scripts whose next attempt skips its backoff, because somebody asked for that."""
    actions: Annotated[list[Token], Field(max_length=ACTIONS_KEPT)] | None = None
    """The latest actions that were applied, as uid and name, so that none is applied twice."""
    revision: Number | None = None
    """How often the operator wrote this status: where it changes, the spec cannot have changed."""


class TemplateStatus(WireModel):
    """The template that the job is a run of, as it was when the operator first saw the job."""

    name: Name
    """Its name."""
    generation: Number
    """Its metadata.generation then: later changes of the template do not touch the job."""
    ttl_seconds_after_finished: Count | None = None
    """How long the template has finished jobs kept, in seconds; the job's own spec goes first."""


class EnsoJobStatus(WireModel):
    """The state of the job."""

    observed_generation: Annotated[int, Field(ge=-1, le=2**53)] = -1
    """The metadata.generation that this status is about; -1 before the operator saw the job."""
    conditions: Annotated[list[Condition], Field(max_length=16)] | None = None
    """Conditions. The reason of Succeeded is the job's state; Finished is True after its end."""
    template: TemplateStatus | None = None
    """The template that the job is a run of."""
    start_time: Time | None = None
    """When the operator started the job."""
    completion_time: Time | None = None
    """When the job was finished, its finally scripts included."""
    activity: Identifier | None = None
    """What the job does, where neither its state nor its reason says it: Cancelling, CleaningUp,
    Pausing, WaitingForRetry or WaitingToStart."""
    done: Annotated[str, Field(max_length=16)] | None = None
    """How many of the scripts are done, such as 2/4."""
    script: Name | None = None
    """The script that runs, that waits for its next attempt, or at which the job failed or was
    cancelled."""
    progress: Annotated[str, Field(max_length=16)] | None = None
    """How far that script is, such as 42.5%, if it runs and has told it."""
    reason: Identifier | None = None
    """Why the job failed, or waits, in one word."""
    pod: ObjectName | None = None
    """The Pod in which the job runs, or ran last."""
    scripts: Annotated[list[ScriptStatus], Field(max_length=MOST_SCRIPTS)] | None = None
    """One row for each script, in the job's order."""
    failure: Failure | None = None
    """Why the job failed."""
    ledger: Ledger | None = None
    """What the operator needs to go on from here."""
    why: Annotated[list[Line], Field(max_length=64)] | None = None
    """Why the job failed, for people: the script, its arguments, the cause, and how to go on."""
