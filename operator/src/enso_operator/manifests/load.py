"""A job from a file: an EnsoJob manifest, or an example_job.json. `enso run` reads it.

Every mistake is a sentence that names the file, the field and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from enso_operator.api.rules import broken_rules
from enso_operator.api.v1alpha1 import (
    API_VERSION,
    MOST_SCRIPTS,
    EnsoJob,
    EnsoJobSpec,
    SessionSpec,
)
from enso_operator.manifests.errors import misshapen, path_of, sentences, shown
from enso_operator.manifests.to_domain import job_definition
from enso_operator.manifests.yaml_reader import DocumentError, parse, read_text
from job_execution_framework.domain.cause import printable
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.script import Script, Session, check, step_names
from job_execution_framework.domain.values import is_list, is_mapping
from job_execution_framework.service_layer.services import scripts_of

MOST_SENTENCES = 10
"""Most mistakes that are shown at once."""
LONGEST_JOB_NAME = 52

_OTHERS_METADATA = {
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
}
"""Other fields that metadata may have: `kubectl get -o yaml` writes them."""
_USED_FIELDS = {
    EnsoJobSpec: {"sessions", "scripts", "active_deadline_seconds"},
    SessionSpec: {
        "name",
        "interpreter",
        "start_timeout_seconds",
        "end_timeout_seconds",
        "on_interrupted",
    },
}
"""Fields that `enso run` uses as well; it ignores or refuses the others."""


class ManifestError(Exception):
    """The file describes no job that can run here: one sentence a line, each with the file."""


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
    changed_arguments: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict[str, Mapping[str, object]]
    )
    """For each script the arguments that are not the file's: a resume changed them."""


def load(path: Path, *, name: str = "", is_for_cluster: bool = False) -> Manifest:
    """Read the job in the file. Raises ManifestError.

    `name` is what a job is called whose file gives it no name; else it is named after the file. A
    job that `is_for_cluster` may have what only a cluster can run.
    """
    try:
        return _read(path, name or _name_of(path), is_for_cluster=is_for_cluster)
    except DocumentError as error:
        raise ManifestError(as_lines(path, [str(error)])) from None
    except _Mistakes as mistakes:
        raise ManifestError(as_lines(path, mistakes.sentences)) from None


class _Mistakes(Exception):
    """Sentences about a document."""

    def __init__(self, told: Iterable[str]) -> None:
        self.sentences = list(told)


def _read(path: Path, name: str, *, is_for_cluster: bool) -> Manifest:
    text = read_text(path)
    document = parse(text, is_json=path.suffix.lower() == ".json")
    if document is None:
        raise DocumentError("is empty: write an EnsoJob into it")
    if not is_mapping(document):
        raise DocumentError(
            f"holds {shown(document)}, not a mapping: an EnsoJob begins with "
            f"`apiVersion: {API_VERSION}`"
        )
    if "instructions" in document:
        return _from_instructions(document, name, text)
    return _from_resource(_ours(document), text, is_for_cluster=is_for_cluster)


def as_lines(path: Path, mistakes: Sequence[str]) -> str:
    """Return the mistakes of a file as lines; only the first MOST_SENTENCES of them."""
    first = [*mistakes[:MOST_SENTENCES]]
    if more := len(mistakes) - len(first):
        first.append(f"and {more} more {'mistakes' if more > 1 else 'mistake'}")
    lines = (printable(f"{path}: {sentence}") for sentence in first)
    return "\n".join(line.replace("\n", "\\n").replace("\t", "\\t") for line in lines)


def _name_of(path: Path) -> str:
    return step_names([path.stem])[0][:LONGEST_JOB_NAME].strip("-")


def _from_instructions(document: Mapping[object, object], name: str, text: str) -> Manifest:
    """Read what the HTTP API takes, too: a list of library names with their parameters."""
    mistakes = [f"{path_of(where, document)} {what}" for where, what in misshapen(document)]
    mistakes += [
        f"{key} is not a field: an example job has instructions, and nothing else"
        for key in document
        if key != "instructions"
    ]
    instructions = document["instructions"]
    if not is_list(instructions):
        mistakes.append(f"instructions is {shown(instructions)}, not a list: {_AN_INSTRUCTION}")
    elif not 0 < len(instructions) <= MOST_SCRIPTS:
        mistakes.append(f"instructions has {len(instructions)} items: give it 1 to {MOST_SCRIPTS}")
    else:
        mistakes += [
            f"instructions[{i}] is no instruction: {_AN_INSTRUCTION}"
            for i, one in enumerate(instructions)
            if _pair(one) is None
        ]
    if mistakes or not is_list(instructions):
        raise _Mistakes(mistakes)
    scripts, sessions = scripts_of(filter(None, map(_pair, instructions))), (Session(),)
    try:
        check(scripts, sessions)
    except InvalidJob as error:
        raise _Mistakes([str(error)]) from None
    return Manifest(name, scripts, sessions, None, text)


_AN_INSTRUCTION = 'write ["name of a script", {"argument": "value"}]'


def _pair(instruction: object) -> tuple[str, dict[str, object]] | None:
    if not is_list(instruction) or len(instruction) != 2:  # noqa: PLR2004  # name and parameters
        return None
    name, parameters = instruction
    if not isinstance(name, str) or not name or not is_mapping(parameters):
        return None
    return name, {str(key): value for key, value in parameters.items()}


def _ours(document: Mapping[object, object]) -> dict[str, object]:
    """Return the document without what a cluster adds to it. Raises where it is no EnsoJob."""
    kind, version = document.get("kind"), document.get("apiVersion")
    wanted = f"write `apiVersion: {API_VERSION}` and `kind: EnsoJob`"
    if kind is None and version is None:
        raise DocumentError(f"is neither an EnsoJob nor an example job: {wanted}")
    if kind not in (None, "EnsoJob"):
        raise DocumentError(f"kind is {shown(kind)}, but only an EnsoJob can be run: {wanted}")
    if version not in (None, API_VERSION):
        raise DocumentError(f"apiVersion is {shown(version)}, which is unknown here: {wanted}")
    ours = {str(key): value for key, value in document.items() if key != "status"}
    if is_mapping(metadata := ours.get("metadata")):
        ours["metadata"] = {k: v for k, v in metadata.items() if k not in _OTHERS_METADATA}
    return ours


def _from_resource(document: dict[str, object], text: str, *, is_for_cluster: bool) -> Manifest:
    mistakes = dict(misshapen(document))
    job = None
    try:
        job = EnsoJob.model_validate(document, extra="forbid", by_alias=True, by_name=False)
    except ValidationError as error:
        details = error.errors(include_url=False)
        mistakes = dict(sentences(details, EnsoJob)) | mistakes
    if mistakes or job is None:
        raise _Mistakes(f"{path_of(where, document)} {what}" for where, what in mistakes.items())
    broken = [*broken_rules(job)]
    if not is_for_cluster:
        broken += _needs_a_cluster(job)
    if broken:
        raise _Mistakes(broken)
    try:
        made = job_definition(job)
    except InvalidJob as error:
        raise _Mistakes([str(error)]) from None
    sessions = tuple(replace(session, platform=None) for session in made.sessions)
    ignored = tuple(_ignored(job))
    return Manifest(job.metadata.name, made.scripts, sessions, made.deadline_seconds, text, ignored)


def _needs_a_cluster(job: EnsoJob) -> Iterator[str]:
    for script in job.spec.scripts:
        path = f"spec.scripts[{script.name}]"
        if script.container is not None:
            yield (
                f"{path}.container needs a cluster: apply the file with kubectl, or remove the "
                "script to run the others here"
            )
        for argument in script.args_from:
            yield (
                f"{path}.argsFrom[{argument.name}] is in a Secret of a cluster: apply the file "
                "with kubectl, or let the script read it from an environment variable"
            )


def _ignored(job: EnsoJob) -> Iterator[str]:
    yield from _cluster_only_fields(job.spec, "spec")
    for session in job.spec.sessions:
        yield from _cluster_only_fields(session, f"spec.sessions[{session.name}]")


def _cluster_only_fields(model: EnsoJobSpec | SessionSpec, path: str) -> Iterator[str]:
    for name, info in type(model).model_fields.items():
        if name in model.model_fields_set - _USED_FIELDS[type(model)]:
            yield f"{path}.{info.alias}"
