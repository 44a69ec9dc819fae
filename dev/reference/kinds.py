"""One page for each kind of EnsoJob, EnsoJobTemplate, EnsoScript and EnsoAction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dev.reference.fields import Fields, column_rows, loaded, refusals
from dev.reference.markdown import code, table, text

from enso_operator.api.v1alpha1 import API_VERSION


@dataclass(frozen=True)
class Kind:
    """What the CRD does not say of a kind: where it is explained, and what another page has."""

    name: str
    about: str
    tasks: str
    elsewhere: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def page(self) -> str:
        """The name of its page, and of its CRD but for the ending."""
        return self.name.lower()


KINDS = (
    Kind(
        "EnsoJob",
        "a job, in the words of its manifest and of its status",
        "[writing jobs](../jobs.md), [jobs in a cluster](../kubernetes.md), "
        "[sessions in Pods](../pods.md)",
    ),
    Kind(
        "EnsoJobTemplate",
        "a job with parameters",
        "[templates and their runs](../templates.md)",
        {"spec.job": "ensojob.md#spec"},
    ),
    Kind("EnsoScript", "a script that is kept in the cluster", "[writing scripts](../scripts.md)"),
    Kind(
        "EnsoAction",
        "what somebody asks of a job",
        "[what people ask of a job that exists](../actions.md)",
    ),
)


def kind_page(kind: Kind, crds: Mapping[str, str]) -> str:
    """Return the page of a kind."""
    return "".join(_page(kind, crds[f"{kind.page}s.yaml"]))


def _page(kind: Kind, crd: str) -> Iterator[str]:
    document, schema = loaded(crd)
    names = document["spec"]["names"]
    short = ", ".join(map(code, (names["plural"], *names["shortNames"])))
    yield f"# {kind.name}\n\n{text(schema['description'])} How it is used: {kind.tasks}.\n\n"
    yield f"`apiVersion: {API_VERSION}`, `kind: {kind.name}`; for kubectl it is {short}.\n\n"
    yield from refusals(schema)
    fields = Fields(kind.elsewhere)
    for part in ("spec", "status"):
        if part in schema["properties"]:
            yield from fields.sections(part, schema["properties"][part])
    yield "## What kubectl get shows\n\n"
    yield table(("column", "shown", "field"), column_rows(document))
