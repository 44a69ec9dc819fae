"""The request bodies of add-job and execute-job, with the checks that FastAPI runs on them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, Self, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from enso_operator.api.template import TemplateName
from enso_operator.api.v1alpha1 import MOST_PARAMETERS, MOST_SCRIPTS
from enso_operator.http_api.mistakes import RULE
from enso_operator.http_api.script_names import ALLOWED, NAME, is_allowed
from job_execution_framework.domain.outputs import LARGEST_INTEGER

_EXAMPLE: JsonDict = {
    "instructions": [["example_script", {"arg1": "open", "arg2": "/shots/010/a.hip"}]]
}
_RUN_EXAMPLE: JsonDict = {"template": "publish-shot", "params": {"shot": "010"}}


def _library_name(name: str) -> str:
    """Return the name, or raise: ``os:system`` would let everybody run any code over HTTP."""
    if ":" in name:
        sentence = "must be the name of a script in the library; references with ':' are refused"
        raise PydanticCustomError("library_name", f"{sentence} over HTTP")
    if not is_allowed(name):
        sentence = f"must be the name of a script in the library: {ALLOWED}"
        raise PydanticCustomError("library_name", sentence)  # pyright: ignore[reportArgumentType]
    return name


def checked_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters; raise PydanticCustomError if a value is not valid JSON."""
    for value in _walk(parameters):
        problem = ""
        if isinstance(value, float) and not math.isfinite(value):
            problem = "holds a number that is not finite, which is not JSON"
        elif isinstance(value, int) and abs(value) > LARGEST_INTEGER:
            problem = "holds an integer of more than 64 bits: write it as a text"
        elif isinstance(value, str) and not value.isascii() and _has_surrogates(value):
            problem = "holds a string that is not valid Unicode"
        if problem:
            raise PydanticCustomError("parameters", problem)  # pyright: ignore[reportArgumentType]
    return parameters


def _walk(value: object) -> Iterator[object]:
    """Yield every key and value in `value`; `middleware` limits how deep a body is nested."""
    yield value
    if isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            yield key
            yield from _walk(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _walk(item)


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


LibraryName = Annotated[
    str, AfterValidator(_library_name), Field(json_schema_extra={"pattern": f"^{NAME}$"})
]
Parameters = Annotated[dict[str, Any], AfterValidator(checked_parameters)]


class AddJob(BaseModel):
    """A job: its scripts, in order, each with its parameters; or a run of a template."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [_EXAMPLE, _RUN_EXAMPLE]}
    )

    instructions: list[tuple[LibraryName, Parameters]] | None = Field(
        None,
        min_length=1,
        max_length=MOST_SCRIPTS,
        description="Pairs of a script's name in the library and an object with its parameters.",
    )
    template: TemplateName | None = Field(
        None, description="Instead of instructions: the name of a template."
    )
    params: Parameters = Field(
        default_factory=dict[str, Any],
        max_length=MOST_PARAMETERS,
        description="The values of the template's parameters.",
    )

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        sentence = ""
        if self.template is None and self.params:
            sentence = "params: are those of a template: name it as template"
        elif self.template is None and self.instructions is None:
            sentence = "instructions: is missing"
        elif self.template is not None and self.instructions is not None:
            sentence = "template: stands beside instructions: give one of the two"
        if sentence:
            raise PydanticCustomError(RULE, sentence)  # pyright: ignore[reportArgumentType]
        return self


class ExecuteJob(BaseModel):
    """The job to execute."""

    model_config = ConfigDict(extra="forbid")

    jobid: str = Field(description="As /add-job answered it.")
