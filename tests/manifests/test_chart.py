"""The chart's rights, its validation of values, its objects, and its documentation."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev.chart.generated import CHART, generated
from dev.chart.helm import VALUES, HelmSays

from enso_operator.api.crd import crds
from enso_operator.api.rules import broken_rules, broken_script_rules
from enso_operator.api.v1alpha1 import EnsoJob, EnsoScript
from enso_operator.settings import OperatorSettings
from tests.support.chart import OPERATOR, environment, one_pod, only_object, pods, rendered

FILLS = "MutatingAdmissionPolicy"
POLICIES = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]
FILLING = [FILLS, f"{FILLS}Binding"]
CLUSTER_SCOPED = {
    *("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"),
    *(*POLICIES, *FILLING),
}
NEWER = f"admissionregistration.k8s.io/v1/{FILLS}"
"""What clusters before Kubernetes 1.36 do not have."""
for_each_values_file = pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)


def test_what_is_written_by_a_program_is_as_it_would_be() -> None:
    for path, text in generated(crds()).items():
        assert path.read_text() == text, f"{path}: run `make manifests`"


def test_the_crds_are_those_of_deploy_crds() -> None:
    documents = {
        document["metadata"]["name"]: document
        for document in rendered()
        if document["kind"][0:6] == "Custom"
    }
    expected = {
        document["metadata"]["name"]: document for document in map(yaml.safe_load, crds().values())
    }
    for name, document in documents.items():
        added = document["metadata"].pop("labels")
        assert added["app.kubernetes.io/instance"] == "shows"
        assert document["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
        assert document == expected[name]
    assert documents.keys() == expected.keys()
    assert not any(
        "annotations" in document["metadata"] for document in rendered("crds.keep=false")[:1]
    )
    assert not [
        document for document in rendered("crds.enabled=false") if document["kind"][0:6] == "Custom"
    ]


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("replcas=2", "replcas"),
        ("sessions.graceSecond=2", "graceSecond"),
        ("gateway.service.prot=80", "prot"),
        ("replicas=two", "replicas"),
        ("image.digest=latest", "digest"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
        ("watchNamespaces={Shows}", "watchNamespaces"),
        ("apiServer.port=0", "port"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_its_name(setting: str, name: str) -> None:
    with pytest.raises(HelmSays, match=f"(?s)values don't meet the specifications.*{name}"):
        rendered(setting)


def test_the_chart_may_be_part_of_another_one() -> None:
    assert rendered("global.imageRegistry=x")


@for_each_values_file
def test_every_pod_is_admitted_where_the_level_is_restricted(values: Path) -> None:
    pods_found = pods(rendered(values=values))
    assert pods_found
    for pod in pods_found:
        (container,) = pod["spec"]["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        pod_context = pod["spec"]["securityContext"]
        assert pod_context["runAsNonRoot"] is True
        assert pod_context["seccompProfile"] == {"type": "RuntimeDefault"}
        user = None if values.stem.startswith("borrowed") else 65532
        assert (pod_context.get("runAsUser"), pod_context.get("runAsGroup")) == (user, user)
        assert container["resources"]["limits"]["memory"]


@for_each_values_file
def test_every_object_says_whose_it_is(values: Path) -> None:
    for document in rendered(values=values):
        labels = document["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "shows"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["helm.sh/chart"] == f"enso-executer-{chart()['version']}"
        assert document["kind"] in CLUSTER_SCOPED or document["metadata"]["namespace"]


def chart() -> dict[str, Any]:
    metadata: dict[str, Any] = yaml.safe_load((CHART / "Chart.yaml").read_text())
    return metadata


@pytest.mark.parametrize(
    ("settings", "apis", "expected"),
    [
        ((), (), POLICIES),
        ((), (NEWER,), [*FILLING, *POLICIES]),
        (("actions.recordCaller=false",), (NEWER,), POLICIES),
        (("watchNamespaces={a}",), (NEWER,), []),
    ],
)
def test_policies_are_where_the_cluster_and_the_release_can_have_them(
    settings: tuple[str, ...], apis: tuple[str, ...], expected: list[str]
) -> None:
    documents = rendered(*settings, apis=apis)

    kinds = [document["kind"] for document in documents if "Admission" in document["kind"]]
    assert sorted(kinds) == expected
    names = {document["metadata"]["name"] for document in documents}
    assert ("enso-artist" in names) == bool(expected)
    variables = environment(one_pod(documents, OPERATOR))
    assert variables.get("ENSO_ALLOW_CODE_CHANGES") == ("true" if expected else None)


def test_namespaces_need_nothing_of_the_cluster() -> None:
    documents = rendered("watchNamespaces={a,b}", "crds.enabled=false", apis=[NEWER])
    assert not {document["kind"] for document in documents} & CLUSTER_SCOPED
    roles = [document for document in documents if document["kind"] in {"Role", "RoleBinding"}]
    watched = [document for document in roles if document["metadata"]["name"] == OPERATOR]
    assert sorted(document["metadata"]["namespace"] for document in watched) == ["a", "a", "b", "b"]
    assert environment(one_pod(documents, OPERATOR))["ENSO_NAMESPACES"] == "a,b"
    assert only_object(documents, "Role", "test")["metadata"]["namespace"] == "a"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (("jobsNamespace=enso",), "EnsoJobs do not belong into enso, the operator's own namespace"),
        (("watchNamespaces={enso}",), "would not look after namespace default"),
        (("watchNamespaces={a}", "jobsNamespace=b"), "would not look after namespace b"),
    ],
)
def test_no_job_of_the_chart_lives_beside_the_operator(
    settings: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(HelmSays, match=sentence):
        rendered(*settings)


def test_the_namespace_of_jobs_is_used_by_everything_that_makes_some() -> None:
    for settings, name in (
        ((), "default"),
        (("watchNamespaces={enso,a}",), "a"),
        (("jobsNamespace=shows",), "shows"),
    ):
        documents = rendered("gateway.enabled=true", "gateway.auth=none", *settings)
        for part in ("gateway", "test"):
            assert only_object(documents, "Role", part)["metadata"]["namespace"] == name
            pod = one_pod(documents, f"{OPERATOR}-{part}")
            assert f"--namespace={name}" in pod["spec"]["containers"][0]["args"]


def test_the_lease_that_is_held_is_the_one_that_may_be_held() -> None:
    documents = rendered("leaderElection.leaseName=the-lease")
    variables = environment(one_pod(documents, OPERATOR))
    role = only_object(documents, "Role", "lease")
    assert variables["ENSO_LEADER_ELECT"] == "true"
    assert (variables["ENSO_LEASE_NAMESPACE"], variables["ENSO_LEASE_NAME"]) == (
        "enso",
        "the-lease",
    )
    assert role["metadata"]["namespace"] == "enso"
    assert role["rules"][1]["resourceNames"] == ["the-lease"]
    alone = rendered("leaderElection.enabled=false")
    assert not [document for document in alone if document["metadata"]["name"].endswith("-lease")]
    assert only_object(alone, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}


# Settings of the operator.


@for_each_values_file
def test_each_setting_is_one_that_the_operator_knows(values: Path) -> None:
    known = OperatorSettings.model_fields.keys()
    for pod in pods(rendered(values=values)):
        names = [name for name in environment(pod) if name.startswith("ENSO_")]
        assert {name.removeprefix("ENSO_").lower() for name in names} <= known
        assert len(names) == len({*names})


def test_numbers_stay_numbers() -> None:
    variables = environment(
        one_pod(rendered(values=CHART / "ci/everything-values.yaml"), "enso")  # fullnameOverride
    )
    assert variables["ENSO_SCHEDULE_PATIENCE_SECONDS"] == "2000000"
    assert variables["ENSO_UNREACHABLE_SECONDS"] == "1000000"
    assert variables["ENSO_RUN_AS_GROUP"] == "2000000000"
    assert variables["ENSO_SERVICE_ACCOUNTS"] == "renderer,publisher"
    assert variables["ENSO_ALLOW_NFS"] == "true"
    plain = environment(one_pod(rendered("sessions.recordsResources.limits.cpu=100m"), OPERATOR))
    assert plain["ENSO_RECORDS_LIMITS"] == '{"cpu":"100m","memory":"96Mi"}'
    assert not plain.keys() & {"ENSO_SCHEDULE_PATIENCE_SECONDS", "ENSO_SERVICE_ACCOUNTS"}


@for_each_values_file
def test_the_records_sidecar_is_the_operators_own_image(values: Path) -> None:
    for pod in pods(rendered(values=values)):
        variables = environment(pod)
        image = pod["spec"]["containers"][0]["image"]
        assert variables.get("ENSO_RECORDS_IMAGE", image) == image
        policy = pod["spec"]["containers"][0]["imagePullPolicy"]
        assert variables.get("ENSO_RECORDS_PULL_POLICY", policy) == policy


def test_a_digest_wins_over_a_tag() -> None:
    digest = "sha256:" + "a" * 64
    pod = one_pod(rendered("image.tag=x", f"image.digest={digest}", "image.repository=r"), OPERATOR)
    assert pod["spec"]["containers"][0]["image"] == f"r@{digest}"


def test_the_api_server_may_be_reached_by_another_way() -> None:
    pods_found = pods(
        rendered("gateway.enabled=true", "apiServer.host=10.244.0.1", "apiServer.port=6443")
    )
    assert len(pods_found) == 3
    for pod in pods_found:
        variables = environment(pod)
        assert variables["KUBERNETES_SERVICE_HOST"] == "10.244.0.1"
        assert variables["KUBERNETES_SERVICE_PORT"] == "6443"
    assert "KUBERNETES_SERVICE_HOST" not in environment(one_pod(rendered(), OPERATOR))


# Metadata for Artifact Hub.


def hub(name: str) -> Any:  # noqa: ANN401  # YAML
    return yaml.safe_load(chart()["annotations"][f"artifacthub.io/{name}"])


def test_the_chart_is_of_the_operators_version() -> None:
    assert chart()["appVersion"] == version("enso-operator")
    image = one_pod(rendered(), OPERATOR)["spec"]["containers"][0]["image"]
    assert hub("images") == [{"name": "enso-operator", "image": image}]


def test_artifact_hub_is_told_of_every_kind() -> None:
    listed = {(document["name"], document["kind"], document["version"]) for document in hub("crds")}
    expected = set[tuple[str, str, str]]()
    for document in map(yaml.safe_load, crds().values()):
        spec = document["spec"]
        (served,) = spec["versions"]
        expected.add((document["metadata"]["name"], spec["names"]["kind"], served["name"]))
    assert listed == expected
    assert hub("operatorCapabilities") == "Seamless Upgrades"
    assert hub("operator") is True
    assert {document["kind"] for document in hub("changes")} <= {
        "added",
        "changed",
        "fixed",
        "removed",
    }


def test_the_examples_are_jobs_and_scripts() -> None:
    job, script = hub("crdsExamples")
    assert list(broken_rules(EnsoJob.model_validate(job, extra="forbid"))) == []
    assert list(broken_script_rules(EnsoScript.model_validate(script, extra="forbid"))) == []


# Documentation.


def test_the_pages_name_values_that_there_are() -> None:
    table = (CHART / "README.md").read_text()
    values = set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE))
    page = (CHART.parents[2] / "docs/install.md").read_text()
    heads = {value.split(".")[0] for value in values}
    mentioned = {
        name
        for name in re.findall(r"[`' ]([a-z]\w+(?:\.[a-z]\w+)*)(?:=[\w{}]+)?[`' ]", page)
        if name.split(".")[0] in heads and ("." in name or name in values)
    }
    assert {"crds.keep", "apiServer.host", "watchNamespaces", "gateway.enabled"} <= mentioned
    assert mentioned <= values


def test_nobody_may_connect_whom_the_network_policy_does_not_name() -> None:
    assert "NetworkPolicy" not in {document["kind"] for document in rendered()}
    settings = ("networkPolicy.enabled=true", "gateway.enabled=true")
    peer = "networkPolicy.gatewayFrom[0].podSelector.matchLabels.app=proxy"
    documents = rendered(*settings, peer)
    for component, port in (("operator", None), ("gateway", 5005)):
        policy = only_object(documents, "NetworkPolicy", component)["spec"]
        (pod,) = (
            pod
            for pod in pods(documents)
            if policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
        )
        assert pod["spec"]["containers"][0]["name"] == component
        assert policy["policyTypes"] == ["Ingress"]
        if port is None:
            assert "ingress" not in policy  # an empty list of peers would let everybody in
        else:
            peers = [{"podSelector": {"matchLabels": {"app": "proxy"}}}]
            ports = [{"port": port, "protocol": "TCP"}]
            assert policy["ingress"] == [{"ports": ports, "from": peers}]
