"""EnsoJob and EnsoScript, as people write them: the wire models of enso.dev/v1alpha1.

The CRDs are generated from them, and the sentence below each field is what `kubectl explain`
says. Rules between fields stand in `rules.py`, and as CEL in the CRDs.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from enso_operator.api.fields import (
    LONGEST_SECONDS,
    AnyJson,
    Image,
    JobName,
    LabelValue,
    Name,
    Parameter,
    Path,
    Program,
    QualifiedName,
    Reference,
    Seconds,
    WireModel,
)
from enso_operator.api.pod_fields import PodFields
from enso_operator.api.work import WorkSpec
from job_execution_framework.domain import patterns

ParameterType = Literal["string", "integer", "number", "boolean", "path", "list", "object"]
Bound = Annotated[float, Field(ge=-(2**53), le=2**53)]
GROUP, VERSION = "enso.dev", "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
MOST_SCRIPTS = 100
"""Scripts of one job, its finally scripts included."""
MOST_FINALLY = 10
MOST_SESSIONS = 20
MOST_PARAMETERS = 100
LARGEST_LIBRARY_SOURCE = 256 * 1024
"""Characters of source in one EnsoScript."""


class Metadata(WireModel):
    """Metadata of the object."""

    name: JobName
    """The job's name, at most 52 characters: names of Pods are made from it."""
    namespace: Name | None = None
    """The namespace that the job lives in."""
    labels: Annotated[dict[QualifiedName, LabelValue], Field(max_length=100)] = Field(
        default_factory=dict[str, str]
    )
    """Labels of the job, which its Pods get, too: queues, cost reports."""


class SessionSpec(PodFields):
    """One process that runs consecutive scripts of the job in one warm interpreter."""

    name: Name
    """Name by which scripts refer to the session."""
    image: Image | None = None
    """Container image with the interpreter; without it the operator's default."""
    interpreter: Annotated[list[Program], Field(min_length=1, max_length=64)] = Field(
        default_factory=lambda: ["python3"]
    )
    """The interpreter as a list of arguments, such as [hython]; the file to run is added."""
    start_timeout_seconds: Seconds = 300
    """How long, in seconds, the interpreter may take to start, with licences and slow disks."""
    end_timeout_seconds: Seconds = 60
    """How long, in seconds, threads and atexit functions may run on after the last script."""
    output_directory: Path | None = None
    """A folder that keeps what scripts write, too, as DIRECTORY/JOB/NN-SCRIPT.ATTEMPT.log.

    In a Pod it is within one of the session's volumeMounts, so that the files outlive the Pod.
    """


class ScriptSpec(WorkSpec):
    """One step of a job: exactly one of scriptRef, source, function and container."""

    session: Name | None = None
    """The session that the script runs in; without it the first. A container names none."""
    timeout_seconds: Seconds | None = None
    """How long, in seconds, one attempt may take; without it as long as it likes."""
    setup: bool = False
    """Whether the script runs again in each new process of its session, as to open a scene."""
    checkpoint: bool = False
    """Whether the script's result is on disk, so that a resume may start after the script."""
    on_failure: Literal["Stop", "Continue"] = "Stop"
    """What happens when it failed for good: Stop ends the job, Continue lets it go on, to fail at
    its end."""


class FinallySpec(WorkSpec):
    """A script that runs when the job's end is decided: exactly one of the four kinds of work."""

    session: Name | None = None
    """The session of which it gets a new process; without it one that is as the job's first."""
    timeout_seconds: Seconds = 600
    """How long, in seconds, one attempt may take; the job's own deadline does not count."""
    when: Literal["Always", "Succeeded", "Failed"] = "Always"
    """After which end of the job it runs. A cancelled job has neither succeeded nor failed."""


class TemplateReference(WireModel):
    """The EnsoJobTemplate that a job is a run of."""

    name: Name
    """Its name, in the job's own namespace."""
    generation: Annotated[int, Field(ge=1, le=2**53)] | None = None
    """The only metadata.generation of it that may be run; without it the present one."""


class EnsoJobSpec(WireModel):
    """What the job runs: its own scripts, or a template's with params."""

    template_ref: TemplateReference | None = None
    """The template that the job is a run of, instead of sessions and scripts."""
    params: Annotated[dict[Parameter, object], Field(max_length=MOST_PARAMETERS)] = Field(
        default_factory=dict[str, object]
    )
    """Values of the template's parameters, by name. Everyone who may read the job can read them."""
    sessions: Annotated[list[SessionSpec], Field(max_length=MOST_SESSIONS)] = Field(
        default_factory=list[SessionSpec]
    )
    """The job's sessions; without any there is one, named main, with the operator's defaults."""
    scripts: Annotated[list[ScriptSpec], Field(min_length=1, max_length=MOST_SCRIPTS)] = Field(
        default_factory=list[ScriptSpec]
    )
    """The job's scripts, run one after the other in this order."""
    finally_: Annotated[list[FinallySpec], Field(max_length=MOST_FINALLY)] = Field(
        default_factory=list[FinallySpec], alias="finally"
    )
    """Scripts that run, one after the other, when the job's end is decided, however it ended."""
    suspend: bool = False
    """Whether the job waits: the running script ends, and no other starts."""
    active_deadline_seconds: Seconds | None = None
    """How long, in seconds, the job may take in all, from its start or its last resume.

    The time does not count from the end of the session of a job that is suspended or paused until
    its next session is opened.
    """
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=LONGEST_SECONDS)] | None = None
    """How long, in seconds, a finished job is kept; without it until somebody deletes it."""

    @property
    def every_script(self) -> tuple[ScriptSpec | FinallySpec, ...]:
        """The scripts, and behind them the finally scripts."""
        return (*self.scripts, *self.finally_)


class EnsoJob(WireModel):
    """An ordered list of scripts, run one after the other."""

    api_version: Literal["enso.dev/v1alpha1"]
    """Version of the resource: enso.dev/v1alpha1."""
    kind: Literal["EnsoJob"]
    """Kind of the resource: EnsoJob."""
    metadata: Metadata
    """The job's name, namespace and labels."""
    spec: EnsoJobSpec
    """The job's scripts, its sessions and its limits."""


class ParameterSpec(WireModel):
    """A parameter of a script, and which arguments it takes."""

    name: Parameter
    """The parameter's name, by which jobs give its argument."""
    type: ParameterType | None = None
    """The type of its argument; a path is text. Without it any JSON is taken."""
    required: bool = False
    """Whether a job must give it an argument."""
    default: AnyJson = None
    """The argument that the script gets where a job gives it none."""
    nullable: bool = False
    """Whether null is taken, too."""
    enum: Annotated[list[AnyJson], Field(max_length=100)] = Field(default_factory=list[object])
    """The only arguments that are taken; without it all of the type."""
    minimum: Bound | None = None
    """The smallest number that is taken."""
    maximum: Bound | None = None
    """The largest number that is taken."""
    pattern: Annotated[str, Field(max_length=patterns.LONGEST_PATTERN)] = ""
    """A regular expression that matches the whole of a text or path; docs/scripts.md says which."""
    secret: bool = False
    """Whether its argument is a secret: give it by argsFrom, so that nothing shows it."""
    description: Annotated[str, Field(max_length=1024)] = ""
    """What the parameter is for."""
    access: Literal["read", "write"] | None = None
    """Whether the script is going to read the path or to write it."""


class EnsoScriptSpec(WireModel):
    """What a script of the library is: exactly one of source and function."""

    description: Annotated[str, Field(max_length=1024)] = ""
    """What the script does, for whoever looks for one."""
    parameters: Annotated[list[ParameterSpec], Field(max_length=100)] | None = None
    """What the script takes; arguments of jobs are checked before anything starts.

    Without it nothing is known of the script, and any arguments are taken.
    """
    takes_other_arguments: bool = False
    """Whether arguments beside the parameters are taken, too, as by main(**kwargs)."""
    source: Annotated[str, Field(min_length=1, max_length=LARGEST_LIBRARY_SOURCE)] | None = None
    """Python source with a function main, which gets the arguments by their names."""
    function: Reference | None = None
    """A function that the session's interpreter already has, as package.module:function."""


class LibraryMetadata(WireModel):
    """Metadata of the object."""

    name: Name
    """The script's name, by which a scriptRef finds it; there '_' may stand for '-'."""
    namespace: Name | None = None
    """The namespace that the script lives in."""


class EnsoScript(WireModel):
    """A script of the script library, which jobs name in a scriptRef."""

    api_version: Literal["enso.dev/v1alpha1"]
    """Version of the resource: enso.dev/v1alpha1."""
    kind: Literal["EnsoScript"]
    """Kind of the resource: EnsoScript."""
    metadata: LibraryMetadata
    """The script's name and namespace."""
    spec: EnsoScriptSpec
    """The script itself."""
