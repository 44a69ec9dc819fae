"""A job as a file describes it, and what of it can run without a cluster.

`load.py` makes it of an EnsoJob, of a template, or of instructions; `enso run` runs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from enso_operator.api.document import Document
from enso_operator.api.rules import broken_spec_rules
from enso_operator.api.v1alpha1 import EnsoJobSpec, SessionSpec
from enso_operator.api.work import WorkSpec
from enso_operator.manifests.expand import Mistakes
from enso_operator.manifests.to_domain import definition_of
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.script import Script, Session

NO_PARAMS: Mapping[str, str] = MappingProxyType({})
_USED_FIELDS = {
    EnsoJobSpec: {"sessions", "scripts", "finally_", "active_deadline_seconds"},
    SessionSpec: {
        "name",
        "interpreter",
        "start_timeout_seconds",
        "end_timeout_seconds",
        "on_interrupted",
        "output_directory",
    },
}
"""Fields that `enso run` uses as well; it ignores or refuses the others."""


@dataclass(frozen=True)
class Manifest:
    """A job as a file describes it."""

    name: str
    scripts: tuple[Script, ...]
    sessions: tuple[Session, ...]
    deadline_seconds: float | None
    text: str
    """The file's own text."""
    ignored: tuple[str, ...] = ()
    """Paths of the fields that only a cluster uses."""
    place: tuple[str, ...] = ("spec",)
    """Where in the file the job's spec stands: in a template it is spec.job."""
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    """The values of a template's parameters, as they were written."""
    expansion: Document | None = None
    """The spec that a template and the values make; None where the file is no template."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """The labels that the run of a template gets of it."""
    unused: tuple[str, ...] = ()
    """Parameters of a template that its job does not refer to."""
    changed_arguments: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict[str, Mapping[str, object]]
    )
    """For each script the arguments that are not the file's: a resume changed them."""


def manifest_of(
    name: str, spec: EnsoJobSpec, text: str, place: tuple[str, ...], *, is_for_cluster: bool
) -> Manifest:
    """Return the job of a spec, which stands at `place` in the file. Raises Mistakes."""
    path = ".".join(place)
    broken = [*broken_spec_rules(spec, path)]
    if not is_for_cluster:
        broken += _needs_a_cluster(spec, path)
    if broken:
        raise Mistakes(broken)
    try:
        made = definition_of(spec, path)
    except InvalidJob as error:
        raise Mistakes([str(error)]) from None
    sessions = tuple(replace(session, platform=None) for session in made.sessions)
    ignored = tuple(_ignored(spec, path))
    return Manifest(name, made.scripts, sessions, made.deadline_seconds, text, ignored, place)


def _needs_a_cluster(spec: EnsoJobSpec, place: str) -> Iterator[str]:
    placed: list[tuple[str, WorkSpec]] = [
        (f"{place}.scripts[{script.name}]", script) for script in spec.scripts
    ]
    placed += [(f"{place}.finally[{script.name}]", script) for script in spec.finally_]
    for path, script in placed:
        if script.container is not None:
            yield (
                f"{path}.container needs a cluster: apply the file with kubectl, or remove the "
                "script to run the others here"
            )
        for argument in script.args_from:
            if argument.output_of:
                continue
            yield (
                f"{path}.argsFrom[{argument.name}] is in a Secret of a cluster: apply the file "
                "with kubectl, or let the script read it from an environment variable"
            )


def _ignored(spec: EnsoJobSpec, place: str) -> Iterator[str]:
    yield from _cluster_only_fields(spec, place)
    for session in spec.sessions:
        yield from _cluster_only_fields(session, f"{place}.sessions[{session.name}]")


def _cluster_only_fields(model: EnsoJobSpec | SessionSpec, path: str) -> Iterator[str]:
    for name, info in type(model).model_fields.items():
        if name in model.model_fields_set - _USED_FIELDS[type(model)]:
            yield f"{path}.{info.alias}"
