"""Without a rule nobody notices the fault proxy: later tests of the operator stand on that."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from dev.cluster.plane import Cluster
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.kube.client import ApiObjects
from job_execution_framework.domain.errors import Conflict, Unavailable
from tests.cluster.caller import Caller, config_map, kubectl, start_kubectl
from tests.support.eventually import until
from tests.support.fault_proxy import (
    FaultProxy,
    answer,
    anything,
    on,
    sent_by,
)
from tests.support.resources import of_scripts


def test_kubectl_applies_gets_and_watches_through_it(
    proxy: FaultProxy, crds: Cluster, namespace: str
) -> None:
    in_it = ("-n", namespace)
    job = json.dumps(of_scripts({"args": {"frames": 240}}))
    watching = start_kubectl(proxy, "get", "ensojobs", *in_it, "--watch", "-o", "name")
    until(lambda: any(call.passed_on for call in proxy.calls if call.verb == "watch"))

    kubectl(proxy, "apply", "-f", "-", *in_it, stdin=job)

    assert watching.stdout
    assert watching.stdout.readline() == "ensojob.enso.dev/shot\n"
    watching.kill()
    watching.communicate()
    get = ("get", "ensojob", "shot", "-o", "json", *in_it)
    assert json.loads(kubectl(proxy, *get)) == json.loads(crds.kubectl(*get))
    assert proxy.count(on("create", "ensojobs") & sent_by("kubectl")) == 1


def test_the_python_client_works_through_it(proxy: FaultProxy, namespace: str) -> None:
    with new_client_from_config(str(proxy.kubeconfig)) as client:  # type: ignore[no-untyped-call]
        jobs = ApiObjects(client, namespace, "ensojobs")
        made = jobs.create(of_scripts({}))
        version = made["metadata"]["resourceVersion"]
        patched = jobs.patch_status("shot", version, {"reason": "Odd"})

        assert [*jobs.each()] == [patched]
        with pytest.raises(Conflict):
            jobs.patch_status("shot", version, {})
        proxy.add(on("list", "ensojobs"), answer(503, "not now"))
        with pytest.raises(Unavailable, match="not now"):
            list(jobs.each())

    assert [(call.verb, call.resource, call.code) for call in proxy.calls[:4]] == [
        ("create", "ensojobs", 201),
        ("patch", "ensojobs/status", 200),
        ("list", "ensojobs", 200),
        ("patch", "ensojobs/status", 409),
    ]
    assert all(call.agent.startswith("OpenAPI-Generator/") for call in proxy.calls)


def test_a_line_of_a_watch_is_passed_on_when_it_comes(caller: Caller) -> None:
    with closing(caller.watch()) as watch:
        for name in ("one", "two", "three"):
            caller.create(name)
            watch.until(name)


def test_it_reads_calls_as_the_api_server_does(
    proxy: FaultProxy, crds: Cluster, namespace: str
) -> None:
    agent = f"test-{secrets.token_hex(8)}"
    mark = crds.audit.mark()
    caller = Caller(proxy, namespace, {"User-Agent": agent})
    job = of_scripts({})
    map_path = f"{caller.config_maps}/one"
    review = {"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}}
    with closing(caller):
        for method, path, document in [
            ("GET", "/version", None),
            ("GET", "/apis/enso.dev/v1alpha1", None),
            ("GET", f"/api/v1/namespaces/{namespace}", None),
            ("PATCH", f"/api/v1/namespaces/{namespace}/status", {}),
            ("GET", "/api/v1/namespaces?limit=1", None),
            ("GET", "/api/v1/configmaps?limit=1&watch=0", None),
            ("GET", f"{caller.config_maps}?watch=1&timeoutSeconds=1", None),
            ("GET", f"{caller.config_maps}?fieldSelector=metadata.name%3Done", None),
            ("PATCH", map_path, {"data": {"a": "b"}}),
            ("PUT", map_path, config_map("one")),
            ("DELETE", map_path, None),
            ("DELETE", caller.config_maps, None),
            ("POST", caller.jobs, job),
            ("PATCH", f"{caller.jobs}/shot/status", {"status": {"reason": "Odd"}}),
            ("GET", f"{caller.jobs}/none", None),
            ("GET", f"{caller.jobs}/none?watch=true", None),
            ("DELETE", f"{caller.jobs}/shot", None),
            ("GET", f"/api/v1/namespaces/{namespace}/pods/none/log?follow=true", None),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review),
        ]:
            caller.send(method, path, document).read()

    until(lambda: all(call.done for call in proxy.calls))
    wanted = [request for request in crds.audit.since(mark) if request.user_agent == agent]
    assert [call.path for call in proxy.calls] == [request.path for request in wanted]
    for call, request in zip(proxy.calls, wanted, strict=True):
        said = (call.verb, call.resource, call.namespace, call.code, call.is_write)
        assert said == (
            request.verb,
            request.resource,
            request.namespace,
            request.code,
            request.is_write,
        )
        assert call.name == request.name or call.verb == "create"
        assert call.reached
        assert call.passed_on
        assert call.told == call.code
    assert [call.path for call in proxy.calls if call.is_stream] == [
        f"{caller.config_maps}?watch=1&timeoutSeconds=1",
        f"/api/v1/namespaces/{namespace}/pods/none/log?follow=true",
    ]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_goes_both_ways(caller: Caller, chunked: bool) -> None:
    text = secrets.token_hex(400_000)
    body = json.dumps(config_map("large", text=text)).encode()
    pieces = (body[at : at + 1000] for at in range(0, len(body), 1000))
    caller.connection.request(
        "POST",
        caller.config_maps,
        pieces if chunked else body,
        {"Content-Type": "application/json"},
        encode_chunked=chunked,
    )
    assert caller.connection.getresponse().read().count(text.encode()) == 1
    assert caller.ask("GET", f"{caller.config_maps}/large")[1]["data"]["text"] == text


def test_it_survives_a_thousand_calls_and_keeps_connections(
    proxy: FaultProxy, namespace: str
) -> None:
    def calling(_: int) -> set[int]:
        with closing(Caller(proxy, namespace)) as caller:
            return {caller.ask("GET", "/version")[0] for _ in range(250)}

    with ThreadPoolExecutor(4) as callers:
        assert list(callers.map(calling, range(4))) == [{200}] * 4

    assert proxy.count(anything()) == 1000


def test_a_quiet_watch_is_closed_when_its_caller_leaves(caller: Caller) -> None:
    with closing(caller.watch(caller.jobs)):
        assert not caller.proxy.calls[0].done
    until(lambda: caller.proxy.calls[0].done)
