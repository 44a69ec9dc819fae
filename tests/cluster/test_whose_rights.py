"""`enso serve --auth=kubernetes`: the cluster is asked as each caller, and as nobody else."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest
import yaml
from dev.cluster.audit import Request

from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.http_api.rights import Rights
from enso_operator.kube.callers import connect_without_credentials, of_caller
from enso_operator.kube.streams import streams_of
from job_execution_framework.domain.secret import Secret
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_context
from tests.cluster.users import READ, WRITE, user
from tests.support.eventually import until
from tests.support.resources import of_scripts
from tests.support.serve_program import Server, serving

JOB = {"instructions": [["example_script", {"arg1": "a", "arg2": "b"}]]}


@pytest.fixture
def server(ns: ClusterNamespace, tmp_path: Path) -> Generator[Server]:
    """A server whose own kubeconfig is an administrator's, and has a program for credentials."""
    file = of_context(ns.cluster, ns.namespace, tmp_path)
    config = yaml.safe_load(file.read_text())
    for entry in config["users"]:
        entry["user"]["exec"] = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "interactiveMode": "Never",
            "command": "touch",
            "args": [str(tmp_path / "ran")],
        }
    file.write_text(yaml.safe_dump(config))
    with serving(file, "--auth=kubernetes", "--host", "0.0.0.0") as server:  # noqa: S104
        yield server
    assert not (tmp_path / "ran").exists()


def test_two_users_see_and_do_what_each_of_them_may(ns: ClusterNamespace, server: Server) -> None:
    ann, bob, eve = user(ns, "ann", *READ), user(ns, "bob", *WRITE), user(ns, "eve")
    mark = ns.cluster.audit.mark()

    added = server.ask("POST", "/add-job", bob.headers, json=JOB)
    assert added.status_code == 201, added.text
    listed = [{"jobid": added.json()["jobid"], "state": "Suspended"}]
    assert server.ask("GET", "/list-jobs", ann.headers).json() == listed

    refused = server.ask("POST", "/add-job", ann.headers, json=JOB)
    assert refused.status_code == 403
    assert f'User "{ann.name}" cannot create resource "ensojobs"' in refused.json()["error"]
    for path in ("/list-jobs", f"/get-job/{added.json()['jobid']}"):
        refused = server.ask("GET", path, eve.headers)
        assert refused.status_code == 403
        assert f'User "{eve.name}" cannot' in refused.json()["error"]

    assert {asked.user for asked in of_server(ns, mark)} == {ann.name, bob.name, eve.name}


def of_server(ns: ClusterNamespace, mark: int) -> list[Request]:
    """Return what was asked in the namespace, and by people of it, but by kubectl."""
    return [
        asked
        for asked in ns.cluster.audit.since(mark)
        if "OpenAPI" in asked.user_agent
        and ns.namespace in (asked.namespace, *asked.user.split(":"))
    ]


def test_an_action_has_the_name_of_who_asked_for_it(ns: ClusterNamespace, server: Server) -> None:
    ann = user(ns, "ann", *READ, "ensoactions.enso.dev=get,create")
    ns.objects.create(of_scripts({}))
    asked = server.ask("POST", "/pause-job", ann.headers, json={"jobid": "shot", "why": "lunch"})
    assert asked.status_code == 202, asked.text  # no operator is here
    (action,) = json.loads(ns.kubectl("get", "ensoactions", "-o", "json"))["items"]
    assert (action["spec"]["by"], action["spec"]["why"]) == (ann.name, "lunch")


@pytest.mark.anyio
async def test_what_somebody_may_not_do_is_known_before(
    ns: ClusterNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(ns.cluster.kubeconfig))
    nobody = connect_without_credentials(ns.namespace, 1)
    for rights, missing in (
        (
            ("ensojobs.enso.dev=create", "ensoactions.enso.dev=create,get"),
            {"execute": "patch ensojobs"},
        ),
        (
            ("ensojobs.enso.dev=patch", "ensoactions.enso.dev=create"),
            {"act": "get ensoactions", "add": "create ensojobs"},
        ),
    ):
        one = user(ns, f"one-{len(missing)}", *rights)
        jobs = of_caller(nobody, Secret(one.token))
        backend = ClusterJobs(jobs, streams_of(jobs.client))
        assert await backend.rights() == Rights(
            **{
                name: f"You may not {what}.enso.dev in namespace {ns.namespace}."
                for name, what in missing.items()
            }
        )


def test_who_is_not_known_is_told_how_to_be(ns: ClusterNamespace, server: Server) -> None:
    ann = user(ns, "ann", *READ)
    mark = ns.cluster.audit.mark()
    for headers in (
        {},
        {"Authorization": "Basic YW5uOnNlY3JldA=="},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer two words"},
        {"Authorization": f"Bearer {'x' * 20_000}"},
        {"Authorization": ann.token},
    ):
        refused = server.ask("GET", "/list-jobs", headers)
        assert refused.status_code == 401, headers
        assert refused.headers["www-authenticate"] == "Bearer"
        assert "kubectl create token" in refused.json()["error"]
    assert not of_server(ns, mark)  # what cannot be a token does not reach the cluster

    forged = ann.token[:-8] + "AAAAAAAA"
    refused = server.ask("GET", "/list-jobs", {"Authorization": f"Bearer {forged}"})
    assert (refused.status_code, "does not accept this token" in refused.text) == (401, True)
    assert forged not in refused.text
    assert server.ask("POST", "/add-job", json=JOB).status_code == 401
    assert server.ask("GET", "/nothing").status_code == 401
    assert server.ask("GET", "/openapi.json").status_code == 200


def test_pages_show_no_namespace_job_or_output_of_others(
    ns: ClusterNamespace, server: Server
) -> None:
    ann, eve = user(ns, "ann", *READ), user(ns, "eve")
    ns.objects.create(of_scripts({}))
    page = {"Accept": "text/html"}
    shown = server.ask("GET", "/jobs/shot", ann.headers | page)
    assert shown.status_code == 200
    assert "You may not create ensoactions.enso.dev in namespace" in shown.text
    output = "/jobs/shot/scripts/step_1/attempts/1/output"
    for who, path, status in (
        (eve, "/", 403),
        (eve, "/jobs/shot", 403),
        (eve, "/jobs/shot/live", 403),
        (eve, output, 403),
        (ann, "/?namespace=kube-system", 403),
        (ann, "/jobs/shot?namespace=kube-system", 403),
        (ann, "/jobs/shot/live?namespace=kube-system", 403),
        (ann, "/library?namespace=kube-system", 403),
        (ann, "/templates", 403),
        (ann, "/jobs/shot?namespace=../../pods", 404),
        (ann, f"/jobs/..%2F..%2Fnamespaces%2F{ns.namespace}%2Fensojobs%2Fshot", 404),
        (ann, "/jobs/%2e%2e", 404),
    ):
        refused = server.ask("GET", path, who.headers | page)
        assert refused.status_code == status, (path, refused.text)
        assert ("cannot" in refused.text) == (status == 403), (path, refused.text)


def test_a_token_that_is_revoked_ends_at_once(ns: ClusterNamespace, server: Server) -> None:
    ann = user(ns, "ann", *READ)
    ns.objects.create(of_scripts({}))
    assert len(server.ask("GET", "/list-jobs", ann.headers).json()) == 1
    ns.kubectl("delete", "serviceaccount", "ann")
    until(lambda: server.ask("GET", "/list-jobs", ann.headers).status_code == 401)
    assert ann.token not in server.log()


def test_the_servers_log_and_refusals_tell_no_token(ns: ClusterNamespace, server: Server) -> None:
    bob = user(ns, "bob", *WRITE)
    answers = [
        server.ask("POST", "/add-job", bob.headers, json={"instructions": [[".."]]}),
        server.ask("GET", "/get-job/..%2F..%2Fsecrets", bob.headers),
        server.ask("POST", "/cancel-job", bob.headers, json={"jobid": "nothing"}),
        server.ask("POST", "/cancel-job", bob.headers, content=b"{", params={"a": "b"}),
        server.ask("GET", "/nothing", bob.headers),
    ]
    assert all(answer.status_code >= 400 for answer in answers)
    assert not any(bob.token in answer.text for answer in answers)
    assert bob.token not in server.log()
