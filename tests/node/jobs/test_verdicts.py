"""Why a job failed is told by what really happened to its Pod, in words for a stranger."""

from __future__ import annotations

import json
import signal

import pytest
from dev.node.images import PAUSE

from tests.node.jobs.one_job import OneJob, Verdict, applied
from tests.support.operators import until
from tests.support.resources import Document

FLAGS = ("--grace-seconds=2", "--pull-patience-seconds=2")
PASSES = "def main(): pass"
SLEEPS = "import time\ndef main():\n    print('up', flush=True)\n    time.sleep(120)"
EATS = "def main():\n    cache = b'x' * (1 << 30)"
LIMITED = {"name": "houdini", "resources": {"limits": {"memory": "128Mi"}}}


def script(name: str, source: str = PASSES, **more: object) -> Document:
    return {"name": name, "source": source, **more}


def show(v):
    print("\n----", v.reason); print(v.line); print(v.why); print(v.rows)
    for t in v.told: print("   ", t)

def test_oom(job: OneJob) -> None:
    job.run(script("open"), script("eat", EATS), script("save"), sessions=[LIMITED])
    v=job.fails()
    show(v)

def test_oom_supervisor(job: OneJob) -> None:
    src="import os\ndef main():\n    open(f'/proc/{os.getppid()}/oom_score_adj','w').write('1000')\n    cache = b'x' * (1 << 30)"
    job.run(script("open"), script("eat", src), script("save"), sessions=[LIMITED])
    show(job.fails())

def test_oom_container(job: OneJob) -> None:
    job.run({"name": "eat", "container": {"image": "localhost/enso-python:dev", "command": ["python3", "-c", "x = b'x' * (1 << 30)"], "resources": {"limits": {"memory": "32Mi"}}}})
    show(job.fails())

def test_invalid_image(job: OneJob) -> None:
    job.run(script("open"), sessions=[{"name": "houdini", "image": "Studio/HOUDINI::1"}])
    show(job.fails())

def test_no_python(job: OneJob) -> None:
    job.run(script("open"), sessions=[{"name": "houdini", "image": PAUSE}])
    show(job.fails())

def test_no_secret(job: OneJob) -> None:
    job.run(script("open"), sessions=[{"name": "houdini", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "nosuch", "key": "k"}}}]}])
    show(job.fails())

def test_no_secret_key(job: OneJob) -> None:
    applied(job, "Secret", "tracker", stringData={"a": "b"})
    job.run(script("open", "def main(t): pass", argsFrom=[{"name": "t", "secretKeyRef": {"name": "tracker", "key": "token"}}]))
    show(job.fails())

def test_pod_deleted(job: OneJob) -> None:
    job.run(script("open", SLEEPS), script("save"))
    job.says("up")
    job.kubectl("delete", "pod", job.pod()["metadata"]["name"])
    show(job.fails())

def test_pod_forced(job: OneJob) -> None:
    job.run(script("open", SLEEPS), script("save"))
    job.says("up")
    job.kubectl("delete", "pod", job.pod()["metadata"]["name"], "--force", "--grace-period=0")
    show(job.fails())

def test_killed(job: OneJob) -> None:
    job.run(script("open", SLEEPS), script("save"))
    job.says("up")
    job.kill("/enso/plan")
    show(job.fails())

def test_evicted(job: OneJob) -> None:
    job.run(script("open", SLEEPS), script("save"))
    job.says("up")
    name = job.pod()["metadata"]["name"]
    job.kubectl("create", "--raw", f"/api/v1/namespaces/{job.namespace}/pods/{name}/eviction", "-f", "-", stdin=json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": job.namespace}}))
    show(job.fails())

def test_deadline(job: OneJob) -> None:
    job.run(script("open", SLEEPS), script("save"), activeDeadlineSeconds=3)
    show(job.fails())
