"""What scripts of a job and its finally scripts have in common: `v1alpha1.py` adds what differs.

A field here stands before those of the two, in the CRDs and in docs/reference.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from enso_operator.api.fail_on import FailOnList, FailOnSpec
from enso_operator.api.fields import (
    Argument,
    Image,
    LibraryName,
    Name,
    Parameter,
    Reference,
    Seconds,
    WireModel,
)
from enso_operator.api.pod_fields import PodFields
from enso_operator.api.retries import RetriesSpec
from enso_operator.api.session_fields import KeyReference

LARGEST_SOURCE = 64 * 1024
"""Characters of source in one script of a job."""


class ScriptReference(WireModel):
    """A script of the script library."""

    name: LibraryName
    """Its name; open_scene and open-scene name the same script."""


class ContainerSpec(PodFields):
    """A container that needs no Python; exit code 0 means success."""

    image: Image
    """The container's image."""
    command: Annotated[list[Argument], Field(max_length=256)] = Field(default_factory=list[str])
    """The program and its first arguments, run without a shell; without it the image's own."""
    args: Annotated[list[Argument], Field(max_length=256)] = Field(default_factory=list[str])
    """Further arguments of the program."""


class OutputReference(WireModel):
    """The output of an earlier script of the job: what its main returned."""

    script: Name
    """The script's name; it stands before this one, and is no container."""
    key: Parameter | None = None
    """The key of the output whose value is meant; without it the whole output."""


class ArgumentFrom(WireModel):
    """An argument whose value comes from elsewhere: exactly one of secretKeyRef and outputOf."""

    name: Parameter
    """The argument's name; for a container that of an environment variable."""
    secret_key_ref: KeyReference | None = None
    """The Secret's key with its value. It is read inside the session and shown nowhere."""
    output_of: OutputReference | None = None
    """The output of an earlier script. Without one at its start the script fails: NoOutput."""


class WorkSpec(WireModel):
    """One script: exactly one of scriptRef, source, function and container, and how it is run."""

    name: Name
    """The script's name, unique among all scripts of the job."""
    session: Name | None = None
    """The session that the script runs in. A container names none."""
    script_ref: ScriptReference | None = None
    """A script of the script library."""
    source: Annotated[str, Field(min_length=1, max_length=LARGEST_SOURCE)] | None = None
    """Python source with a function main, which gets the arguments by their names."""
    function: Reference | None = None
    """A function that the session's interpreter already has, as package.module:function."""
    container: ContainerSpec | None = None
    """A container of its own, for what needs no Python."""
    args: Annotated[dict[Parameter, object], Field(max_length=100)] = Field(
        default_factory=dict[str, object]
    )
    """Arguments by their names: any JSON. Everyone who may read the job can read them."""
    args_from: Annotated[list[ArgumentFrom], Field(max_length=32)] = Field(
        default_factory=list[ArgumentFrom]
    )
    """Arguments whose values come from Secrets, or from the outputs of earlier scripts."""
    retries: RetriesSpec = RetriesSpec()
    """How often, and after which pause, the script is started again when it failed."""
    fail_on: FailOnList = Field(default_factory=list[FailOnSpec])
    """Lines of output by which an attempt fails, though the script returned."""
    idle_timeout_seconds: Seconds | None = None
    """How long, in seconds, one attempt may write nothing, and so tell no progress either."""
