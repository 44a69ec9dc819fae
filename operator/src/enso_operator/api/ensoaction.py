"""EnsoAction, what somebody asks of a job that exists: the wire model of enso.dev/v1alpha1.

The CRD is generated from it, and the sentence below each field is what `kubectl explain` says.
Rules between fields stand in `rules.py`, and as CEL in the CRD.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from enso_operator.api.fail_on import FailOnList
from enso_operator.api.fields import (
    Image,
    JobName,
    LabelValue,
    Name,
    OneLine,
    Parameter,
    Program,
    QualifiedName,
    Seconds,
    Uid,
    WireModel,
)
from enso_operator.api.retries import RetriesSpec
from enso_operator.api.session_fields import Environment, Resources, Toleration
from enso_operator.api.status import Condition, Identifier, Line, Time
from enso_operator.api.v1alpha1 import MOST_SCRIPTS, MOST_SESSIONS
from enso_operator.api.work import LARGEST_SOURCE

LONGEST_WHY = 256
"""Characters of the reason that somebody gives."""
LONGEST_CALLER = 512
"""Characters of a user's name: a service account's has up to 339, an identity provider's more."""


class ScriptChange(WireModel):
    """Changes to one script, from this resume on."""

    name: Name
    """The script; it must be one that will run."""
    args: Annotated[dict[Parameter, object], Field(max_length=100)] = Field(
        default_factory=dict[str, object]
    )
    """Arguments to add or to replace, any JSON; null is a value. Who may read it can read them."""
    unset_args: Annotated[list[Parameter], Field(max_length=100)] = Field(default_factory=list[str])
    """Names of arguments to remove."""
    source: Annotated[str, Field(min_length=1, max_length=LARGEST_SOURCE)] | None = None
    """Python source with a function main, to run instead of the present one."""
    timeout_seconds: Seconds | None = None
    """How long, in seconds, one attempt may take."""
    idle_timeout_seconds: Seconds | None = None
    """How long, in seconds, one attempt may write nothing."""
    fail_on: FailOnList | None = None
    """Lines of output by which an attempt fails, instead of the present ones; [] for none."""
    retries: RetriesSpec | None = None
    """How often, and after which pause, the script is started again when it failed."""


class SessionChange(WireModel):
    """Changes to one session, from this resume on. A given field replaces the old one whole."""

    name: Name
    """The session; it must be one that will run."""
    image: Image | None = None
    """Container image with the interpreter."""
    interpreter: Annotated[list[Program], Field(min_length=1, max_length=64)] | None = None
    """The interpreter as a list of arguments, such as [hython]; the file to run is added."""
    resources: Resources | None = None
    """Resource requests and limits of the session's container."""
    env: Environment | None = None
    """Environment variables of the session."""
    node_selector: Annotated[dict[QualifiedName, LabelValue], Field(max_length=50)] | None = None
    """Labels that a node must have to run the session."""
    tolerations: Annotated[list[Toleration], Field(max_length=50)] | None = None
    """Tolerations of the session's Pod."""
    start_timeout_seconds: Seconds | None = None
    """How long, in seconds, the interpreter may take to start, with licences and slow disks."""


class ResumeSpec(WireModel):
    """How a job that has ended or was paused goes on."""

    from_script: Annotated[Name | None, Field(alias="from")] = None
    """Run this script and all after it again; without it the job goes on as its checkpoints say."""
    skip: Annotated[list[Name], Field(max_length=MOST_SCRIPTS)] = Field(default_factory=list[str])
    """Scripts that count as done from now on, though they did not run."""
    scripts: Annotated[list[ScriptChange], Field(max_length=MOST_SCRIPTS)] = Field(
        default_factory=list[ScriptChange]
    )
    """Changes to scripts that will run."""
    sessions: Annotated[list[SessionChange], Field(max_length=MOST_SESSIONS)] = Field(
        default_factory=list[SessionChange]
    )
    """Changes to sessions that will run."""


class PauseSpec(WireModel):
    """When a job is paused."""

    after: Name | None = None
    """The script after which it is paused; without it the one that runs."""


class SkipSpec(WireModel):
    """Which script is skipped."""

    script: Name
    """The script that counts as done from now on and is never started."""


class EnsoActionSpec(WireModel):
    """What is asked of which job. It is immutable: to ask for more, create another action."""

    job: JobName
    """Name of the EnsoJob, in the action's own namespace."""
    job_uid: Annotated[Uid | None, Field(alias="jobUID")] = None
    """The job's uid; where it is given, a job of this name with another uid is left alone."""
    verb: Literal["resume", "pause", "retry", "skip", "cancel"]
    """What is asked; only the block of its own name may stand beside it."""
    why: Annotated[OneLine, Field(max_length=LONGEST_WHY)] = ""
    """Why it is asked, in one line, for whoever reads the job's Events."""
    by: Annotated[OneLine, Field(min_length=1, max_length=LONGEST_CALLER)] | None = None
    """Who asks. Leave it out: where the cluster knows the caller, it writes the name here."""
    resume: ResumeSpec | None = None
    """With verb resume: where the job goes on, and what changes from then on."""
    pause: PauseSpec | None = None
    """With verb pause: after which script."""
    skip: SkipSpec | None = None
    """With verb skip: which script."""


class ActionMetadata(WireModel):
    """Metadata of the object."""

    name: Name
    """The action's name, at most 63 characters: the job remembers it."""
    namespace: Name | None = None
    """The namespace that the action and its job live in."""


class EnsoAction(WireModel):
    """What somebody asks of an EnsoJob that exists: resume, pause, retry, skip or cancel."""

    api_version: Literal["enso.dev/v1alpha1"]
    """Version of the resource: enso.dev/v1alpha1."""
    kind: Literal["EnsoAction"]
    """Kind of the resource: EnsoAction."""
    metadata: ActionMetadata
    """The action's name and namespace."""
    spec: EnsoActionSpec
    """What is asked, of which job, by whom and why."""


class ActionCondition(Condition):
    """One aspect of the action's result, as a standard Kubernetes condition."""

    status: Literal["True", "False", "Unknown"]
    """Whether it is so. Succeeded is Unknown until the action was done or refused."""
    reason: Identifier
    """Why it is so, in one word."""
    message: Line = ""
    """One line: what was done and what is still to come, or why it was refused and what helps."""


class EnsoActionStatus(WireModel):
    """The result of the action."""

    observed_generation: Annotated[int, Field(ge=-1, le=2**53)] = -1
    """The generation of the resource that this status is about; -1 before the first look."""
    conditions: Annotated[list[ActionCondition], Field(max_length=16)] | None = None
    """Finished is true once the action was done or refused, Succeeded only if it was done."""
    completion_time: Time | None = None
    """When the action was done or refused."""
