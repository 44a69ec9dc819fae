"""`enso check`, which `helm test` runs: it says whether jobs run, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enso_operator.cli import check as command
from enso_operator.cli.check import COULD_NOT_CHECK, FAILED, PASSED, check
from tests.cluster.desk import Desk
from tests.cluster.kubeconfigs import of_context, of_stranger
from tests.support.chart import as_list, rendered
from tests.support.operators import Operators

TEST = "shows-enso-executer-test"
"""What the chart calls its test, and everything that belongs to it."""


@pytest.fixture
def asked(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks now may do what the chart lets the test's Pod do."""
    documents = rendered(f"watchNamespaces={{{desk.namespace}}}", namespace="enso")
    hooks = [one for one in documents if one["metadata"]["name"] == TEST and one["kind"] != "Pod"]
    text = json.dumps(as_list(hooks))
    # Its account is of this namespace, as that of the release is not there.
    text = text.replace('"namespace": "enso"', f'"namespace": "{desk.namespace}"')
    desk.kubectl("apply", "-f", "-", stdin=text)
    kubeconfig = of_stranger(desk.cluster, desk.namespace, tmp_path, TEST)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))


@pytest.mark.usefixtures("asked")
def test_where_jobs_run_it_says_so_and_leaves_nothing(
    desk: Desk, operators: Operators, capsys: pytest.CaptureFixture[str]
) -> None:
    operators.ready()
    assert check(namespace="", seconds=60) == PASSED
    assert "enso: it is Succeeded\n" in capsys.readouterr().out
    assert desk.names() == []


@pytest.mark.usefixtures("asked")
def test_where_no_operator_looks_it_says_so_and_how_to_look(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(namespace=desk.namespace, seconds=1) == COULD_NOT_CHECK
    (name,) = desk.names()
    assert capsys.readouterr().err == (
        "enso: it has not ended within 1 s: no operator has looked at it. "
        f"Look at it with: kubectl -n {desk.namespace} describe ensojob/{name}\n"
    )


@pytest.mark.usefixtures("asked")
def test_a_job_that_fails_stays_and_says_why(
    desk: Desk,
    operators: Operators,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "SOURCE", "def main(): raise OSError('no licence')")
    operators.ready()
    assert check(namespace=desk.namespace, seconds=60) == FAILED
    assert "OSError: no licence" in capsys.readouterr().out
    (name,) = desk.names()
    assert desk.get(name)["spec"]["ttlSecondsAfterFinished"] == 3600


def test_who_may_not_create_jobs_is_told(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig = of_stranger(desk.cluster, desk.namespace, tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    assert check(namespace="", seconds=1) == COULD_NOT_CHECK
    assert "cannot create resource" in capsys.readouterr().err


def test_a_namespace_that_does_not_exist(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(of_context(desk.cluster, desk.namespace, tmp_path)))
    assert check(namespace="nowhere", seconds=1) == COULD_NOT_CHECK
    assert capsys.readouterr().err == "enso: there is no namespace 'nowhere'\n"
    assert check(namespace="../x", seconds=1) == COULD_NOT_CHECK
    assert "is no namespace's name" in capsys.readouterr().err
