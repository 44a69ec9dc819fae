"""Who may ask what of a job, and in whose name: roles and admission policies of the chart.

Users are impersonated, and one is a service account with a token.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev.chart.generated import CHART
from dev.chart.helm import helm
from dev.cluster.plane import Cluster
from dev.cluster.sharing import shared

from tests.cluster.conftest import require_programs
from tests.cluster.kubeconfigs import of_stranger
from tests.support.chart import as_list, need_helm
from tests.support.eventually import until
from tests.support.resources import (
    Document,
    action,
    change_of_script,
    change_of_session,
    of_scripts,
)

NAMESPACE = "default"
ARTIST, EDITOR, OTHER, VIEWER = "ann", "ed", "eve", "vic"
ROBOT = f"system:serviceaccount:{NAMESPACE}:robot"
OPERATOR = "system:serviceaccount:enso:shows-enso-executer"
ROLES = {ARTIST: "enso-artist", ROBOT: "enso-artist", VIEWER: "view", EDITOR: "edit", OTHER: "edit"}


def bound(user: str, role: str) -> Document:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": user.rpartition(":")[2], "namespace": NAMESPACE},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }


@pytest.fixture(scope="module")
def cluster_with_release() -> Generator[Cluster]:
    """A cluster of its own, as policies hold for all of it, with a release that looks after all."""
    require_programs()
    need_helm()
    with shared(secrets.token_hex(4)) as cluster:
        place = ("--kubeconfig", str(cluster.kubeconfig), "--namespace", "enso")
        helm("install", "shows", CHART, "--create-namespace", *place)
        cluster.kubectl("wait", "--for=condition=Established", "crd/ensoactions.enso.dev")
        bindings = as_list([bound(user, role) for user, role in ROLES.items()])
        cluster.kubectl("create", "-f", "-", stdin=json.dumps(bindings))
        cluster.kubectl("create", "serviceaccount", "robot", "-n", NAMESPACE)
        cluster.kubectl("create", "-f", "-", stdin=json.dumps(of_scripts({}, suspend=True)))
        # Policies and roles hold a moment after they are there, and policies look for the kind.
        until(lambda: "spec.by is who asks" in tried(cluster, action("retry", by=ARTIST)))
        until(lambda: f'"by": "{OTHER}"' in tried(cluster, action("retry")))
        until(lambda: may(cluster, VIEWER, "get", "ensoactions"))
        yield cluster


@pytest.fixture
def release(cluster_with_release: Cluster) -> Generator[Cluster]:
    yield cluster_with_release
    cluster_with_release.kubectl("delete", "ensoactions", "--all", "-n", NAMESPACE)


def created(cluster: Cluster, user: str, document: Document) -> Any:  # noqa: ANN401  # JSON
    """The spec of what the user creates, as the API server has it."""
    given = ("create", "-n", NAMESPACE, "-f", "-", "-o", "json")
    made = cluster.kubectl(f"--as={user}", *given, stdin=json.dumps(document))
    return json.loads(made)["spec"]


def refusal(cluster: Cluster, user: str, document: Document) -> str:
    with pytest.raises(subprocess.CalledProcessError) as error:
        created(cluster, user, document)
    return str(error.value.stderr)


def tried(cluster: Cluster, document: Document) -> str:
    """What the API server would answer to an editor."""
    given = ("create", "-n", NAMESPACE, "-f", "-", "-o", "json", "--dry-run=server")
    try:
        return cluster.kubectl(f"--as={OTHER}", *given, stdin=json.dumps(document))
    except subprocess.CalledProcessError as error:
        return str(error.stderr)


def may(cluster: Cluster, user: str, verb: str, what: str) -> bool:
    """What the API server says, which `kubectl auth can-i` asks as well."""
    return rights(cluster, user, [(verb, what)])[0]


def rights(cluster: Cluster, user: str, asked: list[tuple[str, str]]) -> list[bool]:
    """The same of many verbs and resources, by one kubectl."""
    reviews = as_list([review(user, verb, what) for verb, what in asked])
    given = ("create", "-f", "-", "-o", 'jsonpath={.status.allowed}{"\\n"}')
    told = cluster.kubectl(*given, stdin=json.dumps(reviews)).split()
    return [{"true": True, "false": False}[allowed] for allowed in told]


def review(user: str, verb: str, what: str) -> Document:
    resource, _, part = what.partition("/")
    about = {"namespace": NAMESPACE, "verb": verb, "resource": resource, "subresource": part}
    about["group"] = "apps" if resource == "controllerrevisions" else "enso.dev"
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": ["system:authenticated"], "resourceAttributes": about},
    }


RIGHTS: dict[str, dict[str, str]] = {
    ARTIST: {
        "ensoactions": "create get list watch",
        "ensojobs": "get list watch",
        "controllerrevisions": "get",
    },
    VIEWER: {
        "ensoactions": "get list watch",
        "ensojobs": "get list watch",
        "ensojobtemplates": "get list watch",
        "ensoscripts": "get list watch",
        "controllerrevisions": "get list watch",
    },
    EDITOR: {
        "ensoactions": "create get list watch update patch delete",
        "ensojobs": "create get list watch update patch delete",
        "ensojobtemplates": "create get list watch update patch delete",
        "ensoscripts": "create get list watch update patch delete",
        "controllerrevisions": "get list watch",
    },
    OPERATOR: {
        "ensoactions": "get list watch patch delete",
        "ensoactions/status": "patch",
        "ensojobs": "get list watch delete",
        "ensojobs/status": "patch",
        "ensojobtemplates": "get list",
        "ensoscripts": "get list",
        "controllerrevisions": "get create",
    },
}
RESOURCES = sorted({resource for rights in RIGHTS.values() for resource in rights})
VERBS = ("create", "get", "list", "watch", "update", "patch", "delete")


@pytest.mark.parametrize("user", RIGHTS)
def test_who_may_do_what(release: Cluster, user: str) -> None:
    asked = [(verb, resource) for resource in RESOURCES for verb in VERBS]
    found = {resource: set[str]() for resource in RESOURCES}
    for (verb, resource), is_allowed in zip(asked, rights(release, user, asked), strict=True):
        if is_allowed:
            found[resource].add(verb)

    wanted = {resource: {*RIGHTS[user].get(resource, "").split()} for resource in RESOURCES}
    assert found == wanted


def test_the_caller_is_written_into_an_action_that_names_nobody(
    release: Cluster, tmp_path: Path
) -> None:
    assert created(release, ARTIST, action("retry"))["by"] == ARTIST

    robots = of_stranger(release, NAMESPACE, tmp_path, "robot")
    document = json.dumps(action("retry", "by-a-robot"))
    create = ("create", "-f", "-", "-o", "jsonpath={.spec.by}")
    assert release.kubectl(f"--kubeconfig={robots}", *create, stdin=document) == ROBOT


def test_nobody_asks_in_the_name_of_another(release: Cluster) -> None:
    told = refusal(release, ARTIST, action("retry", by=EDITOR))

    assert "(Forbidden)" in told
    assert f"spec.by is who asks: leave it out, or write {ARTIST}" in told
    assert created(release, ARTIST, action("retry", by=ARTIST))["by"] == ARTIST


@pytest.mark.parametrize("how", [("apply", "--server-side"), ("apply",), ("replace",)], ids=str)
@pytest.mark.parametrize("again", [EDITOR, OTHER])
def test_the_same_manifest_again_changes_nothing_whoever_applies_it(
    release: Cluster, how: tuple[str, ...], again: str
) -> None:
    document = json.dumps(action("retry"))
    options = ("-n", NAMESPACE, "-f", "-", "-o", "jsonpath={.metadata.generation} {.spec}")

    first = ("create", "--save-config") if how == ("replace",) else how
    before = release.kubectl(f"--as={EDITOR}", *first, *options, stdin=document)
    assert json.loads(before.partition(" ")[2])["by"] == EDITOR

    assert release.kubectl(f"--as={again}", *how, *options, stdin=document) == before


def test_who_deletes_an_action_and_creates_it_again_asks(release: Cluster) -> None:
    created(release, EDITOR, action("retry"))

    again = ("replace", "--force", "-n", NAMESPACE, "-f", "-", "-o", "jsonpath={.spec.by}")
    told = release.kubectl(f"--as={OTHER}", *again, stdin=json.dumps(action("retry")))

    assert told.splitlines()[-1].endswith(OTHER)


@pytest.mark.parametrize(
    "metadata",
    [
        {"finalizers": ["studio.example/mine"]},
        {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "b"}]},
    ],
    ids=lambda metadata: next(iter(metadata)),
)
def test_nobody_creates_one_that_holds_up_a_deletion(release: Cluster, metadata: Document) -> None:
    document = action("retry")
    document["metadata"] |= metadata

    told = refusal(release, EDITOR, document)

    assert "remove metadata.finalizers and metadata.ownerReferences" in told


WRITES_A_JOB: dict[str, Document] = {
    "source": change_of_script(source="def main(): pass"),
    "image": change_of_session(image="studio/houdini:21"),
    "interpreter": change_of_session(interpreter=["hython"]),
    "env": change_of_session(env=[{"name": "A", "value": "1"}]),
}


@pytest.mark.parametrize("document", WRITES_A_JOB.values(), ids=WRITES_A_JOB)
def test_what_is_as_much_as_writing_a_job_needs_the_right_to(
    release: Cluster, document: Document
) -> None:
    told = refusal(release, ARTIST, document)

    assert "(Forbidden)" in told
    assert (
        "a resume that changes source, image, interpreter or env needs the right to create EnsoJobs"
        " in this namespace: leave these out, or ask somebody who has it"
    ) in told
    assert created(release, EDITOR, document)["by"] == EDITOR


def test_an_artist_changes_everything_else(release: Cluster) -> None:
    scripts = [{"name": "a", "args": {"b": 1}, "unsetArgs": ["c"], "timeoutSeconds": 9}]
    sessions = [
        {"name": "d", "resources": {"limits": {"memory": "1Gi"}}, "nodeSelector": {"e": ""}}
    ]

    resume = {"from": "a", "scripts": scripts, "sessions": sessions}

    assert created(release, ARTIST, action("resume", resume=resume))["resume"] == resume


def test_the_operator_makes_an_action_a_dependant_of_its_job(release: Cluster) -> None:
    created(release, ARTIST, action("retry"))
    job = json.loads(release.kubectl("get", "ensojob/shot", "-n", NAMESPACE, "-o", "json"))
    owner = {"name": "shot", "uid": job["metadata"]["uid"], "controller": False}
    owner |= {"apiVersion": job["apiVersion"], "kind": job["kind"]}

    patch = json.dumps({"metadata": {"ownerReferences": [owner]}})
    options = ("ensoaction/again", "-n", NAMESPACE, "--type=merge", "-p", patch, "-o", "json")
    told = json.loads(release.kubectl(f"--as={OPERATOR}", "patch", *options))

    assert told["metadata"]["ownerReferences"] == [owner]
    assert told["spec"]["by"] == ARTIST


@pytest.mark.parametrize("user", [ARTIST, ROBOT])
def test_enso_asks_in_the_name_of_whoever_starts_it(
    release: Cluster, tmp_path: Path, user: str
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    if user == ROBOT:
        kubeconfig = of_stranger(release, NAMESPACE, tmp_path, "robot")
    else:
        config = yaml.safe_load(release.kubeconfig.read_text())
        config["users"][0]["user"]["as"] = user
        kubeconfig.write_text(yaml.safe_dump(config))
    enso = [sys.executable, "-m", "enso_operator"]
    cluster = ["--kubeconfig", str(kubeconfig), "-n", NAMESPACE, "--timeout", "1s"]
    told = subprocess.run(
        [*enso, "retry", "shot", *cluster], capture_output=True, text=True, check=False
    )
    assert (told.returncode, "no operator has acted" in told.stderr) == (2, True), told.stderr
    listed = json.loads(release.kubectl("get", "ensoactions", "-n", NAMESPACE, "-o", "json"))[
        "items"
    ]
    assert [made["spec"]["by"] for made in listed] == [user]

    more = tmp_path / "more.yaml"
    more.write_text("sessions: [{name: main, image: mine}]")
    told = subprocess.run(
        [*enso, "resume", "shot", "-f", str(more), *cluster],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 2
    assert told.stderr.startswith("enso: shot: you lack a right in this cluster: ")
