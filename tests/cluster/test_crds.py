"""The CRDs on a real API server: what people see of them with kubectl."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev.checkout import CHECKOUT
from dev.cluster.plane import Cluster

from enso_operator.api.status import LARGEST_STATUS, EnsoJobStatus
from enso_operator.api.v1alpha1 import API_VERSION
from tests.support.eventually import until
from tests.support.resources import action, in_session, job, library_script, of_scripts
from tests.support.statuses import FAILED_JOB, largest_status
from tests.support.templates import template

CRDS = sorted((CHECKOUT / "deploy" / "crds").glob("*.yaml"))
EXPLAINED = (
    *("ensojob.spec", "ensojob.status", "ensojobtemplate.spec", "ensoscript.spec"),
    *("ensoaction.spec", "ensoaction.status"),
)


def create(cluster: Cluster, namespace: str, document: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    """The object as the API server stored it."""
    options = ("-n", namespace, "-f", "-", "-o", "json")
    return json.loads(cluster.kubectl("create", *options, stdin=json.dumps(document)))


def put_status(cluster: Cluster, namespace: str, of: str, status: object) -> Any:  # noqa: ANN401  # JSON
    patch = json.dumps({"status": status})
    options = ("--subresource=status", "--type=merge", "-p", patch, "-o", "json")
    told = cluster.kubectl("patch", of, "-n", namespace, *options)
    return json.loads(told)["status"]


@pytest.mark.parametrize("path", CRDS, ids=lambda path: path.stem)
def test_a_second_apply_changes_nothing(crds: Cluster, path: Path) -> None:
    show = ("get", "-f", str(path), "-o", "jsonpath={.metadata.resourceVersion}")
    before = crds.kubectl(*show)

    crds.kubectl("apply", "--server-side", "-f", str(path))

    assert crds.kubectl(*show) == before


@pytest.mark.parametrize("path", CRDS, ids=lambda path: path.stem)
def test_the_api_server_keeps_all_of_a_crd(crds: Cluster, path: Path) -> None:
    (wanted,) = yaml.safe_load(path.read_text())["spec"]["versions"]
    (kept,) = json.loads(crds.kubectl("get", "-f", str(path), "-o", "json"))["spec"]["versions"]

    assert kept["schema"] == wanted["schema"]


def test_every_field_has_its_sentence_in_what_kubectl_explain_reads(crds: Cluster) -> None:
    until(lambda: explains(crds, *EXPLAINED))
    told = json.loads(crds.kubectl("get", "--raw", f"/openapi/v3/apis/{API_VERSION}"))
    published = dict(
        sentence
        for schema in told["components"]["schemas"].values()
        for of_kind in schema.get("x-kubernetes-group-version-kind", [])
        if "spec" in schema["properties"]
        for sentence in sentences_in(of_kind["kind"].lower(), schema["properties"])
    )
    assert published == WANTED
    assert len(published) > 150


@pytest.mark.parametrize("path", EXPLAINED)
def test_kubectl_explain_tells_it(crds: Cluster, path: str) -> None:
    """Of the fields at the top, as each object of fields below takes another kubectl."""
    until(lambda: explains(crds, path))
    explained = dict(explanations(crds, path))
    wanted = {field: said for field, said in WANTED.items() if field.rpartition(".")[0] == path}
    assert explained == wanted


def explains(cluster: Cluster, *paths: str) -> bool:
    """Whether discovery lists them: a little later than the API server accepts them."""
    try:
        return all(cluster.kubectl("explain", path) for path in paths)
    except subprocess.CalledProcessError:
        return False


def sentences(crd: dict[str, Any]) -> Iterator[tuple[str, str]]:
    (version,) = crd["spec"]["versions"]
    kind = crd["spec"]["names"]["singular"]
    return sentences_in(kind, version["schema"]["openAPIV3Schema"]["properties"])


def sentences_in(kind: str, fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for top in ("spec", "status"):
        if top in fields:
            yield from _sentences(f"{kind}.{top}", fields[top])


def _sentences(path: str, schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, field in schema.get("items", schema).get("properties", {}).items():
        yield f"{path}.{name}", field["description"]
        yield from _sentences(f"{path}.{name}", field)


WANTED = {
    path: sentence
    for file in CRDS
    for path, sentence in sentences(yaml.safe_load(file.read_text()))
}
"""Each field below spec and status, and what the CRD says of it."""


def explanations(cluster: Cluster, path: str) -> Iterator[tuple[str, str]]:
    """Every field of an object, with its text of `kubectl explain`."""
    fields = cluster.kubectl("explain", path).partition("FIELDS:\n")[2]
    for block in re.split(r"\n\n(?=  \w)", fields.rstrip()):
        head, *lines = [line.strip() for line in block.splitlines() if line.strip()]
        # Of a choice kubectl shows the values first.
        said = " ".join(line for line in lines if not line.startswith("enum: "))
        name, _, _ = head.partition("\t")
        yield f"{path}.{name}", said


def test_few_defaults_are_written_into_the_object(crds: Cluster, namespace: str) -> None:
    """Of a hundred scripts they would be most of the object, which each status write reads."""
    given = in_session()
    made = create(crds, namespace, given)

    assert made["status"] == {"observedGeneration": -1}
    assert made["spec"] == {**given["spec"], "suspend": False}


def test_nobody_owns_a_part_of_a_script(crds: Cluster, namespace: str) -> None:
    create(crds, namespace, in_session(env=[{"name": "SHOT", "value": "sh010"}]))
    options = ("-n", namespace, "-o", "json", "--show-managed-fields")
    (owner,) = json.loads(crds.kubectl("get", "ensojob/shot", *options))["metadata"][
        "managedFields"
    ]
    owned = owner["fieldsV1"]["f:spec"]
    assert owned["f:scripts"] == {".": {}, 'k:{"name":"script-0"}': {}}
    assert owned["f:sessions"] == {".": {}, 'k:{"name":"houdini"}': {}}


def test_two_managers_may_apply_the_same_script(crds: Cluster, namespace: str) -> None:
    given = json.dumps(in_session(env=[{"name": "SHOT", "value": "sh010"}]))
    for manager in ("one", "two", "one"):
        options = ("-n", namespace, "--server-side", f"--field-manager={manager}", "-f", "-")
        crds.kubectl("apply", *options, stdin=given)

    told = crds.kubectl(
        "get", "ensojob/shot", "-n", namespace, "-o", "json", "--show-managed-fields"
    )
    owners = json.loads(told)["metadata"]["managedFields"]
    assert {owner["manager"] for owner in owners if "f:scripts" in str(owner)} == {"one", "two"}


def test_a_default_that_is_not_written_is_told(crds: Cluster) -> None:
    told = crds.kubectl("explain", "ensojob.spec.sessions.startTimeoutSeconds")
    assert "Default: 300." in " ".join(told.split())


def test_an_argument_is_kept_as_it_was_written(crds: Cluster, namespace: str) -> None:
    args: dict[str, Any] = {
        "a": None,
        "b": [None, {"kind": "x", "metadata": {}}],
        "c": 0.1,
        "é": {},
    }

    made = create(crds, namespace, of_scripts({"args": args}))

    assert made["spec"]["scripts"][0]["args"] == args


def test_columns(crds: Cluster, namespace: str) -> None:
    create(crds, namespace, of_scripts({}))
    put_status(crds, namespace, "ensojob/shot", FAILED_JOB)
    get = ("get", "ensoj", "-n", namespace)

    heads, values = crds.kubectl(*get).splitlines()
    shown = ["STATUS", "ACTIVITY", "DONE", "SCRIPT", "PROGRESS", "REASON"]
    assert heads.split() == ["NAME", *shown, "AGE"]
    assert values.split()[:5] == ["shot", "Failed", "1/4", "simulate", "OutOfMemory"]

    wide, values = crds.kubectl(*get, "-o", "wide").splitlines()
    assert wide.split() == [*heads.split(), "ERROR", "FINISHED", "POD", "TEMPLATE"]
    assert values.split()[-1] == "shot-houdini-1-abcde"


def test_a_category_for_all_that_is_ours(crds: Cluster, namespace: str) -> None:
    create(crds, namespace, of_scripts({}))
    create(crds, namespace, library_script(source="def main(): pass"))
    create(crds, namespace, action("retry"))
    create(crds, namespace, template())

    told = crds.kubectl("get", "enso", "-n", namespace, "-o", "name").split()

    assert told == [
        "ensoaction.enso.dev/again",
        "ensojob.enso.dev/shot",
        "ensojobtemplate.enso.dev/publish",
        "ensoscript.enso.dev/open-scene",
    ]


def test_jobs_are_selected_by_whether_they_are_suspended(crds: Cluster, namespace: str) -> None:
    create(crds, namespace, of_scripts({}, suspend=True))
    create(crds, namespace, job(of_scripts({})["spec"], "other"))

    told = crds.kubectl(
        "get", "ensoj", "-n", namespace, "-o", "name", "--field-selector", "spec.suspend=true"
    )

    assert told.split() == ["ensojob.enso.dev/shot"]


@pytest.mark.parametrize("how", ["--server-side", "--server-side=false"])
def test_a_second_apply_of_a_job_changes_nothing(crds: Cluster, namespace: str, how: str) -> None:
    path = str(CHECKOUT / "examples" / "publish-shot.yaml")
    apply = ("apply", how, "-n", namespace, "-f", path, "-o", "jsonpath={.metadata}")
    crds.kubectl(*apply)
    # Until somebody writes a status its default is not stored, and the next write stores it.
    put_status(crds, namespace, "ensojob/publish-shot", {"done": "0/3"})

    assert crds.kubectl(*apply) == crds.kubectl(*apply)


@pytest.mark.parametrize(
    "status", [FAILED_JOB, largest_status()], ids=["of a failed job", "the largest"]
)
def test_a_status_is_kept_and_read_back_as_it_was(
    crds: Cluster, namespace: str, status: dict[str, Any]
) -> None:
    create(crds, namespace, of_scripts({}))
    wanted = EnsoJobStatus.model_validate(status, extra="forbid")

    written = wanted.model_dump(mode="json", by_alias=True, exclude_none=True)

    kept = put_status(crds, namespace, "ensojob/shot", written)

    assert kept == written
    assert len(json.dumps(kept)) <= LARGEST_STATUS
    assert EnsoJobStatus.model_validate(kept, extra="forbid") == wanted


def test_describe_shows_why_last(crds: Cluster, namespace: str) -> None:
    create(crds, namespace, of_scripts({}))
    put_status(crds, namespace, "ensojob/shot", FAILED_JOB)

    told = crds.kubectl("describe", "ensoj", "shot", "-n", namespace)

    assert told.partition("  Why:\n")[2].splitlines()[:2] == [
        f"    {line}" for line in FAILED_JOB["why"][:2]
    ]
    assert told.index("  Why:\n") > told.index("  Scripts:\n")
