"""Changed definitions on a real API server, whose ControllerRevisions never change."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from kubernetes.client import ApiClient

from enso_operator.kube.client import ApiObjects
from enso_operator.kube.objects import Objects
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.enso_program import Enso
from tests.contract.test_definitions import *  # noqa: F403  # the same tests, another store
from tests.contract.test_definitions import fail, remove, resume, revisions


@pytest.fixture(name="jobs")
def on_the_api_server(client: ApiClient, namespace: str) -> Objects:
    return ApiObjects(client, namespace, "ensojobs")


def test_nobody_changes_what_a_revision_holds(failed: Objects, ns: ClusterNamespace) -> None:
    resume(failed, args={"frames": 2})
    (revision,) = revisions(failed)
    name = f"controllerrevision/{revision['metadata']['name']}"
    with pytest.raises(CalledProcessError) as refused:
        ns.kubectl("patch", name, "--type=merge", "-p", json.dumps({"data": {"scripts": []}}))
    assert "field is immutable" in refused.value.stderr
    shown = ns.kubectl("get", "controllerrevisions").splitlines()[1].split()
    assert shown[:3] == [revision["metadata"]["name"], "ensojob.enso.dev/shot", "2"]


def test_what_a_job_was_started_with_is_shown(
    failed: Objects, ns: ClusterNamespace, tmp_path: Path
) -> None:
    enso = Enso(ns, tmp_path)
    resume(failed, args={"frames": 2})
    assert "  simulate  frames=1 token=" in enso("show", "shot")[1]
    fail(failed)
    assert "  simulate  frames=2 token=" in enso("show", "shot")[1]
    remove(failed)
    assert "  simulate  not known: " in enso("show", "shot")[1]
