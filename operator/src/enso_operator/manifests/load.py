"""A job from a file: an EnsoJob, a template with parameters, or an example_job.json.

`enso run` and `enso plan` read it.

Every mistake is a sentence that names the file, the field and what to do.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from enso_operator.api.template import EnsoJobTemplate
from enso_operator.api.v1alpha1 import (
    API_VERSION,
    MOST_SCRIPTS,
    EnsoJob,
)
from enso_operator.manifests.errors import misshapen, path_of, sentences, shown
from enso_operator.manifests.expand import Mistakes
from enso_operator.manifests.manifest import NO_PARAMS, Manifest, manifest_of
from enso_operator.manifests.template import (
    check_template,
    expanded,
    labels_of_runs,
    parse_spec,
    typed,
    unused,
)
from enso_operator.manifests.yaml_reader import DocumentError, parse, read_text
from job_execution_framework.domain.cause import printable
from job_execution_framework.domain.errors import MOST_SENTENCES, InvalidJob
from job_execution_framework.domain.script import Session, check, step_names
from job_execution_framework.domain.values import is_list, is_mapping
from job_execution_framework.service_layer.services import scripts_of

TEMPLATE = "EnsoJobTemplate"
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


class ManifestError(Exception):
    """The file describes no job that can run here: one sentence a line, each with the file."""


def load(
    path: Path,
    *,
    name: str = "",
    is_for_cluster: bool = False,
    params: Mapping[str, str] = NO_PARAMS,
) -> Manifest:
    """Read the job in the file. Raises ManifestError.

    `name` is what a job is called whose file gives it no name; else it is named after the file. A
    job that `is_for_cluster` may have what only a cluster can run. `params` are the values of the
    parameters of a template, as texts.
    """
    with _of_file(path):
        return _read(path, name or _name_of(path), params, is_for_cluster=is_for_cluster)


@contextmanager
def _of_file(path: Path) -> Generator[None]:
    """Turn what is wrong with a document into ManifestErrors with the file's name."""
    try:
        yield
    except Mistakes as mistakes:
        raise ManifestError(as_lines(path, mistakes.sentences)) from None
    except (DocumentError, InvalidJob) as error:
        raise ManifestError(as_lines(path, [str(error)])) from None


def _read(path: Path, name: str, params: Mapping[str, str], *, is_for_cluster: bool) -> Manifest:
    text = read_text(path)
    document = parse(text, is_json=path.suffix.lower() == ".json")
    if document is None:
        raise DocumentError("is empty: write an EnsoJob into it")
    if not is_mapping(document):
        raise DocumentError(
            f"holds {shown(document)}, not a mapping: an EnsoJob begins with "
            f"`apiVersion: {API_VERSION}`"
        )
    is_instructions = "instructions" in document
    ours = {} if is_instructions else _ours(document)
    if ours.get("kind") == TEMPLATE:
        return _from_template(ours, text, params, is_for_cluster=is_for_cluster)
    if params:
        raise DocumentError(f"takes no parameters, as it is no {TEMPLATE}: leave out -p")
    if is_instructions:
        return _from_instructions(document, name, text)
    return _from_resource(ours, text, is_for_cluster=is_for_cluster)


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
        raise Mistakes(mistakes)
    scripts, sessions = scripts_of(filter(None, map(_pair, instructions))), (Session(),)
    try:
        check(scripts, sessions)
    except InvalidJob as error:
        raise Mistakes([str(error)]) from None
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
    if kind not in (None, "EnsoJob", TEMPLATE):
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
        raise Mistakes([f"{path_of(where, document)} {what}" for where, what in mistakes.items()])
    if job.spec.template_ref and not job.spec.scripts:
        raise DocumentError(
            f"spec.templateRef names template {job.spec.template_ref.name} of a cluster: apply the "
            "file with kubectl, or name the template's own file, and its parameters with -p"
        )
    return manifest_of(job.metadata.name, job.spec, text, ("spec",), is_for_cluster=is_for_cluster)


def _from_template(
    document: dict[str, object], text: str, params: Mapping[str, str], *, is_for_cluster: bool
) -> Manifest:
    template = _template(document)
    values = typed(template, params)
    made = run_of(template, values, "parameter", text=text, is_for_cluster=is_for_cluster)
    return replace(made, params=params)


def _template(document: dict[str, object]) -> EnsoJobTemplate:
    mistakes = dict(misshapen(document))
    try:
        template = EnsoJobTemplate.model_validate(
            document, extra="forbid", by_alias=True, by_name=False
        )
        check_template(template)
    except ValidationError as error:
        mistakes = dict(sentences(error.errors(include_url=False), EnsoJobTemplate)) | mistakes
    else:
        if not mistakes:
            return template
    raise Mistakes([f"{path_of(where, document)} {what}" for where, what in mistakes.items()])


def template_in(path: Path) -> EnsoJobTemplate | None:
    """Return the template in a file; None where it holds something else. Raises ManifestError."""
    with _of_file(path):
        document = parse(read_text(path), is_json=path.suffix.lower() == ".json")
        if not is_mapping(document) or document.get("kind") != TEMPLATE:
            return None
        return _template(_ours(document))


def run_of(
    template: EnsoJobTemplate,
    values: Mapping[str, object],
    place: str,
    *,
    text: str = "",
    is_for_cluster: bool = False,
) -> Manifest:
    """Return the job that a template and the values of its parameters make.

    `place` is where the values stand, for the sentences about them. Raises InvalidJob.
    """
    document = expanded(template, values, place, "forbid")
    name, spec = template.metadata.name, parse_spec(document)
    made = manifest_of(name, spec, text, ("spec", "job"), is_for_cluster=is_for_cluster)
    labels = labels_of_runs(template)
    return replace(made, labels=labels, unused=tuple(unused(template)), expansion=document)
