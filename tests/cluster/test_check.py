"""`enso check`, which `helm test` runs: it says whether jobs run, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enso_operator.cli import check as command
from enso_operator.cli.check import FAILED, PASSED, check
from enso_operator.cli.display import REFUSED
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_context, of_stranger
from tests.cluster.users import name_of, until_granted
from tests.support.chart import as_list, rendered
from tests.support.fault_proxy import FaultProxy, before, number, on
from tests.support.operators import Operators

TEST = "shows-enso-executer-test"
"""What the chart calls its test, and everything that belongs to it."""


@pytest.fixture
def asked(ns: ClusterNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the client the rights of the chart's test Pod."""
    documents = rendered(f"watchNamespaces={{{ns.namespace}}}", namespace="enso")
    hooks = [
        document
        for document in documents
        if document["metadata"]["name"] == TEST and document["kind"] != "Pod"
    ]
    text = json.dumps(as_list(hooks))
    # Its account is of this namespace, as that of the release is not there.
    text = text.replace('"namespace": "enso"', f'"namespace": "{ns.namespace}"')
    ns.kubectl("apply", "-f", "-", stdin=text)
    name = name_of(ns.namespace, TEST)
    until_granted(ns.cluster, ns.namespace, name, "ensojobs.enso.dev=create,get,delete")
    kubeconfig = of_stranger(ns.cluster, ns.namespace, tmp_path, TEST)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))


@pytest.mark.usefixtures("asked")
def test_where_jobs_run_it_says_so_and_leaves_nothing(
    ns: ClusterNamespace, operators: Operators, capsys: pytest.CaptureFixture[str]
) -> None:
    operators.ready()
    assert check(namespace="", seconds=60) == PASSED
    assert "enso: it is Succeeded\n" in capsys.readouterr().out
    assert ns.names() == []


def test_an_answer_that_does_not_come_is_asked_for_again(
    ns: ClusterNamespace,
    operators: Operators,
    proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    operators.ready()
    monkeypatch.setenv("KUBECONFIG", str(proxy.kubeconfig))
    looks = on("get", "ensojobs")
    proxy.add(number(1, looks), before(lambda: None))
    assert check(namespace=ns.namespace, seconds=60) == PASSED
    assert proxy.count(looks) >= 3, (
        "one is not answered, one sees the end, one precedes the removal"
    )
    assert capsys.readouterr().err == ""
    proxy.add(looks, before(lambda: None))
    assert check(namespace=ns.namespace, seconds=1) == REFUSED
    assert "the API server did not answer" in capsys.readouterr().err


@pytest.mark.usefixtures("asked")
def test_where_no_operator_looks_it_says_so_and_how_to_look(
    ns: ClusterNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(namespace=ns.namespace, seconds=1) == REFUSED
    (name,) = ns.names()
    assert capsys.readouterr().err == (
        "enso: it has not ended within 1 s: no operator has looked at it. "
        f"Look at it with: kubectl -n {ns.namespace} describe ensojob/{name}\n"
    )


@pytest.mark.usefixtures("asked")
def test_a_job_that_fails_stays_and_says_why(
    ns: ClusterNamespace,
    operators: Operators,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "SOURCE", "def main(): raise OSError('no licence')")
    operators.ready()
    assert check(namespace=ns.namespace, seconds=60) == FAILED
    assert "OSError: no licence" in capsys.readouterr().out
    (name,) = ns.names()
    assert ns.get(name)["spec"]["ttlSecondsAfterFinished"] == 3600


def test_who_may_not_create_jobs_is_told(
    ns: ClusterNamespace,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kubeconfig = of_stranger(ns.cluster, ns.namespace, tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    assert check(namespace="", seconds=1) == REFUSED
    assert "cannot create resource" in capsys.readouterr().err


def test_a_namespace_that_does_not_exist(
    ns: ClusterNamespace,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(of_context(ns.cluster, ns.namespace, tmp_path)))
    assert check(namespace="nowhere", seconds=1) == REFUSED
    assert capsys.readouterr().err == "enso: there is no namespace 'nowhere'\n"
    assert check(namespace="../x", seconds=1) == REFUSED
    assert "is no namespace's name" in capsys.readouterr().err
