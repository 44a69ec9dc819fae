"""What the HTTP API takes and answers, as JSON documents."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

MOST_SCRIPTS = 100
NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}"
"""A regular expression."""
_EXAMPLE: JsonDict = {
    "instructions": [["example_script", {"arg1": "open", "arg2": "/shots/010/a.hip"}]]
}


def _library_name(name: str) -> str:
    """Over HTTP nobody may name code: ``os:system`` would be open to all who reach the port."""
    if ":" in name:
        sentence = "must be the name of a script in the library; references with ':' are refused"
        raise PydanticCustomError("library_name", f"{sentence} over HTTP")
    if not re.fullmatch(NAME, name):
        sentence = "must be the name of a script in the library: at most 63 letters, digits, "
        raise PydanticCustomError("library_name", f"{sentence}'_', '-' and '.'")
    return name


def _parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    for value in _walked(parameters):
        problem = ""
        if isinstance(value, float) and not math.isfinite(value):
            problem = "holds a number that is not finite, which is not JSON"
        elif isinstance(value, str) and not value.isascii() and _has_surrogates(value):
            problem = "holds a string that is not valid Unicode"
        if problem:
            raise PydanticCustomError("parameters", problem)  # pyright: ignore[reportArgumentType]
    return parameters


def _walked(value: object) -> Iterator[object]:
    """Yield every key and value in `value`; how deep a body may be, `http_guard` knows."""
    yield value
    if isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            yield key
            yield from _walked(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _walked(item)


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


LibraryName = Annotated[
    str, AfterValidator(_library_name), Field(json_schema_extra={"pattern": f"^{NAME}$"})
]
Parameters = Annotated[dict[str, Any], AfterValidator(_parameters)]


class AddJob(BaseModel):
    """A job: its scripts, in order, each with its parameters."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    instructions: list[tuple[LibraryName, Parameters]] = Field(
        min_length=1,
        max_length=MOST_SCRIPTS,
        description="Pairs of a script's name in the library and an object with its parameters.",
    )


class ExecuteJob(BaseModel):
    """The job to execute."""

    model_config = ConfigDict(extra="forbid")

    jobid: str = Field(description="As /add-job answered it.")


class Added(BaseModel):
    """The job that was added. It waits for /execute-job."""

    jobid: str


class Listed(BaseModel):
    """A job, and where it stands."""

    jobid: str
    state: str = Field(description="Waiting, Running, Suspended, Succeeded, Failed or Cancelled.")


class Problem(BaseModel):
    """Why a request was refused."""

    error: str = Field(description="A sentence for the person who sent the request.")


class CauseShown(BaseModel):
    """Why something failed. Fields that say nothing are left out."""

    reason: str = Field(description="Exception, ExitCode, Signal, Timeout, ScriptNotFound …")
    message: str | None = None
    error: str | None = Field(None, description="Type of the exception.")
    root: str | None = Field(None, description="What the exception came from.")
    at: str | None = Field(None, description="The innermost line of the script's own code.")
    exit_code: int | None = None
    signal: str | None = None
    said: list[str] | None = Field(None, description="The last lines that the script wrote.")
    said_lines: int | None = Field(None, description="How many lines the script wrote in all.")


class ScriptShown(BaseModel):
    """One script of a job, as its latest attempt left it."""

    name: str = Field(description="Its name in this job.")
    script: str = Field(description="Its name in the script library.")
    parameters: dict[str, Any] = Field(description="Secrets are hidden, long values cut.")
    state: str = Field(
        description="NotStarted, Running, Succeeded, Failed, Interrupted (nobody can know how it "
        "ended) or Skipped."
    )
    attempt: int
    seconds: float
    cause: CauseShown | None
    output: Any = Field(description="What main returned.")


class EventShown(BaseModel):
    """Something that happened. Further fields depend on the type."""

    model_config = ConfigDict(extra="allow")

    type: str
    at: str = Field(description="ISO 8601, UTC.")
    text: str = Field(description="The event as one line.")


class JobShown(BaseModel):
    """A job: what it runs, how far it came, and what happened."""

    jobid: str
    state: str
    failure: str | None = Field(description="Why the job failed, as one line.")
    why: list[str] | None = Field(description="Why the job failed, as lines.")
    scripts: list[ScriptShown]
    events: list[EventShown]
