"""The request bodies of the routes in `action_routes`: a job's id, and fields of an EnsoAction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from enso_operator.api.ensoaction import (
    LONGEST_WHY,
    EnsoActionSpec,
    PauseSpec,
    ResumeSpec,
    ScriptChange,
    SessionChange,
    SkipSpec,
)
from enso_operator.api.fields import OneLine, WireModel
from enso_operator.api.rules import broken_resume_rules, code_changes
from enso_operator.api.v1alpha1 import MOST_SCRIPTS, MOST_SESSIONS
from enso_operator.http_api.mistakes import RULE
from enso_operator.http_api.requests import checked_parameters

LONGEST_KEY = 255
"""Characters of an Idempotency-Key."""


def _strict_script(value: object) -> ScriptChange:
    change = ScriptChange.model_validate(value, extra="forbid")
    checked_parameters(change.args)
    return change


StrictScript = Annotated[ScriptChange, BeforeValidator(_strict_script)]
StrictSession = Annotated[
    SessionChange, BeforeValidator(partial(SessionChange.model_validate, extra="forbid"))
]
"""Unknown fields are refused here; in Kubernetes objects a newer release may have set them."""


class ActionRequest(WireModel):
    """Base class of all bodies. It must be the last base: pydantic uses the config of the last."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    verb: ClassVar[Literal["resume", "pause", "retry", "skip", "cancel"]]
    block: ClassVar[type[WireModel] | None] = None
    """The model of the verb's own block in an EnsoAction; the body has its fields at top level."""

    jobid: str
    """As /add-job answered it."""
    why: Annotated[OneLine, Field(max_length=LONGEST_WHY)] = ""
    """Why it is asked, in one line, for whoever reads the job's events."""

    def spec(self) -> EnsoActionSpec:
        """Return the body as the spec of an EnsoAction. Its parts were validated before."""
        parts: dict[str, Any] = {"why": self.why} if self.why else {}
        if self.block and (fields := self.model_fields_set & self.block.model_fields.keys()):
            values = {name: getattr(self, name) for name in self.block.model_fields}
            parts[self.verb] = self.block.model_construct(fields, **values)
        return EnsoActionSpec.model_construct(job=self.jobid, verb=self.verb, **parts)


def _examples(*fields: dict[str, Any]) -> ConfigDict:
    """Return the config of a body whose examples have these fields besides the job."""
    job = {"jobid": "job-19ac01f4d7e0b1c2d3"}
    return ConfigDict(json_schema_extra={"examples": [job | more for more in fields]})


class ResumeJob(ResumeSpec, ActionRequest):
    """The job to go on with, and what changes from then on."""

    model_config = _examples(
        {},
        {
            "why": "two substeps were too few",
            "scripts": [{"name": "simulate", "args": {"substeps": 4}}],
        },
    )
    verb, block = "resume", ResumeSpec

    scripts: Annotated[list[StrictScript], Field(max_length=MOST_SCRIPTS)] = Field(
        default_factory=list[ScriptChange]
    )
    """Changes of scripts that will run; `source` is not taken over HTTP."""
    sessions: Annotated[list[StrictSession], Field(max_length=MOST_SESSIONS)] = Field(
        default_factory=list[SessionChange]
    )
    """Changes of sessions that will run; `image`, `interpreter`, `env` are not taken over HTTP."""

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        for sentence in (*self._code_changes(), *broken_resume_rules(self, "")):
            raise PydanticCustomError(RULE, sentence.removeprefix("."))  # pyright: ignore[reportArgumentType]
        return self

    def _code_changes(self) -> Iterator[str]:
        """Yield a sentence for each code change: over HTTP only scripts of the library may run."""
        for kind, name, field in code_changes(self):
            yield (
                f"{kind}s[{name}].{field} is not taken over HTTP, where the script library alone "
                "decides what runs: change a script there, or make an EnsoAction with kubectl"
            )


class PauseJob(PauseSpec, ActionRequest):
    """The job to pause, and when."""

    model_config = _examples({}, {"after": "simulate"})
    verb, block = "pause", PauseSpec


class RetryJob(ActionRequest):
    """The job whose failed script starts again now."""

    model_config = _examples({}, {"why": "the licence server is back"})
    verb = "retry"


class SkipScript(SkipSpec, ActionRequest):
    """The job, and its script that is not to run."""

    model_config = _examples({"script": "notify"})
    verb, block = "skip", SkipSpec


class CancelJob(ActionRequest):
    """The job to end."""

    model_config = _examples({}, {"why": "the shot was cut"})
    verb = "cancel"


def idempotency_id(key: str, spec: EnsoActionSpec, uid: str = "") -> str:
    """Return an id that is the same for each repetition of a request with the same key."""
    document: dict[str, Any] = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    text = json.dumps([key, uid, document], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]
