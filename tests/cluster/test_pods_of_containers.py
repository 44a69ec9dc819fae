"""The Pod of a container script, as an API server takes it."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.to_domain import job_definition
from enso_operator.sessions.pods.manifest import SessionPod
from enso_operator.settings import PodSettings
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.steps import Open
from job_execution_framework.domain.values import is_list, is_mapping
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.resources import of_scripts

Document = dict[str, Any]
SECRET = {"name": "tracker", "key": "token"}
CONTAINER: Document = {
    "image": "curl",
    "command": ["curl", "$(TOKEN)"],
    "env": [{"name": "LEVEL", "value": "1"}],
    "volumes": [{"name": "shots", "persistentVolumeClaim": {"claimName": "shots"}}],
    "volumeMounts": [{"name": "shots", "mountPath": "/shots", "subPath": "010"}],
    "tolerations": [{"key": "studio/licence", "operator": "Exists"}],
    "nodeSelector": {"studio/render": "yes"},
    "imagePullSecrets": [{"name": "registry"}],
    "runAsUser": 4711,
    "fsGroup": 4200,
    "supplementalGroups": [4300],
    "podAnnotations": {"sidecar.istio.io/inject": "false"},
    "onInterrupted": {"policy": "Retry"},
}


def container_pod(ns: ClusterNamespace) -> Document:
    """Return the Pod that an operator makes for the job's container, as it read the job."""
    document = ns.get()
    made = job_definition(parse_ensojob(document))
    plan = Plan.of(
        Job("shot", made.scripts, made.sessions),
        Open("tell-1", "tell", ("tell",)),
        ScriptLibrary([]),
    )
    settings = PodSettings(records_image="enso")
    return SessionPod(EnsoJobObject(document), parse_ensojob(document).spec, plan, settings).pod("")


def contains(found: object, wanted: object) -> bool:
    """Whether the API server kept all that was wanted, whatever it has added."""
    if is_mapping(wanted):
        kept = ((key, value) for key, value in wanted.items() if value not in ("", False))
        return is_mapping(found) and all(contains(found.get(key), value) for key, value in kept)
    if is_list(wanted):
        return is_list(found) and all(
            any(contains(one, value) for one in found) for value in wanted
        )
    return found == wanted


def test_the_api_server_takes_the_pod_and_keeps_all_of_it(ns: ClusterNamespace) -> None:
    given = [{"name": "TOKEN", "secretKeyRef": SECRET}]
    ns.apply(of_scripts({"name": "tell", "container": CONTAINER, "argsFrom": given}))
    wanted = container_pod(ns)
    ns.apply(wanted)
    found = json.loads(ns.kubectl("get", "pod", wanted["metadata"]["name"], "-o", "json"))
    assert contains(found["spec"], wanted["spec"])
    assert found["metadata"]["annotations"].items() >= wanted["metadata"]["annotations"].items()


def test_what_a_container_may_be_given_cannot_be_changed(ns: ClusterNamespace) -> None:
    ns.apply(of_scripts({"name": "tell", "container": CONTAINER}))
    other = {**CONTAINER, "runAsUser": 4712}
    with pytest.raises(subprocess.CalledProcessError) as refused:
        ns.apply(of_scripts({"name": "tell", "container": other}))
    assert "field is immutable" in str(refused.value.stderr)
