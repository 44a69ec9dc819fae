"""What the API server takes, and what it refuses at once with a sentence."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from dev.checkout import CHECKOUT
from dev.cluster.plane import Cluster
from kubernetes.client import ApiClient

from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.kube.client import Refused, path_of, request
from tests.cluster.action_refusals import ACTION_RULES_REFUSED, ACTIONS_REFUSED
from tests.cluster.refusals import KEYS, REFUSED, RULES_REFUSED
from tests.support.crds import parts
from tests.support.resources import Document, job, largest_job, of_scripts
from tests.support.templates import run

EXAMPLES = sorted((CHECKOUT / "examples").rglob("*.yaml"))
IMMUTABLE = "field is immutable"
BY_RULES = [*RULES_REFUSED, *ACTION_RULES_REFUSED]
ALL_REFUSED = [*BY_RULES, *REFUSED, *ACTIONS_REFUSED]


def refusal(cluster: Cluster, *arguments: str, document: object = None) -> str:
    """What kubectl says where the API server refuses."""
    given = None if document is None else json.dumps(document)
    with pytest.raises(subprocess.CalledProcessError) as error:
        cluster.kubectl(*arguments, stdin=given)
    return str(error.value.stderr)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_taken(crds: Cluster, namespace: str, path: Path) -> None:
    is_named_later = "generateName" in path.read_text()
    verb = ("create",) if is_named_later else ("apply", "--server-side")
    crds.kubectl(*verb, "-n", namespace, "-f", str(path))


def test_the_largest_job_is_taken_and_let_go(crds: Cluster, namespace: str) -> None:
    crds.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(largest_job()))

    patch = ("--type=merge", "-p", '{"spec": {"suspend": false}}')
    crds.kubectl("patch", "ensojob", "shot", "-n", namespace, *patch)


@pytest.mark.parametrize(
    ("document", "sentence"),
    ALL_REFUSED,
    ids=[sentence[-60:] for _, sentence in ALL_REFUSED],
)
def test_invalid_resources_are_refused_with_a_sentence(
    client: ApiClient, document: Document, sentence: str
) -> None:
    """As kubectl asks; of what is refused nothing is left, so that all of them have one place."""
    path = path_of("default", f"{document['kind'].lower()}s", API_VERSION)
    with pytest.raises(Refused) as refused:
        request(client, "POST", path, document, query={"fieldValidation": "Strict"})

    assert sentence in str(refused.value)


def test_each_rule_of_the_crds_has_its_refusal() -> None:
    told = "\n".join(sentence for _, sentence in BY_RULES)
    for path in (CHECKOUT / "deploy" / "crds").glob("*.yaml"):
        (version,) = yaml.safe_load(path.read_text())["spec"]["versions"]
        for schema in parts(version["schema"]["openAPIV3Schema"]):
            for rule in schema.get("x-kubernetes-validations", []):
                assert words_of(rule) in f"{told}\n{IMMUTABLE}"


def words_of(rule: dict[str, str]) -> str:
    """A rule's message, without inserted values and the second half of key rules."""
    if "messageExpression" in rule:
        return rule["messageExpression"].split("'")[1].split("%s")[-1]
    return (
        KEYS if rule["message"].startswith(KEYS) else rule["message"].partition(": a scriptRef")[0]
    )


SCRIPTS: list[Document] = [
    {"name": "open", "args": {"scene": {"path": ["a", None]}}, "source": "x"},
    {"name": "notify", "session": "maya", "source": "y"},
]
SESSIONS = [{"name": "houdini"}, {"name": "maya", "env": [{"name": "A", "value": "1"}]}]
BEFORE = job({"scripts": SCRIPTS, "sessions": SESSIONS, "suspend": True})["spec"]


def changed(at: str, value: object) -> list[Document]:
    return [{"op": "replace", "path": f"/spec/{at}", "value": value}]


CHANGES: dict[str, tuple[str, list[Document]]] = {
    "a source": ("scripts", changed("scripts/0/source", "y")),
    "deep in the arguments": ("scripts", changed("scripts/0/args/scene/path/1", 0)),
    "one more argument": (
        "scripts",
        [{"op": "add", "path": "/spec/scripts/0/args/b", "value": None}],
    ),
    "the name of an argument": (
        "scripts",
        changed("scripts/0/args", {"renamed": SCRIPTS[0]["args"]["scene"]}),
    ),
    "a name deep in the arguments": ("scripts", changed("scripts/0/args/scene", {"pth": "a"})),
    "the kind of an argument": ("scripts", changed("scripts/0/args/scene", "path")),
    "a default": ("scripts", changed("scripts/0/setup", value=True)),
    "the order of scripts": ("scripts", changed("scripts", SCRIPTS[::-1])),
    "one more script": (
        "scripts",
        [{"op": "add", "path": "/spec/scripts/-", "value": {"name": "c", "source": "x"}}],
    ),
    "one script less": ("scripts", [{"op": "remove", "path": "/spec/scripts/0"}]),
    "a variable of a session": ("sessions", changed("sessions/1/env/0/value", "2")),
    "the order of sessions": ("sessions", changed("sessions", SESSIONS[::-1])),
    "no sessions": (
        "sessions",
        [
            {"op": "remove", "path": "/spec/sessions"},
            {"op": "remove", "path": "/spec/scripts/1/session"},
        ],
    ),
    "a deadline": (
        "activeDeadlineSeconds",
        [{"op": "add", "path": "/spec/activeDeadlineSeconds", "value": 60}],
    ),
}


@pytest.mark.parametrize(("field", "patch"), CHANGES.values(), ids=CHANGES)
def test_what_runs_is_immutable(
    crds: Cluster, namespace: str, field: str, patch: list[Document]
) -> None:
    crds.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(job(BEFORE)))

    options = ("shot", "-n", namespace, "--type=json", "-p", json.dumps(patch))
    told = refusal(crds, "patch", "ensojob", *options)

    assert f"spec.{field}: Invalid value: {IMMUTABLE}" in told


@pytest.mark.parametrize(
    ("field", "patch"),
    [
        ("params", {"params": {"shot": "020"}}),
        ("params", {"params": {"shot": None, "shto": "010"}}),
        ("params", {"params": {"frames": 1}}),
        ("params", {"params": None}),
        ("templateRef", {"templateRef": {"name": "other"}}),
        ("templateRef", {"templateRef": {"generation": 2}}),
    ],
)
def test_a_run_is_immutable(
    crds: Cluster, namespace: str, field: str, patch: dict[str, object]
) -> None:
    crds.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(run(shot="010")))

    options = ("shot", "-n", namespace, "--type=merge", "-p", json.dumps({"spec": patch}))
    told = refusal(crds, "patch", "ensojob", *options)

    assert f"spec.{field}: Invalid value: {IMMUTABLE}" in told
    crds.kubectl("patch", "ensojob", *options[:-1], json.dumps({"spec": {"suspend": True}}))


def test_no_write_changes_a_spec_by_counting_the_revision_of_the_status(
    crds: Cluster, namespace: str
) -> None:
    """A write of the status says nothing of the spec, and any other one nothing of the status."""
    crds.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(job(BEFORE)))
    both = {
        "status": {"ledger": {"revision": 7}},
        "spec": {"scripts": [SCRIPTS[0] | {"source": "evil"}, SCRIPTS[1]]},
    }
    options = ("shot", "-n", namespace, "--type=merge", "-p", json.dumps(both))

    told = refusal(crds, "patch", "ensojob", *options)
    crds.kubectl("patch", "ensojob", *options, "--subresource=status")

    assert f"spec.scripts: Invalid value: {IMMUTABLE}" in told
    stored = json.loads(crds.kubectl("get", "ensojob", "shot", "-n", namespace, "-o", "json"))
    assert stored["status"]["ledger"]["revision"] == 7
    assert "evil" not in str(stored["spec"])


@pytest.mark.parametrize("verb", [("apply", "--dry-run=server"), ("apply", "--server-side")])
def test_a_manifest_that_changed_is_refused_before_it_is_applied(
    crds: Cluster, namespace: str, verb: tuple[str, ...]
) -> None:
    manager = ("--field-manager=gitops",) if "--server-side" in verb else ()
    crds.kubectl(
        "apply",
        *verb[1:2][: len(manager)],
        *manager,
        "-n",
        namespace,
        "-f",
        "-",
        stdin=json.dumps(job(BEFORE)),
    )

    changed_job = job(BEFORE | {"activeDeadlineSeconds": 60})
    told = refusal(crds, *verb, *manager, "-n", namespace, "-f", "-", document=changed_job)

    assert f"spec.activeDeadlineSeconds: Invalid value: {IMMUTABLE}" in told


def test_sessions_cannot_be_added_later(crds: Cluster, namespace: str) -> None:
    crds.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(of_scripts({})))

    patch = json.dumps({"spec": {"sessions": [{"name": "main"}]}})
    told = refusal(crds, "patch", "ensojob", "shot", "-n", namespace, "--type=merge", "-p", patch)

    assert f"spec.sessions: Invalid value: {IMMUTABLE}" in told


def test_what_may_change(crds: Cluster, namespace: str) -> None:
    crds.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(job(BEFORE)))

    for spec in ({"suspend": False}, {"ttlSecondsAfterFinished": 60}):
        patch = json.dumps({"spec": spec})
        crds.kubectl("patch", "ensojob", "shot", "-n", namespace, "--type=merge", "-p", patch)
    crds.kubectl("label", "ensojob", "shot", "-n", namespace, "studio/shot=010")


def test_a_script_of_the_library_may_change(crds: Cluster, namespace: str) -> None:
    manifest = {"kind": "EnsoScript", "metadata": {"name": "open-scene"}}
    for source in ("a", "b"):
        document = job({"source": source}) | manifest
        crds.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(document))
