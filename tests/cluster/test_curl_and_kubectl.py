"""The same jobs seen by curl and by kubectl, with an operator that runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.curl import ADD, EXECUTE, GET, LIST, shell
from tests.support.eventually import until
from tests.support.operators import operators_of
from tests.support.resources import of_scripts

ROOT = Path(__file__).resolve().parents[2]
ENSO = str(Path(sys.executable).with_name("enso"))


@pytest.fixture
def port(ns: ClusterNamespace, tmp_path: Path) -> Generator[int]:
    """An HTTP API over the namespace, and an operator that looks after it."""
    server = subprocess.Popen(
        [ENSO, "serve", "--namespace", ns.namespace, "--port", "0"],
        env=os.environ | {"KUBECONFIG": str(ns.cluster.kubeconfig)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with operators_of(ns.cluster.kubeconfig, ns.namespace, tmp_path) as operators, server:
        operators.start()
        assert server.stdout
        told = re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline())
        assert told
        yield int(told[1])
        server.terminate()


def test_a_job_added_by_curl_is_run_and_seen_by_kubectl(ns: ClusterNamespace, port: int) -> None:
    assert shell(LIST, port) == []
    jobid = shell(ADD, port)["jobid"]
    assert shell(GET, port, jobid)["state"] == "Suspended"
    assert ns.names() == [jobid]
    shell(EXECUTE, port, jobid)
    ns.waits("Succeeded", jobid)
    assert shell(LIST, port) == [{"jobid": jobid, "state": "Succeeded"}]
    shown = shell(GET, port, jobid)
    assert [script["state"] for script in shown["scripts"]] == ["Succeeded"] * 3
    assert shown["scripts"][2]["parameters"]["arg2"] == "/release/saved.hip"
    assert ns.columns(jobid) == [jobid, "Succeeded", "3/3"]
    started = [message for reason, message in ns.told(jobid) if reason == "ScriptStarted"]
    last = '3/3 example-script-3, attempt 1; args arg1="save houdini file" arg2=/release/saved.hip'
    assert started[2] == last


def test_a_job_applied_by_kubectl_is_executed_by_curl(ns: ClusterNamespace, port: int) -> None:
    ns.apply(of_scripts({"source": "def main(): 1 / 0"}, suspend=True))
    until(lambda: ns.state() == "Suspended")
    assert shell(EXECUTE, port, "shot")["state"] in ("Waiting", "Running")
    ns.waits("Finished")
    shown = shell(GET, port, "shot")
    assert shown["state"] == "Failed"
    assert shown["why"] == ns.get()["status"]["why"]
