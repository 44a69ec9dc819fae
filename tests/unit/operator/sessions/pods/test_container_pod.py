"""The Pod of a container script: it may be given what a session's may be given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from enso_operator.api.pod_fields import PodFields
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.to_domain import job_definition
from enso_operator.sessions.pods.manifest import SessionPod
from enso_operator.settings import PodSettings
from job_execution_framework.domain import trace_context
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import Output
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan
from tests.support.resources import Document, of_scripts

SECRET = {"name": "tracker", "key": "token"}
FIELDS: Document = {
    "resources": {"limits": {"memory": "1Gi"}},
    "env": [{"name": "LEVEL", "value": "1"}],
    "volumes": [{"name": "shots", "persistentVolumeClaim": {"claimName": "shots"}}],
    "volumeMounts": [{"name": "shots", "mountPath": "/shots"}],
    "nodeSelector": {"studio/render": "yes"},
    "tolerations": [{"key": "studio/licence", "operator": "Exists"}],
    "priorityClassName": "overnight",
    "imagePullSecrets": [{"name": "registry"}],
    "runAsUser": 4711,
    "runAsGroup": 4100,
    "fsGroup": 4200,
    "supplementalGroups": [4300],
    "serviceAccountName": "publisher",
    "onInterrupted": {"policy": "Retry", "limit": 2},
    "podAnnotations": {"sidecar.istio.io/inject": "false"},
}
"""A value for each field that sessions and containers have in common."""


def pod_of(document: Document, session: str, traceparent: str = "") -> Document:
    """Return the Pod of a session of the job, or of one of its container scripts."""
    document["metadata"] |= {"namespace": "shows", "uid": "uid", "labels": {"studio/shot": "010"}}
    made = job_definition(parse_ensojob(document))
    job = Job("shot", made.scripts, made.sessions)
    names = tuple(script.name for script in job.scripts if script.session == session)
    plan = replace(
        Plan.of(job, Open(f"{session}-1", session, names), ScriptLibrary([])),
        traceparent=traceparent,
    )
    spec, settings = parse_ensojob(document).spec, PodSettings(records_image="enso")
    return SessionPod(EnsoJobObject(document), spec, plan, settings).pod("plan")


def in_container(**more: object) -> Document:
    script = {"name": "tell", "container": {"image": "curl", "command": ["curl"], **FIELDS}}
    return of_scripts({}, script | more, sessions=[{"name": "main", "image": "curl", **FIELDS}])


def test_there_is_a_value_for_each_field() -> None:
    assert FIELDS.keys() == {info.alias for info in PodFields.model_fields.values()}


def test_both_kinds_of_pods_are_given_the_same() -> None:
    session, container = pod_of(in_container(), "main"), pod_of(in_container(), "tell")
    theirs = ["schedulingGates", "securityContext", "nodeSelector", "tolerations"]
    theirs += ["priorityClassName", "imagePullSecrets", "serviceAccountName"]
    for field in [*theirs, "automountServiceAccountToken", "enableServiceLinks"]:
        assert container["spec"][field] == session["spec"][field]
    for made in (session, container):
        assert made["metadata"]["labels"]["studio/shot"] == "010"
        assert made["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"
        assert made["metadata"]["annotations"]["enso.dev/run"].endswith("-1")
    (ours,), (its,) = container["spec"]["containers"], session["spec"]["containers"]
    for field in ("image", "resources", "securityContext", "env"):
        assert ours[field] == its[field]
    assert {"name": "shots", "mountPath": "/shots", "readOnly": False} in ours["volumeMounts"]
    shots = {"name": "shots", "persistentVolumeClaim": {"claimName": "shots", "readOnly": False}}
    assert shots in container["spec"]["volumes"]
    assert container["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 4711,
        "runAsGroup": 4100,
        "fsGroup": 4200,
        "supplementalGroups": [4300],
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert "initContainers" not in container["spec"]


def test_its_arguments_are_environment_variables() -> None:
    document = in_container(argsFrom=[{"name": "TOKEN", "secretKeyRef": SECRET}])
    (container,) = pod_of(document, "tell")["spec"]["containers"]
    assert container["env"][-1] == {"name": "TOKEN", "valueFrom": {"secretKeyRef": SECRET}}
    assert container["env"][-2] == {"name": "LEVEL", "value": "1"}


def taking(returned: object, key: str | None = None) -> list[Document]:
    """Return the variables of a container that takes the output of the script before it."""
    of = {"script": "script-0", "key": key} if key else {"script": "script-0"}
    document = in_container(argsFrom=[{"name": "CACHE", "outputOf": of}])
    document["metadata"] |= {"namespace": "shows", "uid": "uid"}
    made = job_definition(parse_ensojob(document))
    job = Job("shot", made.scripts, made.sessions)
    job.rows["script-0"] = replace(job.rows["script-0"], done=True, output=Output(returned, 1))
    plan = Plan.of(job, Open("tell-1", "tell", ("tell",)), ScriptLibrary([]))
    spec, settings = parse_ensojob(document).spec, PodSettings(records_image="enso")
    pod = SessionPod(EnsoJobObject(document), spec, plan, settings).pod("")
    variables: list[Document] = pod["spec"]["containers"][0]["env"]
    return [variable for variable in variables if variable["name"] == "CACHE"]


@pytest.mark.parametrize(
    ("returned", "key", "text"),
    [
        ("/shots/010", None, "/shots/010"),
        ({"path": "/shots/010"}, "path", "/shots/010"),
        ({"é": [1, True]}, None, '{"é": [1, true]}'),
        (0, None, "0"),
        ("costs $5: $(TOKEN)", None, "costs $$5: $$(TOKEN)"),
    ],
)
def test_an_output_is_a_variable(returned: object, key: str | None, text: str) -> None:
    assert taking(returned, key) == [{"name": "CACHE", "value": text}]


def test_without_the_output_there_is_no_pod() -> None:
    with pytest.raises(InvalidJob, match="script 'tell': argument 'CACHE' is file of the output"):
        taking({"path": "/shots/010"}, "file")


SECRETS: list[tuple[dict[str, Any], str]] = [
    ({}, "FallbackToLogsOnError"),
    ({"argsFrom": [{"name": "TOKEN", "secretKeyRef": SECRET}]}, "File"),
    (
        {"container": {"image": "a", "volumes": [{"name": "s", "secret": {"secretName": "s"}}]}},
        "File",
    ),
]


@pytest.mark.parametrize(("more", "policy"), SECRETS)
def test_the_log_of_a_container_that_can_read_secrets_is_not_quoted(
    more: dict[str, Any], policy: str
) -> None:
    (container,) = pod_of(in_container(**more), "tell")["spec"]["containers"]
    assert container["terminationMessagePolicy"] == policy


def test_a_container_finds_its_place_in_the_trace_of_its_job() -> None:
    job = f"00-{'4b' * 16}-{'00f0' * 4}-01"
    (container,) = pod_of(in_container(), "tell", job)["spec"]["containers"]
    place = trace_context.of_attempt(job, "tell", 1)
    assert container["env"][-1] == {"name": "TRACEPARENT", "value": place}
    (untraced,) = pod_of(in_container(), "tell")["spec"]["containers"]
    assert untraced["env"] == container["env"][:-1]
