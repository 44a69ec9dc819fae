"""The rights that the chart gives: to the operator, the gateway and people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dev.chart.helm import VALUES

from tests.support.chart import OPERATOR, one_pod, only_object, rendered


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_no_right_is_wider_than_what_is_used(values: Path) -> None:
    for role in rendered(values=values):
        for rule in role.get("rules", ()):
            names = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not names & {"*", "secrets", "pods/exec", "escalate", "bind", "impersonate"}


def rights(role: dict[str, Any]) -> dict[str, list[str]]:
    return {name: rule["verbs"] for rule in role["rules"] for name in rule["resources"]}


def test_the_operator_may_do_just_this() -> None:
    assert rights(only_object(rendered(), "ClusterRole", OPERATOR)) == {
        "ensojobs": ["get", "list", "watch", "delete"],
        "ensojobs/status": ["patch"],
        "ensojobs/finalizers": ["update"],
        "ensojobtemplates": ["get", "list"],
        "ensoscripts": ["get", "list"],
        "ensoactions": ["get", "list", "watch", "patch", "delete"],
        "ensoactions/status": ["patch"],
        "controllerrevisions": ["get", "create"],
        "pods": ["get", "list", "watch", "create", "patch", "delete"],
        "pods/log": ["get"],
        "configmaps": ["get", "create"],
        "events": ["create", "list"],
    }


def test_the_gateway_has_no_right_and_no_token_where_callers_have_their_own() -> None:
    documents = rendered("gateway.enabled=true")
    names = {f"{OPERATOR}-gateway", "gateway"}
    of_it = [document for document in documents if document["metadata"]["name"] in names]
    assert {document["kind"] for document in of_it} == {"Deployment", "Service", "ServiceAccount"}
    pod = one_pod(documents, f"{OPERATOR}-gateway")["spec"]
    (container,) = pod["containers"]
    assert "--auth=kubernetes" in container["args"]
    assert "--allow-anonymous" not in container["args"]
    assert pod["automountServiceAccountToken"] is False
    sources = [*pod["volumes"][-1]["projected"]["sources"]]
    assert [kind for source in sources for kind in source] == ["configMap", "downwardAPI"]
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    assert container["volumeMounts"][-1]["mountPath"] == folder


def test_a_gateway_without_authentication_is_asked_for_by_name() -> None:
    settings = ("gateway.enabled=true", "gateway.auth=none", "gateway.trustedProxies={10.1.2.3}")
    pod = one_pod(rendered(*settings), f"{OPERATOR}-gateway")["spec"]
    arguments = pod["containers"][0]["args"]
    wanted = {"--auth=none", "--allow-anonymous", "--trusted-proxy=10.1.2.3"}
    assert wanted <= {*arguments}
    assert pod["automountServiceAccountToken"] is True
    assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]


def test_the_gateway_may_do_what_the_security_page_says() -> None:
    documents = rendered("gateway.enabled=true", "gateway.auth=none")
    assert rights(only_object(documents, "Role", "gateway")) == {
        "ensojobs": ["get", "list", "watch", "create", "patch"],
        "ensojobtemplates": ["get", "list"],
        "ensoscripts": ["get", "list"],
        "ensoactions": ["get", "list", "create"],
        "controllerrevisions": ["get"],
        "pods": ["list"],
        "pods/log": ["get"],
    }


def test_an_artist_may_write_actions_alone() -> None:
    assert rights(only_object(rendered(), "ClusterRole", "enso-artist")) == {
        "ensoactions": ["create", "get", "list", "watch"],
        "ensojobs": ["get", "list", "watch"],
        "controllerrevisions": ["get"],
    }
