"""Jobs that are added through the unit of work, and what the API server says to them."""

from __future__ import annotations

import pytest
from kubernetes.client import ApiClient, Configuration

from enso_operator.kube.client import ApiObjects, Refused
from enso_operator.manifests.to_domain import SecretKey
from job_execution_framework.domain.errors import InvalidJob, JobNotFound, Unavailable
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import (
    Container,
    Function,
    LibraryScript,
    Script,
    Session,
    Source,
)
from job_execution_framework.domain.secret import Secret
from job_execution_framework.service_layer import services
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.resources import job


def test_an_added_job_is_created_suspended_as_it_was_described(ns: ClusterNamespace) -> None:
    sessions = (Session("s1", ("hython", "-u"), 60, retry_lost=2), Session("s2"))
    scripts = (
        Script("open", LibraryScript("open_scene"), {"path": "/a"}, "s1", setup=True),
        Script("do", Source("def main(): pass", "do.py"), {"n": [1, {"x": None}]}, "s1"),
        Script("save", Function("a.b:c"), {"t": Secret(SecretKey("tracker", "token"))}, "s1"),
        Script("tell", Container("curl", ("curl",), ("-f",)), retries=Retries(2, 30)),
        Script("end", Source("x", "end.py"), {}, "s2", checkpoint=True, timeout_seconds=9),
    )
    job_id = services.add(
        scripts, job_uow=ns.uow(), job_id="shot", sessions=sessions, deadline_seconds=99
    )
    loaded = ns.uow().jobs.get(job_id)
    assert (loaded.scripts, loaded.sessions) == (scripts, sessions)
    assert loaded.deadline_seconds == 99
    assert ns.get()["spec"]["suspend"] is True
    assert str(loaded.state) == "Waiting"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (Script("do", Source("x"), {"a": object()}), "parameter 'a' cannot stand in a manifest"),
        (Script("do", Source("x"), {"a": Secret("1")}), "parameter 'a' cannot stand"),
        (Script("do", Source("")), r"spec.scripts\[do\].source is empty"),
    ],
)
def test_what_no_manifest_can_say_is_refused(
    ns: ClusterNamespace, script: Script, why: str
) -> None:
    with pytest.raises(InvalidJob, match=why):
        services.add([script], job_uow=ns.uow())
    assert ns.uow().jobs.all() == []


def test_what_the_api_server_refuses_comes_with_its_sentence(ns: ClusterNamespace) -> None:
    document = job({"scripts": [{"name": "do", "source": "x"}]}, "n" * 60)
    with pytest.raises(Refused, match="more than 52 characters"):
        ns.objects.create(document)
    with pytest.raises(Refused, match="too large"):
        ns.objects.create(document | {"spec": {"x": "y" * 4_000_000}})
    with pytest.raises(JobNotFound, match="no job 'nobody'"):
        ns.uow().jobs.get("nobody")


def test_an_api_server_that_does_not_answer_is_unavailable() -> None:
    configuration = Configuration(host="http://127.0.0.1:9")
    with (
        ApiClient(configuration) as nobody,
        pytest.raises(Unavailable, match="did not answer"),
    ):
        ApiObjects(nobody, "default", "ensojobs").get("shot")
