"""The rights that docs/operating.md lists are all that the operator needs."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest
import yaml
from dev.checkout import CHECKOUT
from dev.cluster.plane import Cluster
from kubernetes.client import ApiClient

from tests.cluster.action_client import apply_failing_job, resume_with
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_stranger
from tests.cluster.users import name_of, until_granted
from tests.support.eventually import until
from tests.support.operators import operators_of
from tests.support.pods import session_pod
from tests.support.resources import Document, library_script, of_scripts

OPERATING = CHECKOUT / "docs" / "operating.md"
PASSES = "def main(): pass"
LAST = ("ensojobs.enso.dev=list", "pods=create", "namespaces/kube-system=get")
"""Rights of each role; who has them has the others, too."""


def binding(kind: str, role: str, namespace: str) -> Document:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": role, "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }


@pytest.fixture
def kubeconfig(crds: Cluster, namespace: str, tmp_path: Path) -> Generator[Path]:
    """A service account with the page's roles: one in the namespace, one in the cluster."""
    text = OPERATING.read_text("utf-8").split("```yaml\n")[1].partition("```")[0]
    roles: list[Document] = [*yaml.safe_load_all(text)]
    assert [role["metadata"]["name"] for role in roles] == [
        "enso-operator",
        "enso-operator-cluster",
    ]
    for role in roles:
        role["metadata"]["name"] += f"-{namespace}"
    names = [role["metadata"]["name"] for role in roles]
    items = [
        *roles,
        binding("RoleBinding", names[0], namespace),
        binding("ClusterRoleBinding", names[1], namespace),
    ]
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    crds.kubectl("apply", "-f", "-", stdin=document)
    until_granted(crds, namespace, name_of(namespace), *LAST)
    yield of_stranger(crds, namespace, tmp_path)
    crds.kubectl("delete", "-f", "-", stdin=document)


def test_the_rights_that_are_listed_are_enough(
    crds: Cluster, client: ApiClient, namespace: str, kubeconfig: Path, tmp_path: Path
) -> None:
    ns = ClusterNamespace(crds, client, namespace)
    ns.apply(library_script(source=PASSES))
    ns.apply(of_scripts({"scriptRef": {"name": "open_scene"}}))
    with operators_of(kubeconfig, namespace, tmp_path) as operators:
        operator = operators.start()
        ns.waits("Succeeded")
        assert "JobSucceeded" in dict(ns.job_events())
        ns.apply(of_scripts({"scriptRef": {"name": "opn-scene"}}) | {"metadata": {"name": "b"}})
        ns.waits("Finished", "b")
        assert "did you mean 'open-scene'?" in dict(ns.job_events("b"))["JobFailed"]
        ns.patch("b", ttlSecondsAfterFinished=0)
        until(lambda: ns.names() == ["shot"])
        apply_failing_job(ns)
        resume_with(ns, 1)
        until(operator.is_ready)
        operator.stop()
        later = operators.start()
        resume_with(ns, 2)  # it reads what the one before has stored
        ns.waits("Succeeded", "c")
        until(later.is_ready)
        for each in (operator, later):
            assert "forbidden" not in each.log_text.lower()


def test_they_are_enough_for_a_pod_that_a_deletion_of_its_job_waits_for(
    crds: Cluster, client: ApiClient, namespace: str, kubeconfig: Path
) -> None:
    ns = ClusterNamespace(crds, client, namespace)
    ns.apply(of_scripts({"name": "open"}))
    document = json.dumps(session_pod(ns.get()))
    create = ("create", "-f", "-")
    ns.kubectl(f"--kubeconfig={kubeconfig}", *create, stdin=document)
