"""`enso wait` and `enso watch` on a real API server: they end with it, and survive a restart."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.enso_program import DEADLINE_SECONDS, Enso, set_status, with_status
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, answer, before, on, watches
from tests.support.resources import Document, of_scripts
from tests.support.statuses import EARLY, FAILED_JOB, condition

NAMES = ("open", "simulate", "publish", "notify")
RUNNING: Document = {
    "conditions": [
        condition("Succeeded", "Unknown", "Running", "open (1 of 4) runs, attempt 1"),
        condition("Finished", "False", "Running", ""),
    ],
    "done": "0/4",
    "scripts": [
        {"name": "open", "state": "Running", "attempt": 1, "startTime": EARLY},
        *({"name": name, "state": "NotStarted"} for name in NAMES[1:]),
    ],
}
SUCCEEDED: Document = {
    "conditions": [
        condition("Succeeded", "True", "Succeeded", "4 of 4 scripts are done"),
        condition("Finished", "True", "Succeeded", ""),
    ],
    "done": "4/4",
    "scripts": [{"name": name, "state": "Succeeded", "attempt": 1} for name in NAMES],
}


def job(name: str) -> dict[str, Any]:
    return of_scripts(*({"name": script} for script in NAMES)) | {"metadata": {"name": name}}


@pytest.fixture
def enso(ns: ClusterNamespace, tmp_path: Path) -> Enso:
    return Enso(ns, tmp_path)


def until_it_says(process: subprocess.Popen[str], word: str) -> list[str]:
    """Return the lines up to the one with a word."""
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if word in line:
            return lines
    raise AssertionError(lines)


def test_wait_says_how_each_has_ended(enso: Enso, ns: ClusterNamespace) -> None:
    with_status(ns.objects, job("good"), SUCCEEDED)
    with_status(ns.objects, job("bad"), FAILED_JOB)
    with_status(ns.objects, job("slow"), RUNNING)
    assert enso("wait", "good") == (0, "good: Succeeded, 4 of 4 scripts done\n", "")
    code, said, _ = enso("wait", "good", "bad")
    assert (code, len(said.splitlines())) == (1, 2)
    assert said.splitlines()[1].startswith("bad: Failed, 1 of 4 scripts done; simulate failed: ")
    code, said, wrong = enso("wait", "slow", "gone", "good", "--timeout", "1s")
    assert (code, said) == (2, "good: Succeeded, 4 of 4 scripts done\n")
    assert wrong.splitlines()[0].endswith("; it has not ended within 1s")
    assert "there is no job 'gone'" in wrong
    assert "is no duration" in enso.refusal("wait", "good", "--timeout", "soon")


def test_a_server_that_restarts_between_two_jobs_is_waited_for(
    enso: Enso, ns: ClusterNamespace
) -> None:
    first = with_status(ns.objects, job("first"), RUNNING)
    with_status(ns.objects, job("second"), SUCCEEDED)
    with FaultProxy(ns.cluster.kubeconfig) as proxy:
        arguments = ("wait", "first", "second", "-n", ns.namespace)
        with enso.started(*arguments, kubeconfig=proxy.kubeconfig) as waiting:
            until(lambda: proxy.count(watches()))
            faults = [before(lambda: None), answer(429, "slow down"), answer(503, "not ready")]
            rules = [proxy.add(on("list", "ensojobs"), fault, times=1) for fault in faults]
            set_status(ns.objects, first, SUCCEEDED)
            said, wrong = waiting.communicate(timeout=DEADLINE_SECONDS)
    assert (waiting.returncode, len(said.splitlines())) == (0, 2), wrong
    assert [rule.used for rule in rules] == [1, 1, 1]
    assert wrong.count("trying again") == 3


def test_wait_ends_with_the_job(enso: Enso, ns: ClusterNamespace) -> None:
    document = with_status(ns.objects, job("shot"), RUNNING)
    with enso.started("wait", "shot") as waiting, enso.started("wait", "shot") as other:
        with enso.started("watch", "shot") as watching:
            until_it_says(watching, "open (1 of 4): Running, attempt 1")
            set_status(ns.objects, document, SUCCEEDED)
            assert watching.wait(DEADLINE_SECONDS) == 0
        assert (waiting.wait(DEADLINE_SECONDS), other.wait(DEADLINE_SECONDS)) == (0, 0)
    with_status(ns.objects, job("doomed"), RUNNING)
    with enso.started("watch", "doomed") as watching:
        until_it_says(watching, "Running")
        ns.kubectl("delete", "ensojob", "doomed")
        assert watching.wait(DEADLINE_SECONDS) == 2
        assert watching.stderr
        assert "job 'doomed' was deleted before it had ended" in watching.stderr.read()


def test_watching_a_job_is_a_line_for_each_change(enso: Enso, ns: ClusterNamespace) -> None:
    document = with_status(ns.objects, job("shot"), RUNNING)
    with enso.started("watch", "shot") as watching:
        first = until_it_says(watching, "open (1 of 4) runs")
        set_status(ns.objects, document, FAILED_JOB)
        assert watching.wait(DEADLINE_SECONDS) == 1
        assert watching.stdout
        rest = watching.stdout.read().splitlines()
    assert [line.partition(" ")[2] for line in first] == [
        "open (1 of 4): Running, attempt 1",
        "shot: Running, 0 of 4 scripts done; open (1 of 4) runs, attempt 1",
    ]
    assert [line.partition(" ")[2] for line in rest[:2]] == [
        "open (1 of 4): Succeeded, attempt 1",
        "simulate (2 of 4): Failed, attempt 3; OutOfMemory: MemoryError: cache exceeded 2 GiB",
    ]
    assert rest[2].startswith("shot: Failed, 1 of 4 scripts done; ")
    assert [line.removeprefix("  ") for line in rest[3:]] == FAILED_JOB["why"]


def test_watching_all_jobs(enso: Enso, ns: ClusterNamespace) -> None:
    with_status(ns.objects, job("over"), FAILED_JOB)
    first = with_status(ns.objects, job("first"), RUNNING)
    with enso.started("watch") as watching:
        lines = until_it_says(watching, "first")
        with_status(ns.objects, job("second"), RUNNING)
        lines += until_it_says(watching, "second  Running")
        set_status(ns.objects, first, FAILED_JOB)
        lines += until_it_says(watching, "first  Failed  1/4  simulate  OutOfMemory")
        ns.kubectl("delete", "ensojob", "second")
        lines += until_it_says(watching, "second  deleted")
    assert not any("over" in line for line in lines)


def test_a_watch_ends_when_nobody_reads_it_any_more(enso: Enso, ns: ClusterNamespace) -> None:
    document = with_status(ns.objects, job("shot"), RUNNING)
    with enso.started("watch") as watching:
        until_it_says(watching, "shot")
        assert watching.stdout
        watching.stdout.close()  # as `| head -1` does
        set_status(ns.objects, document, FAILED_JOB)
        assert watching.wait(DEADLINE_SECONDS) == 0


def test_an_api_server_that_restarts_is_waited_for(own_cluster: Cluster, tmp_path: Path) -> None:
    install_crds(own_cluster.kubectl)
    with new_client_from_config(str(own_cluster.kubeconfig)) as client:  # type: ignore[no-untyped-call]
        ns = ClusterNamespace(own_cluster, client, "default")
        enso = Enso(ns, tmp_path)
        document = with_status(ns.objects, job("shot"), RUNNING)
        with enso.started("watch", "shot") as watching, enso.started("watch") as all_jobs:
            until_it_says(watching, "Running")
            until_it_says(all_jobs, "Running")
            own_cluster.kill("kube-apiserver")
            assert watching.stderr
            assert "trying again" in watching.stderr.readline()
            own_cluster.revive()
            set_status(ns.objects, document, SUCCEEDED)
            assert watching.wait(DEADLINE_SECONDS) == 0
            until_it_says(all_jobs, "Succeeded")
