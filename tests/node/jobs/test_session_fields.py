"""What a session asks for in its Pod reaches it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.node.jobs.claims import claimed
from tests.node.jobs.one_job import OneJob, applied
from tests.node.jobs.written import script
from tests.support.resources import Document

PRINTS = """
import json, os, pathlib
def main():
    pathlib.Path("/scratch/file").write_text("x")
    print("saw " + json.dumps({
        "plain": os.environ["PLAIN"],
        "token": os.environ["TOKEN"],
        "level": os.environ["LEVEL"],
        "settings": pathlib.Path("/settings/level").read_text(),
        "key": pathlib.Path("/keys/token").read_text(),
        "part": pathlib.Path("/part").read_text(),
        "disk": pathlib.Path("/scratch/file").stat().st_gid,
        "ids": [os.getuid(), os.getgid(), sorted(os.getgroups())],
        "read only": not os.access("/settings", os.W_OK),
    }), flush=True)
"""


def saw(job: OneJob) -> Document:
    line = next(line for line in job.whole_output().splitlines() if line.startswith("saw "))
    found: Document = json.loads(line.removeprefix("saw "))
    return found


def test_a_session_gets_what_it_asks_for(job: OneJob) -> None:
    applied(job, "Secret", "tracker", stringData={"token": "hush"})
    applied(job, "ConfigMap", "settings", data={"level": "9"})
    secret, config = {"name": "tracker", "key": "token"}, {"name": "settings", "key": "level"}
    limits = {"cpu": "500m", "memory": "128Mi"}
    session: Document = {
        "name": "houdini",
        "env": [
            {"name": "PLAIN", "value": "text"},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": secret}},
            {"name": "LEVEL", "valueFrom": {"configMapKeyRef": config}},
        ],
        "volumes": [
            {"name": "settings", "configMap": {"name": "settings"}},
            {"name": "keys", "secret": {"secretName": "tracker"}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "memory", "emptyDir": {"medium": "Memory"}},
        ],
        "volumeMounts": [
            {"name": "settings", "mountPath": "/settings", "readOnly": True},
            {"name": "settings", "mountPath": "/part", "subPath": "level"},
            {"name": "keys", "mountPath": "/keys"},
            {"name": "scratch", "mountPath": "/scratch"},
            {"name": "memory", "mountPath": "/memory"},
        ],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "studio/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "resources": {"requests": {"cpu": "10m"}, "limits": limits},
        "imagePullSecrets": [{"name": "registry"}],
        "runAsUser": 4711,
        "runAsGroup": 4712,
        "fsGroup": 4713,
        "supplementalGroups": [4714],
    }
    job.run(script("look", PRINTS), sessions=[session])
    job.waits("Succeeded")

    assert saw(job) == {
        "plain": "text",
        "token": "hush",
        "level": "9",
        "settings": "9",
        "key": "hush",
        "part": "9",
        "disk": 4713,
        "ids": [4711, 4712, [4712, 4713, 4714]],
        "read only": True,
    }
    spec = job.pod()["spec"]
    (container,) = spec["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "10m", "memory": "128Mi"},
        "limits": limits,
    }
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert session["tolerations"][0].items() <= spec["tolerations"][0].items()
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    scratch = next(volume for volume in spec["volumes"] if volume["name"] == "scratch")
    assert scratch["emptyDir"] == {"sizeLimit": "1Gi"}


def test_a_claim_is_mounted(job: OneJob, tmp_path: Path) -> None:
    """What a scene is saved to outlives the Pod."""
    with claimed(job, "shows", tmp_path) as volume:
        session: Document = {
            "name": "houdini",
            "volumes": [volume],
            "volumeMounts": [{"name": "shows", "mountPath": "/shows"}],
        }
        job.run(script("look", "import os\ndef main(): os.listdir('/shows')"), sessions=[session])
        job.waits("Succeeded")
        missing = job.another("missing")
        session["volumes"][0]["persistentVolumeClaim"]["claimName"] = "nowhere"
        missing.run(script("look"), sessions=[session])
        missing.says_that('persistentvolumeclaim "nowhere" not found')
        assert missing.get()["status"]["reason"] == "Unschedulable"


def test_labels_of_the_job_are_on_its_pods(job: OneJob) -> None:
    job.run(script("open"), labels={"studio/shot": "010", "enso.dev/job": "not-mine"})
    job.waits("Succeeded")
    labels = job.pod()["metadata"]["labels"]
    assert labels["studio/shot"] == "010"
    assert labels["enso.dev/job"] == job.name
