"""The fault proxy does what it says: later tests of the operator stand on that."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import pytest
import yaml
from aiohttp.http_exceptions import BadHttpMessage
from dev.cluster.plane import Cluster
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.kube.client import Objects
from job_execution_framework.domain.errors import Conflict, Unavailable
from tests.cluster.caller import Caller, config_map, kubectl, start_kubectl
from tests.support.fault_proxy import (
    FaultProxy,
    Filter,
    after,
    answer,
    answer_nonetheless,
    anything,
    before,
    every,
    hold,
    number,
    on,
    randomly,
    sent_by,
    watches,
    writes,
)
from tests.support.resources import of_scripts
from tests.support.workstation import until

CREATES = on("create", "configmaps")


@pytest.fixture
def proxy(crds: Cluster) -> Generator[FaultProxy]:
    with FaultProxy(crds.kubeconfig) as one:
        yield one


@pytest.fixture
def caller(proxy: FaultProxy, namespace: str) -> Generator[Caller]:
    with closing(Caller(proxy, namespace)) as one:
        yield one


def names(cluster: Cluster, namespace: str) -> set[str]:
    """The ConfigMaps that are really there, but for the one that every namespace has."""
    told = cluster.kubectl("get", "configmaps", "-n", namespace, "-o", "name").split()
    return {name.removeprefix("configmap/") for name in told} - {"kube-root-ca.crt"}


# Without a rule: nobody notices it.


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
        jobs = Objects(client, namespace, "ensojobs")
        made = jobs.create(of_scripts({}))
        version = made["metadata"]["resourceVersion"]
        patched = jobs.patch_status("shot", version, {"reason": "Odd"})

        assert jobs.list() == [patched]
        with pytest.raises(Conflict):
            jobs.patch_status("shot", version, {})
        proxy.add(on("list", "ensojobs"), answer(503, "not now"))
        with pytest.raises(Unavailable, match="not now"):
            jobs.list()

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
    one = f"{caller.config_maps}/one"
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
            ("PATCH", one, {"data": {"a": "b"}}),
            ("PUT", one, config_map("one")),
            ("DELETE", one, None),
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
    wanted = [each for each in crds.audit.since(mark) if each.user_agent == agent]
    assert [call.path for call in proxy.calls] == [each.path for each in wanted]
    for call, each in zip(proxy.calls, wanted, strict=True):
        said = (call.verb, call.resource, call.namespace, call.code, call.is_write)
        assert said == (each.verb, each.resource, each.namespace, each.code, each.is_write)
        assert call.name == each.name or call.verb == "create"
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


# Faults.


def test_before_the_server_never_hears_of_the_call(
    proxy: FaultProxy, caller: Caller, crds: Cluster
) -> None:
    seen: list[set[str]] = []
    rule = proxy.add(CREATES, before(lambda: seen.append(names(crds, caller.namespace))))

    with pytest.raises(ConnectionResetError):
        caller.create("one")

    assert seen == [set()]
    assert names(crds, caller.namespace) == set()
    assert rule.used == 1
    (call,) = proxy.calls
    assert (call.reached, call.code, call.told, call.passed_on) == (False, 0, 0, False)


def test_after_the_server_did_it_and_the_caller_never_knows(
    proxy: FaultProxy, caller: Caller, crds: Cluster
) -> None:
    seen: list[set[str]] = []
    proxy.add(CREATES, after(lambda: seen.append(names(crds, caller.namespace))))

    with pytest.raises(ConnectionResetError):
        caller.create("one")

    assert seen == [{"one"}]
    (call,) = proxy.calls
    assert (call.reached, call.code, call.told, call.passed_on) == (True, 201, 0, False)


def kill_one_of(pids: SimpleQueue[int]) -> None:
    os.kill(pids.get(timeout=30), signal.SIGKILL)


def test_a_program_is_killed_at_every_call_that_it_makes(crds: Cluster, namespace: str) -> None:
    """As tests of the operator will do it: an undisturbed run, then one for every point."""
    job = json.dumps(of_scripts({}))
    create = ("create", "-n", namespace, "-f", "-")
    with FaultProxy(crds.kubeconfig) as proxy:
        kubectl(proxy, *create, stdin=job)
        points = proxy.count(~watches())
        of_the_create = next(call.number for call in proxy.calls if call.is_write)
    crds.kubectl("delete", "ensojob", "shot", "-n", namespace)

    for fault in (before, after):
        for point in range(1, points + 1):
            pids: SimpleQueue[int] = SimpleQueue()
            with FaultProxy(crds.kubeconfig) as proxy:
                proxy.add(number(point, ~watches()), fault(partial(kill_one_of, pids)))
                process = start_kubectl(proxy, *create)
                pids.put(process.pid)
                process.communicate(job, timeout=30)
            assert process.returncode == -signal.SIGKILL
            is_there = crds.kubectl("get", "ensojobs", "-n", namespace, "-o", "name") != ""
            assert is_there == (fault is after and point >= of_the_create)
            if is_there:
                crds.kubectl("delete", "ensojob", "shot", "-n", namespace)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (409, "Conflict"),
        (410, "Expired"),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (503, "ServiceUnavailable"),
    ],
)
def test_an_answer_in_the_place_of_the_server(
    proxy: FaultProxy, caller: Caller, crds: Cluster, code: int, reason: str
) -> None:
    proxy.add(CREATES, answer(code, "so it is", {"Retry-After": "7"}))

    response = caller.send("POST", caller.config_maps, config_map("one"))

    status = json.loads(response.read())
    assert (response.status, response.headers["Retry-After"]) == (code, "7")
    assert (status["kind"], status["code"], status["reason"]) == ("Status", code, reason)
    assert (status["message"], status["details"]) == ("so it is", {"retryAfterSeconds": 7})
    assert names(crds, caller.namespace) == set()
    (call,) = proxy.calls
    assert (call.reached, call.code, call.told, call.passed_on) == (False, 0, code, False)


def test_kubectl_understands_such_an_answer(proxy: FaultProxy) -> None:
    proxy.add(on("get", "namespaces"), answer(409, "so it is"))
    with pytest.raises(subprocess.CalledProcessError) as caught:
        kubectl(proxy, "get", "namespace", "default")
    assert caught.value.stderr == "Error from server (Conflict): so it is\n"


def test_the_server_did_it_and_the_caller_is_told_otherwise(
    proxy: FaultProxy, caller: Caller, crds: Cluster
) -> None:
    proxy.add(CREATES, answer_nonetheless(504, "too slow"))

    assert caller.create("one")[0] == 504

    assert names(crds, caller.namespace) == {"one"}
    (call,) = proxy.calls
    assert (call.reached, call.code, call.told, call.passed_on) == (True, 201, 504, False)


def test_a_watch_is_told_in_its_stream_that_it_expired(proxy: FaultProxy, caller: Caller) -> None:
    proxy.add(watches(), answer(410, "too old"))
    with closing(caller.watch()) as watch:
        line = watch.line()
    assert (watch.response.status, line["type"], line["object"]["code"]) == (200, "ERROR", 410)


def test_a_held_call_is_overtaken_and_arrives_though_its_caller_has_left(
    proxy: FaultProxy, caller: Caller, crds: Cluster
) -> None:
    proxy.add(number(1, CREATES), hold(1))
    with closing(Caller(proxy, caller.namespace)) as other:
        body = json.dumps(config_map("one"))
        other.connection.request(
            "POST", other.config_maps, body, {"Content-Type": "application/json"}
        )
        until(lambda: proxy.count(CREATES) == 1)
    assert caller.create("two")[0] == 201
    until(lambda: proxy.calls[0].code == 201)
    assert not proxy.calls[0].told
    assert names(crds, caller.namespace) == {"one", "two"}


def test_what_is_held_may_have_another_fault_as_well(proxy: FaultProxy, caller: Caller) -> None:
    proxy.add(CREATES, hold(0.01))
    proxy.add(CREATES, answer(503, "first"), times=1)
    proxy.add(CREATES, answer(503, "second"))
    told = [caller.create("one")[1]["message"] for _ in range(2)]
    assert told == ["first", "second"]


# Connections.


def test_a_cut_watch_ends_and_a_new_one_works(caller: Caller) -> None:
    with closing(caller.watch()) as watch, closing(caller.watch(caller.jobs)) as other:
        caller.create("one")
        watch.until("one")
        caller.proxy.cut(on("watch", "configmaps"))
        with pytest.raises(ConnectionResetError):
            watch.line()
        assert other.is_silent()
    with closing(caller.watch()) as watch:
        watch.until("one")


def test_a_silent_watch_stays_open_and_healing_is_for_new_ones(caller: Caller) -> None:
    short = "timeoutSeconds=1"
    with closing(caller.watch()) as before_it:
        before_it.until("kube-root-ca.crt")
        caller.proxy.silence()
        with closing(caller.watch(query=short)) as during:
            caller.proxy.heal()
            with closing(caller.watch(query=short)) as healthy:
                caller.create("one")
                healthy.until("one")
                with pytest.raises(ConnectionResetError):
                    healthy.until("the end")
            assert during.response.status == 200
            # The server has ended this one by now: it began earlier than the healthy one.
            assert during.is_silent()
            assert before_it.is_silent()


def test_away_and_back(caller: Caller) -> None:
    with closing(caller.watch()) as watch:
        watch.until("kube-root-ca.crt")
        caller.proxy.away()
        with pytest.raises(ConnectionResetError):
            watch.line()
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            caller.create("one")
    with pytest.raises(subprocess.CalledProcessError):
        kubectl(caller.proxy, "get", "namespaces")
    assert caller.proxy.count(anything()) == 1

    for _ in range(2):
        caller.proxy.back()

    assert caller.create("one")[0] == 201
    caller.proxy.away()
    with pytest.raises(ConnectionResetError):
        caller.create("two")
    with pytest.raises(ConnectionRefusedError):
        caller.create("two")


def test_a_server_that_is_really_away_is_no_fault_of_the_proxy(
    cluster: Cluster, tmp_path: Path
) -> None:
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    nobody = socket.create_server(("127.0.0.1", 0))
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{nobody.getsockname()[1]}"
    nobody.close()
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))

    with (
        FaultProxy(kubeconfig) as proxy,
        closing(Caller(proxy, "default")) as caller,
        pytest.raises(ConnectionResetError),
    ):
        caller.create("one")

    (call,) = proxy.calls
    assert not call.reached
    assert "ClientConnectorError" in call.error


# Which calls.


def test_numbers_have_no_gaps_under_concurrent_calls(proxy: FaultProxy, namespace: str) -> None:
    lists = on("list", "configmaps")
    one = proxy.add(number(25, lists), answer(500, "the 25th"))
    some = proxy.add(every(5, lists), answer(503, "each fifth"))

    def calling(i: int) -> str:
        with closing(Caller(proxy, namespace)) as caller:
            caller.ask("GET", "/version")
            code, told = caller.ask("GET", f"{caller.config_maps}?limit={i + 1}")
            return told["message"] if code != 200 else ""

    with ThreadPoolExecutor(50) as callers:
        told = list(callers.map(calling, range(50)))

    assert [call.number for call in proxy.calls] == list(range(1, 101))
    assert proxy.count(lists) == 50
    assert (told.count("the 25th"), told.count("each fifth")) == (1, 9)
    assert (one.used, some.used) == (1, 9)
    refused = [call.told for call in proxy.calls if lists(call)]
    assert refused[24] == 500
    assert [i for i, code in enumerate(refused, 1) if code == 503] == [
        *range(5, 25, 5),
        *range(30, 51, 5),
    ]


def test_random_calls_are_the_same_with_the_same_seed(proxy: FaultProxy, caller: Caller) -> None:
    def refused(seed: int) -> list[bool]:
        rule = proxy.add(randomly(0.3, seed, anything()), answer(503, "by chance"))
        told = [caller.ask("GET", "/version")[0] == 503 for _ in range(100)]
        proxy.remove(rule)
        return told

    first = refused(1)

    assert 10 < sum(first) < 50
    assert refused(1) == first
    assert refused(2) != first


def test_a_rule_ends_after_its_uses_or_when_it_is_removed(
    proxy: FaultProxy, caller: Caller
) -> None:
    mine = Filter(lambda call: b'"one"' in call.body)
    twice = proxy.add(mine & writes(), answer(500, "twice"), times=2)
    assert [caller.create("one")[0] for _ in range(4)] == [500, 500, 201, 409]
    assert twice.used == 2
    always = proxy.add(mine | watches(), answer(500, "always"))
    assert caller.create("one")[0] == 500
    proxy.remove(always)
    assert caller.create("one")[0] == 409


# What was sent.


def test_a_canary_is_found_wherever_it_was_sent(caller: Caller) -> None:
    canaries = [secrets.token_hex(8) for _ in range(5)]
    body, path, header, half, _ = canaries
    caller.create("one", token=body)
    caller.ask("GET", f"{caller.config_maps}?labelSelector=a%3D{path}%2Eb")
    caller.headers["X-Token"] = header
    caller.proxy.add(writes(), answer(500, "no"))
    caller.create("two")
    with socket.create_connection(caller.address) as connection:
        head = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 99\r\n\r\n"
        connection.sendall(head + half.encode())
    until(lambda: half.encode() in caller.proxy.sent())

    sent = caller.proxy.sent()

    assert [canary.encode() in sent for canary in canaries] == [True, True, True, True, False]
    assert f"a={path}.b".encode() in sent
    assert caller.proxy.count(anything()) == 3


# What goes wrong inside.


def test_an_action_that_fails_fails_the_test(crds: Cluster, namespace: str) -> None:
    def failing() -> None:
        raise ProcessLookupError("it has ended before")

    with (
        pytest.RaisesGroup(ProcessLookupError),
        FaultProxy(crds.kubeconfig) as proxy,
        closing(Caller(proxy, namespace)) as caller,
    ):
        proxy.add(anything(), before(failing))
        with pytest.raises(ConnectionResetError):
            caller.create("one")


def test_a_request_that_it_cannot_read_fails_the_test(crds: Cluster, namespace: str) -> None:
    with (
        pytest.RaisesGroup(BadHttpMessage),
        FaultProxy(crds.kubeconfig) as proxy,
        socket.create_connection(Caller(proxy, namespace).address) as connection,
    ):
        connection.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.0 400")
