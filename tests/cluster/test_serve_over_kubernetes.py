"""`enso serve` as a process, beside a real API server."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

from dev.cluster.plane import Cluster

from tests.cluster.kubeconfigs import of_context, of_stranger
from tests.support.serve_program import port_of, start_serve

ADD = ("-X", "POST", "-H", "Content-Type: application/json", "-d")
SAY = '{"instructions": [["say", {"text": "hello"}]]}'


def start(kubeconfig: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {"KUBECONFIG": str(kubeconfig)}
    return start_serve(*arguments, environment=environment, errors=subprocess.PIPE)


def curl(*arguments: str) -> object:
    done = subprocess.run(
        ["curl", "--noproxy", "*", "-sS", *arguments], capture_output=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_it_serves_the_namespace_of_the_context_and_ends_by_a_signal(
    crds: Cluster, namespace: str, tmp_path: Path
) -> None:
    others = ("--allow-anonymous", "--host", "0.0.0.0")  # noqa: S104
    with start(of_context(crds, namespace, tmp_path), *others) as server:
        url = f"http://127.0.0.1:{port_of(server)}"
        added = curl(*ADD, SAY, f"{url}/add-job")
        assert isinstance(added, dict)
        assert curl(f"{url}/list-jobs") == [{"jobid": added["jobid"], "state": "Suspended"}]
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate(timeout=60)
    assert server.returncode == 0
    warning = "whoever reaches it may run the scripts of the library in namespace"
    assert errors.endswith(f"there is no authentication: {warning} {namespace}\n")
    assert len(errors.splitlines()) == 1
    names = crds.kubectl("-n", namespace, "get", "ensojobs", "-o", "name")
    assert names == f"ensojob.enso.dev/{added['jobid']}\n"


def refused(kubeconfig: Path, *arguments: str) -> str:
    with start(kubeconfig, *arguments) as server:
        out, errors = server.communicate(timeout=60)
    assert (server.returncode, out, len(errors.splitlines())) == (2, "", 1)
    return errors


def test_a_cluster_without_the_resources(own_cluster: Cluster) -> None:
    said = refused(own_cluster.kubeconfig)
    assert "has no EnsoJobs: install them with kubectl apply --server-side -f deploy/crds" in said


def test_another_host_needs_a_word_on_who_may(
    crds: Cluster, namespace: str, tmp_path: Path
) -> None:
    said = refused(of_context(crds, namespace, tmp_path), "--host", "0.0.0.0")  # noqa: S104
    assert f"could run the scripts of the library in namespace {namespace}: add" in said
    assert "--auth=kubernetes, with which each caller's own rights decide, or --allow-an" in said


def test_an_account_without_rights(crds: Cluster, namespace: str, tmp_path: Path) -> None:
    said = refused(of_stranger(crds, namespace, tmp_path))
    assert 'cannot list resource "ensojobs"' in said
    assert f'in the namespace "{namespace}"; SECURITY.md says what the server needs' in said
