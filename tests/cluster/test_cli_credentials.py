"""`enso` and a real API server: through a proxy, and with a credential program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.enso_program import Enso
from tests.cluster.kubeconfigs import token_of
from tests.cluster.users import name_of, until_granted
from tests.support.connect_proxy import connect_proxy
from tests.support.resources import of_scripts

NOBODY = "127.0.0.1:1"
"""An address that can only be reached through the proxy."""


@pytest.fixture
def enso(ns: ClusterNamespace, tmp_path: Path) -> Enso:
    ns.objects.create(of_scripts({}))
    return Enso(ns, tmp_path)


def changed(kubeconfig: Path, cluster: dict[str, Any], user: dict[str, Any]) -> Path:
    """Write a kubeconfig beside one, with other fields of its only cluster and its only user."""
    config = yaml.safe_load(kubeconfig.read_text())
    config["clusters"][0]["cluster"] |= cluster
    config["users"][0]["user"] = user or config["users"][0]["user"]
    file = kubeconfig.with_name("changed")
    file.write_text(yaml.safe_dump(config))
    return file


def test_through_the_kubeconfigs_proxy(enso: Enso) -> None:
    config: dict[str, Any] = yaml.safe_load(enso.kubeconfig.read_text())
    port = urlsplit(str(config["clusters"][0]["cluster"]["server"])).port
    assert port
    with connect_proxy(port) as proxy:
        cluster = {"server": f"https://{NOBODY}", "proxy-url": proxy.url}
        code, said, wrong = enso("list", kubeconfig=changed(enso.kubeconfig, cluster, {}))
    assert (code, said.splitlines()[1].split()[0], wrong) == (0, "shot", "")
    assert {line.split()[1] for line in proxy.request_lines} == {NOBODY}


def test_with_the_token_that_a_program_gets(
    enso: Enso, ns: ClusterNamespace, tmp_path: Path
) -> None:
    token = token_of(ns.cluster, ns.namespace, "default")
    (tmp_path / "given").write_text(json.dumps({"status": {"token": token}}))
    program = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "interactiveMode": "Never",
        "command": "cat",
        "args": [str(tmp_path / "given")],
    }
    kubeconfig = changed(enso.kubeconfig, {}, {"exec": program})
    who = f"system:serviceaccount:{ns.namespace}:default"
    assert f'User "{who}" cannot list' in enso.refusal("list", kubeconfig=kubeconfig)
    rights = ("--verb=get,list,watch", "--resource=ensojobs.enso.dev")
    ns.kubectl("create", "role", "reader", *rights)
    ns.kubectl(
        "create",
        "rolebinding",
        "reader",
        "--role=reader",
        f"--serviceaccount={ns.namespace}:default",
    )
    until_granted(
        ns.cluster, ns.namespace, name_of(ns.namespace), "ensojobs.enso.dev=get,list,watch"
    )
    assert enso("list", "-o", "name", kubeconfig=kubeconfig) == (0, "ensojob.enso.dev/shot\n", "")
    assert enso("wait", "shot", "--timeout", "0s", kubeconfig=kubeconfig)[0] == 2


def test_as_somebody_else(enso: Enso) -> None:
    config = yaml.safe_load(enso.kubeconfig.read_text())
    user = config["users"][0]["user"] | {"as": "ann", "as-groups": ["artists"]}
    sentence = enso.refusal("list", kubeconfig=changed(enso.kubeconfig, {}, user))
    assert 'User "ann" cannot list' in sentence
