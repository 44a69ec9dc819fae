"""`enso wait` and `enso watch` on a real API server: they end with it, and survive a restart."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.kube.client import ApiObjects
from enso_operator.kube.status.action import Result
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.enso_program import DEADLINE_SECONDS, Enso, set_status, with_status
from tests.cluster.kubeconfigs import of_stranger
from tests.cluster.users import user
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


def ask_to_resume(ns: ClusterNamespace, name: str, **spec: str) -> dict[str, Any]:
    """Create an EnsoAction on a job, `NAME-again`, as `kubectl create` does."""
    return actions(ns).create(
        {
            "apiVersion": "enso.dev/v1alpha1",
            "kind": "EnsoAction",
            "metadata": {"name": f"{name}-again"},
            "spec": {"job": name, "verb": "resume", **spec},
        }
    )


def decide(ns: ClusterNamespace, action: Document, result: Result) -> None:
    """Write what came of an action, as the operator does."""
    metadata, status = action["metadata"], result.status(1, time.time())
    actions(ns).patch_status(metadata["name"], metadata["resourceVersion"], status)


def actions(ns: ClusterNamespace) -> ApiObjects:
    return ApiObjects(ns.objects.client, ns.namespace, "ensoactions")


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


@pytest.mark.parametrize("command", [("wait",), ("watch",), ("logs", "-f")])
def test_a_job_that_is_to_be_resumed_has_not_ended(
    command: tuple[str, ...], enso: Enso, ns: ClusterNamespace
) -> None:
    """Of a job that was just asked to go on, nobody knows yet how it ends."""
    failed = with_status(ns.objects, job("shot"), FAILED_JOB)
    action = ask_to_resume(ns, "shot")
    with FaultProxy(ns.cluster.kubeconfig) as proxy:
        arguments = (*command, "shot", "-n", ns.namespace)
        with enso.started(*arguments, kubeconfig=proxy.kubeconfig) as waiting:
            until(lambda: proxy.count(on("list", "ensoactions")) or waiting.poll() is not None)
            running = set_status(ns.objects, failed, RUNNING)
            decide(ns, action, Result("Done", "resumed"))
            until(lambda: proxy.count(on("get", "ensojobs")) or waiting.poll() is not None)
            assert waiting.poll() is None
            set_status(ns.objects, running, SUCCEEDED)
            said, wrong = waiting.communicate(timeout=DEADLINE_SECONDS)
    assert waiting.returncode == 0, (said, wrong)


@pytest.mark.parametrize("is_deleted", [False, True], ids=["refused", "deleted"])
def test_an_action_that_lets_no_job_go_on_is_waited_for(
    is_deleted: bool, enso: Enso, ns: ClusterNamespace
) -> None:
    with_status(ns.objects, job("shot"), FAILED_JOB)
    action = ask_to_resume(ns, "shot")
    with FaultProxy(ns.cluster.kubeconfig) as proxy:
        arguments = ("wait", "shot", "-n", ns.namespace)
        with enso.started(*arguments, kubeconfig=proxy.kubeconfig) as waiting:
            until(lambda: proxy.count(on("list", "ensoactions")) > 1)
            if is_deleted:
                ns.kubectl("delete", "ensoaction", "shot-again")
            else:
                decide(ns, action, Result("NotPossible", "no"))
            said, _ = waiting.communicate(timeout=DEADLINE_SECONDS)
    assert (waiting.returncode, said.startswith("shot: Failed, 1 of 4 scripts done")) == (1, True)


def test_an_action_that_nobody_decides(enso: Enso, ns: ClusterNamespace, tmp_path: Path) -> None:
    with_status(ns.objects, job("other"), FAILED_JOB)
    ask_to_resume(ns, "other", jobUID="of-an-earlier-job")
    mark = ns.cluster.audit.mark()
    assert enso("wait", "other", "--timeout", "60s")[0] == 1
    asked = [f"{request.verb} {request.resource}" for request in ns.requests(mark)]
    once = ["list ensojobs", "list ensoactions", "get ensojobs"]
    assert [what for what in asked if what in once] == once

    with_status(ns.objects, job("shot"), FAILED_JOB)
    ask_to_resume(ns, "shot")
    code, said, wrong = enso("wait", "shot", "other", "--timeout", "1s")
    assert (code, said.startswith("other: Failed, ")) == (2, True)
    assert wrong == (
        "enso: shot: Failed, 1 of 4 scripts done; no operator has acted on action shot-again "
        "within 1s; one that comes back will: look with kubectl get ensoaction "
        f"-n {ns.namespace} shot-again\n"
    )
    (tmp_path / "reader").mkdir()
    user(ns, "reader", "ensojobs.enso.dev=list,watch")
    reader = of_stranger(ns.cluster, ns.namespace, tmp_path / "reader", "reader")
    assert enso("wait", "shot", "--timeout", "60s", kubeconfig=reader)[0] == 1


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
