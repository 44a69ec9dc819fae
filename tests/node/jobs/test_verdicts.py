"""Why a job failed is told by what really happened to its Pod, in words for a stranger."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path

import pytest
from dev.node.images import PAUSE

from tests.node.jobs.one_job import OneJob, applied, while_there
from tests.node.jobs.pod_namespace import PodNamespace
from tests.node.jobs.registry import SENTENCE, refusing
from tests.node.jobs.written import SLEEPS, container, script
from tests.support.eventually import until
from tests.support.operators import Operators
from tests.support.resources import Document, of_scripts

EATS = "cache = b'x' * (1 << 30)"
EATS_AS_ITS_SUPERVISOR = f"""
import os
def main():
    with open(f"/proc/{{os.getppid()}}/oom_score_adj", "w") as file: file.write("1000")
    {EATS}
"""
"""Makes the kernel kill the supervisor, as where the whole container is killed."""
SECRET = {"name": "tracker", "key": "token"}


@pytest.fixture(scope="module")
def flags() -> Sequence[str]:
    return ("--grace-seconds=2", "--pull-patience-seconds=2")


def houdini(**more: object) -> list[Document]:
    return [{"name": "houdini", **more}]


def memory(limit: str) -> Document:
    return {"resources": {"limits": {"memory": limit}}}


def test_memory_that_runs_out_is_told_with_its_limit(job: OneJob) -> None:
    supervisor, alone = job.another("supervisor"), job.another("alone")
    limited = houdini(**memory("128Mi"))
    job.run(script("open"), script("eat", f"def main(): {EATS}"), script("save"), sessions=limited)
    supervisor.run(script("eat", EATS_AS_ITS_SUPERVISOR), script("save"), sessions=limited)
    alone.run(container("eat", "python3", "-c", EATS, **memory("32Mi")))

    told = job.fails()
    assert told.reason == "OutOfMemory"
    assert told.rows == {
        "open": ("Succeeded", 1, ""),
        "eat": ("Failed", 1, "OutOfMemory"),
        "save": ("NotStarted", 0, ""),
    }
    assert told.line.startswith(
        "eat failed: OutOfMemory: the session used more memory than its limit of 128 MiB, and the "
        "kernel killed it; attempt 1, "
    )
    assert "eat (2 of 3), attempt 1, failed after" in told.why
    assert f"pod {job.pod()['metadata']['name']}, localhost/enso-python" in told.why
    assert "log     kubectl logs " in told.why
    assert told.line.partition(": ")[2].partition(";")[0] in "".join(job.events("ScriptFailed"))
    assert supervisor.fails().rows["eat"] == ("Failed", 1, "OutOfMemory")
    told = alone.fails()
    assert told.rows == {"eat": ("Failed", 1, "OutOfMemory")}
    assert "its limit of 32Mi, and the kernel killed it" in told.line


@pytest.mark.skipif(
    Path("/sys/fs/cgroup/cgroup.controllers").exists(),
    reason="under cgroup v2 the kernel ends the whole container with its child",
)
def test_a_child_that_runs_out_of_memory_is_no_verdict_of_its_parents(job: OneJob) -> None:
    lives, fails = job.another("lives"), job.another("fails")
    child = f'[__import__("sys").executable, "-c", "{EATS}"]'
    run = f"import subprocess; subprocess.run({child}"
    limit = memory("64Mi")
    lives.run(container("eat", "python3", "-c", f"{run})", **limit))
    fails.run(container("eat", "python3", "-c", f"{run}, check=True)", **limit))
    source = f"def main():\n    {run}, check=True)"
    job.run(script("eat", source), sessions=houdini(**memory("128Mi")))

    assert lives.ends()["conditions"][0]["reason"] == "Succeeded"
    assert lives.rows() == [("eat", "Succeeded", 1)]
    killed = "the kernel killed a process of it, beyond its memory limit of"
    told = fails.fails()
    assert (told.reason, told.rows) == ("ExitCode", {"eat": ("Failed", 1, "ExitCode")})
    assert f"the container exited with code 1; {killed} 64Mi" in told.line
    told = job.fails()
    assert told.reason == "Exception"
    assert f"CalledProcessError: {killed} 128 MiB; Command " in told.line


def test_an_image_that_does_not_come_is_told_in_the_registrys_own_sentence(job: OneJob) -> None:
    invalid = job.another("invalid")
    with refusing() as image:
        job.run(script("open"), sessions=houdini(image=image))
        invalid.run(script("open"), sessions=houdini(image="Studio/HOUDINI::1"))
        told = job.fails()
    assert told.reason == "ImagePullFailed"
    sentence = f"open did not start: ImagePullFailed: {image}: 403 Forbidden denied: {SENTENCE}"
    assert told.line == f"{sentence}; resume: kubectl enso resume {job.name}"
    assert told.why.startswith(sentence)
    assert told.rows == {"open": ("NotStarted", 0, "")}
    assert SENTENCE in "".join(job.events("NotGoingOn"))
    assert SENTENCE in "".join(job.events("SessionEnded"))
    told = invalid.fails()
    assert told.reason == "ImagePullFailed"
    assert "repository name (HOUDINI) must be lowercase" in told.line


def test_an_image_without_a_fitting_python_says_what_it_lacks(job: OneJob) -> None:
    old = job.another("old")
    job.run(script("open"), sessions=houdini(image=PAUSE))
    # As a python3 of 3.9 would: this is the first module that a session imports.
    text = "from _signal import *\nimport sys\nsys.version_info = (3, 9, 18)\n"
    applied(job, "ConfigMap", "old", data={"signal.py": text})
    volume = {"name": "old", "configMap": {"name": "old"}}
    file = "/usr/lib/python3.11/signal.py"
    mount = {"name": "old", "mountPath": file, "subPath": "signal.py"}
    old.run(script("open"), sessions=houdini(volumes=[volume], volumeMounts=[mount]))

    told = job.fails()
    assert told.reason == "InterpreterDidNotStart"
    assert told.line == (
        "open did not start: InterpreterDidNotStart: its image has no python3 that can be started, "
        'and enso needs one of 3.10 or later: exec: "python3": executable file not found in $PATH; '
        f"resume: kubectl enso resume {job.name}"
    )
    told = old.fails()
    assert "the image's python3 is 3.9, and enso needs 3.10" in told.line
    assert told.reason == "InterpreterDidNotStart"


def test_what_a_session_needs_and_is_not_there_is_named(job: OneJob) -> None:
    missing, argument, volume = (job.another(name) for name in ("env", "argument", "volume"))
    applied(job, "Secret", "tracker", stringData={"other": "value"})
    nowhere = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {**SECRET, "name": "nowhere"}}}
    missing.run(script("open"), sessions=houdini(env=[nowhere]))
    argument.run(script("open", argsFrom=[{"name": "token", "secretKeyRef": SECRET}]))
    volumes = [{"name": "v", "secret": {"secretName": "nowhere"}}]
    mounts = [{"name": "v", "mountPath": "/v"}]
    volume.run(script("open"), sessions=houdini(volumes=volumes, volumeMounts=mounts))

    for this_job, sentence in (
        (missing, 'ConfigError: secret "nowhere" not found'),
        (argument, "ConfigError: couldn't find key token in Secret "),
        (volume, 'ConfigError: MountVolume.SetUp failed for volume "v" : secret "nowhere" not f'),
    ):
        told = this_job.fails()
        assert told.reason == "ConfigError"
        assert told.line.startswith(f"open did not start: {sentence}")
        assert told.rows == {"open": ("NotStarted", 0, "")}
        if this_job is not volume:  # the timeout may be over as soon as the operator sees the Pod
            assert sentence in "".join(this_job.events("NotGoingOn"))


def test_a_secret_that_comes_in_time_is_waited_for(ns: PodNamespace, operators: Operators) -> None:
    operators.ready()
    volumes = [{"name": "v", "secret": {"secretName": "late"}}]
    mounts = [{"name": "v", "mountPath": "/v"}]
    reads = "def main():\n    print(open('/v/token').read(), flush=True)"
    session = houdini(volumes=volumes, volumeMounts=mounts)
    ns.apply(of_scripts(script("open", reads), sessions=session))
    until(lambda: ns.get().get("status", {}).get("reason") == "ConfigError")
    applied(ns, "Secret", "late", stringData={"token": "here"})
    ns.waits("Succeeded")
    assert "reason" not in ns.get()["status"]
    assert "here" in ns.output()


def test_a_queue_is_told_at_once_and_waited_in(job: OneJob) -> None:
    key = f"enso.test/{job.namespace}"
    job.run(script("open"), sessions=houdini(nodeSelector={key: "yes"}))
    sentence = "houdini-1 waits: Unschedulable: 0/"
    job.says_that(sentence)
    condition = job.condition()
    assert (condition["status"], condition["reason"]) == ("Unknown", "Waiting")
    assert "didn't match Pod's node affinity/selector" in condition["message"]
    assert job.get()["status"]["reason"] == "Unschedulable"
    assert job.columns()[1:] == ["Waiting", "0/1", "Unschedulable"]
    assert "Unschedulable" in "".join(job.events("NotGoingOn"))
    job.kubectl("label", "node", "enso-node", f"{key}=yes")
    try:
        job.waits("Succeeded")
    finally:
        job.kubectl("label", "node", "enso-node", f"{key}-")
    assert "reason" not in job.get()["status"]


def test_a_queue_is_left_where_the_operator_is_told_to(
    ns: PodNamespace, operators: Operators
) -> None:
    operators.ready("--schedule-patience-seconds=1")
    ns.apply(of_scripts(script("open"), sessions=houdini(nodeSelector={"gpu": "yes"})))
    status = ns.ends()
    assert status["reason"] == "Unschedulable"
    assert "nodes are available" in "".join(status["why"])
    assert [row["state"] for row in status["scripts"]] == ["NotStarted"]


def test_a_drained_node_is_told_as_an_eviction(job: OneJob) -> None:
    job.run(script("long", SLEEPS), script("save"))
    job.says("up")
    name = job.pod()["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    path = f"/api/v1/namespaces/{job.namespace}/pods/{name}/eviction"
    job.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))

    told = job.fails()
    assert told.reason == "Evicted"
    assert told.line.startswith(
        "long interrupted: Evicted: somebody evicted its Pod, as whoever drains a node does: "
    )
    assert told.rows == {"long": ("Interrupted", 1, "Evicted"), "save": ("NotStarted", 0, "")}
    assert "Evicted" in "".join(job.events("ScriptInterrupted"))


def test_who_must_give_way_to_a_higher_priority_is_told_so(job: OneJob) -> None:
    urgent, word = job.another("urgent"), secrets.token_hex(4)
    licence = {"resources": {"limits": {f"enso.test/licence-{word}": "1"}}}
    high = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": f"urgent-{word}"},
        "value": 1000,
    }
    with while_there(job, high):
        _offer(job, f"enso.test~1licence-{word}", "1")
        try:
            job.run(script("long", SLEEPS), sessions=houdini(**licence))
            job.says("up")
            session = houdini(priorityClassName=f"urgent-{word}", **licence)
            urgent.run(script("quick"), sessions=session)
            urgent.waits("Succeeded")
            told = job.fails()
        finally:
            _offer(job, f"enso.test~1licence-{word}", None)
    assert told.reason == "Preempted"
    assert "long interrupted: Preempted: a Pod of higher priority took its place: " in told.line
    assert told.rows == {"long": ("Interrupted", 1, "Preempted")}


def test_a_node_that_is_lost_leaves_a_doubt(job: OneJob) -> None:
    name = f"lost-{secrets.token_hex(4)}"
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"enso.test/name": name}},
    }
    with while_there(job, node):
        _report(job, name, ready="True")
        job.run(script("open"), sessions=houdini(nodeSelector={"enso.test/name": name}))
        until(lambda: [pod["spec"].get("nodeName") for pod in job.pods()] == [name])
        _report(job, name, ready="False")
        job.kubectl("taint", "node", name, "node.kubernetes.io/out-of-service=gone:NoExecute")
        told = job.fails()
    assert told.reason == "NodeLost"
    assert "open interrupted: NodeLost: " in told.line
    assert told.rows == {"open": ("Interrupted", 1, "NodeLost")}
    assert name in told.why


def test_a_job_that_takes_too_long_is_told_at_which_script(job: OneJob) -> None:
    job.run(script("open"), script("long", SLEEPS), script("save"), activeDeadlineSeconds=20)
    told = job.fails()
    assert told.reason == "DeadlineExceeded"
    assert told.line == (
        "job failed: DeadlineExceeded: the job took longer than its 20 s, at long; "
        f"resume: kubectl enso resume {job.name}"
    )
    assert told.rows["long"] == ("Failed", 1, "Cancelled")
    assert told.rows["save"] == ("NotStarted", 0, "")


def test_a_session_that_is_lost_is_told_how(job: OneJob) -> None:
    deleted, forced = job.another("deleted"), job.another("forced")
    for this_job in (job, deleted, forced):
        this_job.run(script("open"), script("long", SLEEPS), script("save"))
    for this_job in (job, deleted, forced):
        this_job.says("up")
    job.kill("/enso/plan")
    pods = [this_job.pod()["metadata"]["name"] for this_job in (deleted, forced)]
    forced.kubectl("delete", "pod", pods[1], "--force", "--grace-period=0")
    deleted.kubectl("delete", "pod", pods[0])

    for this_job, sentence in (
        (job, "its container ended with exit code 137, that is SIGKILL"),
        (deleted, "somebody deleted its Pod"),
        (forced, "somebody deleted its Pod"),  # its last record may have been read, or not
    ):
        told = this_job.fails()
        assert told.reason == "SessionLost"
        assert told.line.startswith(f"long interrupted: SessionLost: {sentence}")
        assert told.rows == {
            "open": ("Succeeded", 1, ""),
            "long": ("Interrupted", 1, "SessionLost"),
            "save": ("NotStarted", 0, ""),
        }
        assert sentence in "".join(this_job.events("ScriptInterrupted"))
        assert sentence in "".join(this_job.events("SessionEnded"))


def _offer(job: OneJob, resource: str, amount: str | None) -> None:
    """Let the node offer this amount of an extended resource."""
    parts = [f"/status/{kind}/{resource}" for kind in ("capacity", "allocatable")]
    operations = [
        {"op": "add", "path": part, "value": amount} if amount else {"op": "remove", "path": part}
        for part in parts
    ]
    options = ("--subresource=status", "--type=json", "-p", json.dumps(operations))
    job.kubectl("patch", "node", "enso-node", *options)


def _report(job: OneJob, name: str, *, ready: str) -> None:
    """Report the state of a node as its kubelet would."""
    condition = {"type": "Ready", "status": ready, "reason": "Test"}
    size = {"cpu": "1", "memory": "1Gi", "pods": "10"}
    status = {"conditions": [condition], "capacity": size, "allocatable": size}
    patch = json.dumps({"status": status})
    job.kubectl("patch", "node", name, "--subresource=status", "--type=merge", "-p", patch)
