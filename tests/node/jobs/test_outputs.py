"""What a script in one Pod returns reaches scripts and containers in others."""

from __future__ import annotations

import json

from tests.node.jobs.one_job import OneJob
from tests.node.jobs.written import container, script
from tests.support.resources import Document

PATH = "/fx/$(HOME)/é 010.bgeo"
BAKE = f"def main(): return {{'path': {PATH!r}, 'none': None}}"
RETURNS_IT = "def main(**given): return given"


def of_bake(name: str, **key: str) -> Document:
    return {"name": name, "outputOf": {"script": "bake", **key}}


def test_a_second_session_and_a_container_get_what_the_first_one_returned(job: OneJob) -> None:
    tells = "import os; print(os.environ['CACHE']); print(os.environ['ALL'])"
    job.run(
        script("bake", BAKE, session="one"),
        script("render", RETURNS_IT, session="two", argsFrom=[of_bake("cache", key="path")]),
        container("tell", "python3", "-c", tells)
        | {"argsFrom": [of_bake("CACHE", key="path"), of_bake("ALL")]},
        sessions=[{"name": "one"}, {"name": "two"}],
    )
    job.waits("Succeeded")
    bake, render, tell = job.get()["status"]["scripts"]
    assert bake["output"] == {"path": PATH, "none": None}
    assert render["output"] == {"cache": PATH}
    assert "output" not in tell
    (pod,) = [pod for pod in job.pods() if pod["metadata"]["labels"]["enso.dev/session"] == "tell"]
    said = job.output(pod["metadata"]["name"])
    cache, whole = said.splitlines()
    assert (cache, json.loads(whole)) == (PATH, {"path": PATH, "none": None})
