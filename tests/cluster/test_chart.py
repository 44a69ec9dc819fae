"""The chart in a real API server: installed, upgraded, rolled back, removed; its rights are enough.

There is no node here, so none of its Pods run: tests/node has those.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from dev.chart.generated import CHART
from dev.chart.helm import VALUES, helm
from dev.cluster.commands import install_crds, wait_for_crds
from dev.cluster.plane import Cluster
from kubernetes.client import ApiClient

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_stranger
from tests.cluster.test_rights import OPERATING, PASSES, binding
from tests.cluster.users import name_of, until_granted
from tests.support.chart import as_list, environment, need_helm, pods, rendered
from tests.support.eventually import until
from tests.support.operators import operators_of
from tests.support.resources import library_script, of_scripts

Helm = Callable[..., str]
ACCOUNT = "shows-enso-executer"


def helm_of(cluster: Cluster, namespace: str) -> Helm:
    place = ("--kubeconfig", str(cluster.kubeconfig), "--namespace", namespace)
    return lambda *arguments: helm(*place, *arguments)


def test_a_release_comes_changes_and_goes_and_jobs_stay(own_cluster: Cluster) -> None:
    need_helm()
    ask, kubectl = helm_of(own_cluster, "enso"), own_cluster.kubectl
    said = ask("install", "shows", CHART, "--create-namespace")
    assert "kubectl -n enso rollout status deployment/shows-enso-executer" in said
    kubectl("wait", "--for=condition=Established", "crd/ensojobs.enso.dev")
    kubectl("apply", "-f", "-", stdin=json.dumps(of_scripts({}, suspend=True)))
    uid = ("get", "ensojob", "shot", "-o", "jsonpath={.metadata.uid}")
    job = kubectl(*uid)

    ask("upgrade", "shows", CHART, "--set=gateway.enabled=true,replicas=2")
    assert kubectl("-n", "enso", "get", "deployments", "-o", "name").split() == [
        "deployment.apps/shows-enso-executer",
        "deployment.apps/shows-enso-executer-gateway",
    ]
    ask("rollback", "shows", "1")
    replicas = ("get", "deployment", "-o", "jsonpath={.items[*].spec.replicas}")
    assert kubectl("-n", "enso", *replicas) == "1"
    assert kubectl(*uid) == job

    assert "kept due to the resource policy" in ask("uninstall", "shows")
    left = ("get", "all,roles,rolebindings,pdb,serviceaccounts,clusterroles,clusterrolebindings")
    chosen = ("-A", "-l", "app.kubernetes.io/instance=shows", "-o", "name")
    assert kubectl(*left, *chosen) == ""
    assert kubectl(*uid) == job

    ask("install", "shows", CHART)
    assert kubectl(*uid) == job


@pytest.mark.timeout(400)
def test_a_release_without_keep_takes_the_kinds_with_it(own_cluster: Cluster) -> None:
    need_helm()
    ask = helm_of(own_cluster, "enso")
    said = ask("install", "shows", CHART, "--create-namespace", "--set=crds.keep=false")
    assert "WARNING: crds.keep is false" in said
    wait_for_crds(own_cluster.kubectl)
    ask("uninstall", "shows", "--wait", "--timeout=100s")
    assert own_cluster.kubectl("get", "crds", "-o", "name") == ""


def test_kinds_that_were_applied_by_hand_can_be_taken_over(own_cluster: Cluster) -> None:
    need_helm()
    install_crds(own_cluster.kubectl)
    ask = helm_of(own_cluster, "enso")
    ask("install", "shows", CHART, "--create-namespace", "--take-ownership")
    assert "keep" in own_cluster.kubectl("get", "crd/ensojobs.enso.dev", "-o", "yaml")


@pytest.fixture
def release_namespace(crds: Cluster, namespace: str) -> Generator[str]:
    """The namespace of the release, which is not that of its jobs."""
    name = f"{namespace}-release"
    crds.kubectl("create", "namespace", name)
    yield name
    crds.kubectl("delete", "namespace", name, "--wait=false")


@contextmanager
def for_local_sessions(cluster: Cluster, namespace: str) -> Generator[None]:
    """Grant the one right more that local sessions need: to tell this cluster from others."""
    text = OPERATING.read_text("utf-8").split("```yaml\n")[1].partition("```")[0]
    role = [*yaml.safe_load_all(text)][1]
    role["metadata"]["name"] += f"-{namespace}"
    bound = binding("ClusterRoleBinding", role["metadata"]["name"], namespace)
    bound["subjects"][0]["name"] = ACCOUNT
    document = json.dumps(as_list([role, bound]))
    cluster.kubectl("apply", "-f", "-", stdin=document)
    yield
    cluster.kubectl("delete", "-f", "-", stdin=document)


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_the_api_server_takes_everything_that_is_rendered(
    crds: Cluster, namespace: str, values: Path
) -> None:
    documents = rendered(values=values, namespace=namespace)
    for document in documents:
        if document["kind"] == "CustomResourceDefinition":
            document["metadata"]["name"] = "x" + document["metadata"]["name"]
            document["spec"]["names"] = {
                name: f"{text[0]}x{text[1:]}"
                for name, text in document["spec"]["names"].items()
                if isinstance(text, str)
            }
            document["spec"]["names"]["plural"] = document["metadata"]["name"].split(".")[0]
        elif "namespace" in document["metadata"]:
            document["metadata"]["namespace"] = namespace
    documents = [
        document
        for document in documents
        if document["kind"] != "Pod"
        # Kinds of an operator that is not here; tests/manifests/test_monitoring.py looks at these.
        and document["apiVersion"] != "monitoring.coreos.com/v1"
    ]
    crds.kubectl(
        *("create", "--dry-run=server", "--validate=strict", "-f", "-"),
        stdin=json.dumps(as_list(documents)),
    )


def test_its_pods_are_admitted_where_the_level_is_restricted(crds: Cluster, namespace: str) -> None:
    documents = rendered("gateway.enabled=true", namespace=namespace)
    accounts = [document for document in documents if document["kind"] == "ServiceAccount"]
    crds.kubectl("apply", "-f", "-", stdin=json.dumps(as_list(accounts)))
    level = "pod-security.kubernetes.io/enforce=restricted"
    crds.kubectl("label", "namespace", namespace, level)
    for pod in (found := pods(documents)):
        crds.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))
    assert len(found) == 3
    found[0]["spec"]["containers"][0].pop("securityContext")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        crds.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(found[0]))
    assert "violates PodSecurity" in refused.value.stderr


def test_the_rights_in_namespaces_are_enough(
    crds: Cluster, client: ApiClient, namespace: str, release_namespace: str, tmp_path: Path
) -> None:
    ns = ClusterNamespace(crds, client, namespace)
    documents = rendered(f"watchNamespaces={{{namespace}}}", namespace=release_namespace)
    kinds = {"ServiceAccount", "Role", "RoleBinding"}
    crds.kubectl(
        *("apply", "-f", "-"),
        stdin=json.dumps(
            as_list([document for document in documents if document["kind"] in kinds])
        ),
    )
    with for_local_sessions(crds, release_namespace):
        until_it_has_its_rights(crds, namespace, release_namespace, "namespaces/kube-system=get")
        kubeconfig = of_stranger(crds, release_namespace, tmp_path, ACCOUNT)
        ns.apply(library_script(source=PASSES))
        with operators_of(kubeconfig, namespace, tmp_path) as operators:
            flags = (
                "--leader-elect",
                f"--lease-namespace={release_namespace}",
                f"--lease-name={ACCOUNT}",
            )
            operator = operators.ready(*flags)
            ns.apply(of_scripts({"scriptRef": {"name": "open_scene"}}, ttlSecondsAfterFinished=1))
            until(lambda: ns.names() == [])
            assert "JobSucceeded" in dict(ns.job_events())
            assert operator.stop() == 0
            assert "forbidden" not in operator.log_text.lower()
            assert "was not given back" not in operator.log_text


def until_it_has_its_rights(
    cluster: Cluster, namespace: str, release_namespace: str, *more: str
) -> None:
    """Wait until each of its roles holds: who has one right of a role has the others, too."""
    name = name_of(release_namespace, ACCOUNT)
    until_granted(cluster, namespace, name, "ensojobs.enso.dev=list", *more)
    until_granted(cluster, release_namespace, name, "leases.coordination.k8s.io=create")


def as_flag(name: str, value: str) -> str:
    return {"true": f"--{name}", "false": f"--no-{name}"}.get(value, f"--{name}={value}")


def test_the_rights_in_namespaces_are_enough_for_pods(
    crds: Cluster, client: ApiClient, namespace: str, release_namespace: str, tmp_path: Path
) -> None:
    ns = ClusterNamespace(crds, client, namespace)
    documents = rendered(f"watchNamespaces={{{namespace}}}", namespace=release_namespace)
    told = environment(pods(documents)[0])
    kinds = {"ServiceAccount", "Role", "RoleBinding"}
    crds.kubectl(
        *("apply", "-f", "-"),
        stdin=json.dumps(
            as_list([document for document in documents if document["kind"] in kinds])
        ),
    )
    until_it_has_its_rights(crds, namespace, release_namespace)
    kubeconfig = of_stranger(crds, release_namespace, tmp_path, ACCOUNT)
    with operators_of(kubeconfig, namespace, tmp_path) as operators:
        # The chart's environment, without settings that this test sets itself.
        ours = ("HOST", "PORT", "FORMAT", "NAMESPACES")
        flags = [
            as_flag(name.removeprefix("ENSO_").replace("_", "-").lower(), value)
            for name, value in told.items()
            if name.startswith("ENSO_") and not name.endswith(ours)
        ]
        operator = operators.ready(*flags)
        ns.apply(of_scripts({}))
        gates = ("get", "pods", "-o", "jsonpath={.items[*].spec.schedulingGates[*].name}/")
        until(lambda: ns.kubectl("get", "pods", "-o", "name") and ns.kubectl(*gates) == "/")
        assert ns.kubectl("get", "configmaps", "-l", "enso.dev/job", "-o", "name")
        ns.kubectl("delete", "ensojob/shot", "--wait=false")
        until(lambda: not ns.kubectl("get", "pods", "-o", "name"))
        assert operator.stop() == 0
        assert "forbidden" not in operator.log_text.lower()
