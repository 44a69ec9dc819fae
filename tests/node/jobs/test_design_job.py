"""The job that the design describes, with stand-ins for its images: on a real node, with kubectl.

A session that opens, simulates and publishes, and a container that notifies: warm memory, a
library script, an argument that is a secret, a checkpoint and a setup, and a failure that explains
itself and is mended without running everything again.
"""

from __future__ import annotations

import pytest
from dev.node.images import PYTHON

from tests.node.jobs.pod_namespace import Document, PodNamespace
from tests.support.resources import job, library_script

TOKEN = "not-a-real-token"  # noqa: S105
SECRET: Document = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "tracker"},
    "stringData": {"token": TOKEN},
}
OPEN = """
from enso import shared
def main(path):
    shared["scene"] = [path]
    print("opened", path)
"""
SIMULATE = """
from enso import shared
def main(frames, limit):
    if frames > limit:
        raise MemoryError(f"cache exceeded {limit} frames")
    shared["scene"] += [f"frame {number}" for number in range(frames)]
    print("simulated", len(shared["scene"]))
"""
PUBLISH = """
import os
from pathlib import Path
from enso import shared
def main(release, token, crashes):
    tried = Path.home() / "tried"
    if crashes and not tried.exists():
        tried.touch()
        os.abort()
    print("published", shared["scene"][0], "to", release, "with", token)
"""

pytestmark = pytest.mark.usefixtures("operator")


def publish_shot(name: str, *, limit: int = 1000, crashes: bool = False) -> Document:
    session = {
        "name": "houdini",
        "image": PYTHON,
        "interpreter": ["python3", "-B"],
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
        "onInterrupted": {"policy": "Fail"},
    }
    scripts: list[Document] = [
        {
            "name": "open",
            "scriptRef": {"name": "open_scene"},
            "args": {"path": "/shots/010/a.hip"},
            "setup": True,
        },
        {
            "name": "simulate",
            "source": SIMULATE,
            "args": {"frames": 240, "limit": limit},
            "timeoutSeconds": 60,
            "retries": {"limit": 1, "backoffSeconds": 1},
            "checkpoint": True,
        },
        {
            "name": "publish",
            "source": PUBLISH,
            "args": {"release": "/release/010.hip", "crashes": crashes},
            "argsFrom": [{"name": "token", "secretKeyRef": {"name": "tracker", "key": "token"}}],
            "retries": {"limit": 1},
        },
        {
            "name": "notify",
            "container": {"image": PYTHON, "command": ["sh", "-c", "echo notified"]},
        },
    ]
    document = job({"sessions": [session], "scripts": scripts}, name)
    document["metadata"]["labels"] = {"studio/shot": "010"}
    return document


@pytest.fixture
def studio(ns: PodNamespace) -> PodNamespace:
    """A namespace with the library script and the secret of the job."""
    ns.apply(SECRET)
    ns.apply(library_script(source=OPEN, description="Opens a scene."))
    return ns


def output(ns: PodNamespace, name: str) -> list[str]:
    """Return the lines that the job's scripts wrote, Pod by Pod."""
    pods = [
        pod["metadata"]["name"]
        for pod in ns.pods()
        if pod["metadata"]["labels"]["enso.dev/job"] == name
    ]
    return [line for pod in pods for line in ns.output(pod).splitlines()]


def test_it_publishes_a_shot(studio: PodNamespace) -> None:
    studio.apply(publish_shot("publish-shot", crashes=True))

    status = studio.ends("publish-shot")

    assert not status.get("why"), status["why"]
    assert studio.rows("publish-shot") == [
        ("open", "Succeeded", 2),  # a setup: it ran again in the fresh interpreter
        ("simulate", "Succeeded", 1),  # a checkpoint: it did not
        ("publish", "Succeeded", 2),
        ("notify", "Succeeded", 1),
    ]
    said = output(studio, "publish-shot")
    assert "simulated 241" in said  # it found in memory what open had left there
    assert "notified" in said
    assert studio.columns("publish-shot")[1:3] == ["Succeeded", "4/4"]
    labels = {pod["metadata"]["labels"]["studio/shot"] for pod in studio.pods()}
    assert labels == {"010"}
    assert TOKEN not in str(status) + str(studio.job_events("publish-shot"))
    plans = studio.kubectl("get", "configmaps", "-o", "yaml")
    assert "/shots/010/a.hip" in plans
    assert TOKEN not in plans


def test_its_failure_says_at_once_what_with_which_arguments_and_why(studio: PodNamespace) -> None:
    studio.apply(publish_shot("publish-shot", limit=100))

    status = studio.ends("publish-shot")

    assert studio.rows("publish-shot")[:2] == [("open", "Succeeded", 1), ("simulate", "Failed", 2)]
    assert [row[1] for row in studio.rows("publish-shot")[2:]] == ["NotStarted", "NotStarted"]
    why = "\n".join(status["why"])
    (pod,) = studio.pods()
    for said in (
        "simulate (2 of 4), attempt 2, failed",
        "MemoryError: cache exceeded 100 frames",
        'simulate, line 5 in main: raise MemoryError(f"cache exceeded {limit} frames")',
        "frames=240",
        f"kubectl logs -n {studio.namespace} {pod['metadata']['name']} -c session",
    ):
        assert said in why
    reasons = [reason for reason, _ in studio.job_events("publish-shot")]
    assert reasons.count("ScriptFailed") == 2
    assert reasons[-1] == "JobFailed"
    (told,) = [text for reason, text in studio.job_events("publish-shot") if reason == "JobFailed"]
    assert told.startswith("simulate failed: MemoryError: cache exceeded 100 frames")
