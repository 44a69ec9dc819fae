"""A session as its Pod: what no node can show as well."""

from __future__ import annotations

import pytest

from enso_operator.adapters.manifests import ensojob
from enso_operator.adapters.pods.documents import SessionPod
from enso_operator.adapters.pods.settings import PodSettings
from enso_operator.adapters.unit_of_work import Seen
from job_execution_framework.domain.row import Row
from job_execution_framework.domain.script import Script, Session, Source
from job_execution_framework.service_layer.plan import Plan
from tests.support.resources import Document, in_session

OURS, THEIRS = "registry/enso:latest", "studio/houdini:20.5"


def containers(image: str, policy: str | None) -> dict[str, Document]:
    document = in_session(image=image) if image else in_session()
    document["metadata"] |= {"namespace": "shows", "uid": "job-uid", "resourceVersion": "1"}
    settings = PodSettings(OURS, records_pull_policy=policy, session_image=OURS)
    plan = Plan(
        *("shot", "houdini-1", Session("houdini")),
        (Script("script-0", Source("x"), session="houdini"),),
        ("script-0",),
        {"script-0": Row()},
    )
    about = SessionPod(Seen(document), ensojob(document).spec, plan, settings)
    spec = about.pod("plan")["spec"]
    return {one["name"]: one for one in [*spec["containers"], *spec["initContainers"]]}


@pytest.mark.parametrize("policy", ["Always", "IfNotPresent", "Never"])
def test_the_operators_own_image_is_pulled_as_the_operator_was(policy: str) -> None:
    made = containers("", policy)
    assert [one["imagePullPolicy"] for one in made.values()] == [policy, policy]


def test_other_images_are_pulled_as_their_tag_says() -> None:
    made = containers(THEIRS, "Never")
    assert made["session"]["image"] == THEIRS
    assert "imagePullPolicy" not in made["session"]
    assert made["records"]["imagePullPolicy"] == "Never"
    assert "imagePullPolicy" not in containers("", None)["records"]
