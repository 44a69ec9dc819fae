"""What a container script asks for in its Pod reaches it, and a lost one is started again."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.node.jobs.one_job import OneJob, applied
from tests.node.jobs.written import container
from tests.support.resources import Document

ANNOTATION = "studio.example/cost-centre"
PRINTS = """
import json, os, pathlib
pathlib.Path("/scratch/file").write_text("x")
print("saw " + json.dumps({
    "token": os.environ["TOKEN"],
    "level": os.environ["LEVEL"],
    "key": pathlib.Path("/keys/token").read_text(),
    "disk": pathlib.Path("/scratch/file").stat().st_gid,
    "home": os.access(os.environ["HOME"], os.W_OK),
    "ids": [os.getuid(), os.getgid(), sorted(os.getgroups())],
}), flush=True)
"""
SLEEPS_AT_FIRST = """
import os, time
print("up", flush=True)
os.uname().nodename.split("-")[-2] == "1" and time.sleep(120)
"""


@pytest.fixture(scope="module")
def flags() -> Sequence[str]:
    return ("--grace-seconds=1", "--allowed-pod-annotation-prefixes=studio.example/")


def test_a_container_gets_what_it_asks_for(job: OneJob) -> None:
    applied(job, "Secret", "tracker", stringData={"token": "hush"})
    secret = {"name": "tracker", "key": "token"}
    fields: Document = {
        "env": [{"name": "LEVEL", "value": "9"}],
        "volumes": [
            {"name": "keys", "secret": {"secretName": "tracker"}},
            {"name": "scratch", "emptyDir": {}},
        ],
        "volumeMounts": [
            {"name": "keys", "mountPath": "/keys", "readOnly": True},
            {"name": "scratch", "mountPath": "/scratch"},
        ],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "studio/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "runAsUser": 4711,
        "runAsGroup": 4712,
        "fsGroup": 4713,
        "supplementalGroups": [4714],
        "podAnnotations": {ANNOTATION: "shots"},
    }
    script = container("look", "python3", "-c", PRINTS, **fields)
    script["argsFrom"] = [{"name": "TOKEN", "secretKeyRef": secret}]
    job.run(script, labels={"studio/shot": "010"})
    job.waits("Succeeded")
    (line,) = [line for line in job.output().splitlines() if line.startswith("saw ")]
    assert json.loads(line.removeprefix("saw ")) == {
        "token": "hush",
        "level": "9",
        "key": "hush",
        "disk": 4713,
        "home": True,
        "ids": [4711, 4712, [4712, 4713, 4714]],
    }
    metadata = job.pod()["metadata"]
    assert metadata["annotations"][ANNOTATION] == "shots"
    assert metadata["labels"]["studio/shot"] == "010"
    assert "hush" not in json.dumps(job.get())
    (told,) = job.events("ScriptSucceeded")
    assert told.endswith("; args TOKEN=***")


def test_an_annotation_that_is_not_allowed_is_told(job: OneJob) -> None:
    job.run(container("look", "true", podAnnotations={"sidecar.istio.io/inject": "false"}))
    verdict = job.ends()
    assert verdict["reason"] == "InvalidJob"
    assert verdict["why"][0].endswith(
        "spec.scripts[look].container.podAnnotations has sidecar.istio.io/inject, but the operator "
        "allows studio.example/: remove it, or have its prefix added to "
        "--allowed-pod-annotation-prefixes"
    )
    assert job.pods() == []


def test_a_container_that_was_evicted_is_started_again_in_a_new_pod(job: OneJob) -> None:
    lost = {"policy": "Retry", "limit": 1, "backoffSeconds": 1}
    job.run(container("long", "python3", "-c", SLEEPS_AT_FIRST, onInterrupted=lost))
    job.says("up")
    name = job.pod()["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    path = f"/api/v1/namespaces/{job.namespace}/pods/{name}/eviction"
    job.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))
    job.waits("Succeeded")
    assert job.rows() == [("long", "Succeeded", 2)]
    (row,) = job.get()["status"]["scripts"]
    assert [(one["attempt"], one["state"], one["reason"]) for one in row["earlier"]] == [
        (1, "Interrupted", "Evicted")
    ]
    names = {pod["metadata"]["annotations"]["enso.dev/run"] for pod in job.pods()}
    assert "long-2" in names
