"""The Pod manifest of a session: what tests on a node do not show."""

from __future__ import annotations

import json

import pytest

from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.to_domain import job_definition
from enso_operator.sessions.pods.manifest import SessionPod
from enso_operator.settings import PodSettings
from job_execution_framework.domain.row import Row
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.service_layer.plan import Plan
from tests.support.resources import Document, in_session, of_scripts

OURS, THEIRS = "registry/enso:latest", "studio/houdini:20.5"


def session_pod(
    document: Document, policy: str | None = None, **more: dict[str, str]
) -> SessionPod:
    document["metadata"] |= {"namespace": "shows", "uid": "job-uid", "resourceVersion": "1"}
    images = {"records_image": OURS, "records_pull_policy": policy, "session_image": OURS}
    settings = PodSettings.model_validate(images | more)
    (session,) = job_definition(parse_ensojob(document)).sessions
    plan = Plan(
        *("shot", "houdini-1", session),
        (Script("script-0", Source("x"), session="houdini"),),
        ("script-0",),
        {"script-0": Row()},
    )
    return SessionPod(EnsoJobObject(document), parse_ensojob(document).spec, plan, settings)


def containers(image: str, policy: str | None) -> dict[str, Document]:
    document = in_session(image=image) if image else in_session()
    spec = session_pod(document, policy).pod("plan")["spec"]
    return {
        container["name"]: container for container in [*spec["containers"], *spec["initContainers"]]
    }


@pytest.mark.parametrize("policy", ["Always", "IfNotPresent", "Never"])
def test_the_operators_own_image_is_pulled_as_the_operator_was(policy: str) -> None:
    made = containers("", policy)
    assert [container["imagePullPolicy"] for container in made.values()] == [policy, policy]


def test_other_images_are_pulled_as_their_tag_says() -> None:
    made = containers(THEIRS, "Never")
    assert made["session"]["image"] == THEIRS
    assert "imagePullPolicy" not in made["session"]
    assert made["records"]["imagePullPolicy"] == "Never"
    assert "imagePullPolicy" not in containers("", None)["records"]


SECRET = {"valueFrom": {"secretKeyRef": {"name": "tracker", "key": "token"}}}
PLAIN = {"valueFrom": {"configMapKeyRef": {"name": "studio", "key": "level"}}}
ENVIRONMENT = [{"name": "TOKEN", **SECRET}, {"name": "LEVEL", **PLAIN}, {"name": "A", "value": "1"}]


def test_a_session_is_told_which_of_its_variables_are_secret() -> None:
    config = session_pod(in_session(env=ENVIRONMENT)).config()
    assert json.loads(config["data"]["plan.json"])["secret_environment"] == ["TOKEN"]


@pytest.mark.parametrize(
    ("environment", "policy"), [(ENVIRONMENT, "File"), (ENVIRONMENT[1:], "FallbackToLogsOnError")]
)
def test_the_log_of_a_container_that_has_secrets_is_not_quoted(
    environment: list[Document], policy: str
) -> None:
    document = of_scripts({"container": {"image": THEIRS, "env": environment}})
    made = session_pod(document).pod("plan")["spec"]["containers"][0]
    assert made["terminationMessagePolicy"] == policy


def test_what_the_records_container_may_use_is_for_the_operator_to_say() -> None:
    requests, limits = {"cpu": "10m"}, {"cpu": "100m", "memory": "96Mi"}
    made = session_pod(in_session(), records_requests=requests, records_limits=limits)
    (records,) = made.pod("plan")["spec"]["initContainers"]
    assert records["resources"] == {"requests": requests, "limits": limits}
