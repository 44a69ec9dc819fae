"""Every example for Pods, applied on a real node: it ends as its comment says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dev.node.images import PYTHON

from tests.node.jobs.pod_namespace import Document, PodNamespace
from tests.support.eventually import until

FOLDER = Path(__file__).parents[3] / "examples" / "pods"
ACTED_ON = {"interrupted", "suspended", "time-to-live"}
"""Somebody does something to these, in tests of their own."""
ENDS = {
    "checkpoint": ("Succeeded", {"open": 2, "simulate": 1, "publish": 2}),
    "container": ("Succeeded", {"render": 1, "notify": 1}),
    "deadline": ("Failed", {"simulate": 1}),
    "environment": ("Succeeded", {"look": 1}),
    "nodes": ("Succeeded", {"render": 1}),
    "publish-with-secrets": ("Succeeded", {"publish": 1, "register": 1, "tell": 1}),
    "resources": ("Succeeded", {"simulate": 1}),
    "retries": ("Succeeded", {"upload": 4}),
    "secret-argument": ("Succeeded", {"publish": 1}),
    "sessions": ("Succeeded", {"open": 1, "dress": 1, "slap-comp": 1}),
    "volumes": ("Succeeded", {"bake": 1, "check": 1}),
}
"""How each job ends, and how often each of its scripts was started."""
SAYS = {
    "checkpoint": ["simulated 24 frames", "published 24 frames of shot 010"],
    "container": ["rendered", "shot-010 is rendered: tell supervisor"],
    "deadline": ["simulating"],
    "environment": ["/config/aces.ocio /shows/banner"],
    "nodes": ["rendered on Linux"],
    "publish-with-secrets": [
        "published /release/shot-010.scene",
        "registered /release/shot-010.scene as 1000",
        "told the tracker that the job is Succeeded",
    ],
    "resources": ["the cache has 32 MiB"],
    "retries": ["uploaded at try 4"],
    "secret-argument": ["published /release/shot-010.scene"],
    "sessions": ["the scene has ground banner", "a new interpreter: True"],
    "volumes": ["samples = 64 as 1000 [1000, 2000]"],
}

pytestmark = pytest.mark.usefixtures("operator")


def documents(name: str) -> Iterator[Document]:
    """Yield what an example holds; its images are on no node without a registry."""
    for document in yaml.safe_load_all((FOLDER / f"{name}.yaml").read_text("utf-8")):
        if document["kind"] == "EnsoJob":
            spec = document["spec"]
            for holder in (
                *spec.get("sessions", []),
                *(s.get("container") for s in [*spec["scripts"], *spec.get("finally", [])]),
            ):
                if holder and "image" in holder:
                    holder["image"] = PYTHON
        yield document


def apply(ns: PodNamespace, *names: str) -> None:
    items = [document for name in names for document in documents(name)]
    ns.apply({"apiVersion": "v1", "kind": "List", "items": items})


def starts(status: Document) -> dict[str, int]:
    return {row["name"]: row.get("attempt", 0) for row in status["scripts"]}


def output(ns: PodNamespace, name: str) -> str:
    """Return what all Pods of a job wrote."""
    pods = ns.kubectl("get", "pods", "-l", f"enso.dev/job={name}", "-o", "name").split()
    return "".join(ns.output(pod) for pod in pods)


def says(ns: PodNamespace, name: str, *texts: str) -> None:
    """Wait until a job's Pods have written this; a node writes logs a moment late."""
    until(lambda: all(text in said for said in [output(ns, name)] for text in texts))


def test_there_is_an_end_for_every_example() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == ENDS.keys() | ACTED_ON
    assert SAYS.keys() == ENDS.keys()


def test_every_example_ends_as_its_comment_says(ns: PodNamespace) -> None:
    apply(ns, *ENDS)

    ends = {name: ns.ends(name) for name in ENDS}

    told = {name: (ns.state(name), starts(status)) for name, status in ends.items()}
    assert told == ENDS
    for name, words in SAYS.items():
        says(ns, name, *words)
    assert ends["deadline"]["reason"] == "DeadlineExceeded"
    layout = json.loads(ns.kubectl("get", "pods", "-l", "studio/shot=010", "-o", "json"))["items"]
    assert {pod["metadata"]["labels"]["enso.dev/session"] for pod in layout} == {"layout", "comp"}
    everything = ns.kubectl("get", "ensojobs,events,configmaps", "-o", "json")
    assert "not-a-real-token" not in everything


def test_a_lost_session_is_started_afresh(ns: PodNamespace) -> None:
    apply(ns, "interrupted")
    says(ns, "interrupted", "frame 1")
    ns.kubectl("delete", "pod", "-l", "enso.dev/job=interrupted")

    status = ns.ends("interrupted")

    assert (ns.state("interrupted"), starts(status)) == ("Succeeded", {"simulate": 2})
    says(ns, "interrupted", "frame 31")


def test_a_suspended_job_waits_until_it_is_let_go(ns: PodNamespace) -> None:
    apply(ns, "suspended")
    until(lambda: ns.state("suspended") == "Suspended")
    assert ns.pods() == []

    ns.patch("suspended", suspend=False)

    assert starts(ns.ends("suspended")) == {"render": 1}
    says(ns, "suspended", "rendered at night")


def test_a_job_goes_when_its_time_to_live_is_over(ns: PodNamespace) -> None:
    apply(ns, "time-to-live")
    ns.ends("time-to-live")

    until(lambda: ns.names() == [])
    until(lambda: ns.pods() == [])
