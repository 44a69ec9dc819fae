"""What the fault proxy does to a call: before, after, in the place of, or beside the server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import closing
from functools import partial
from queue import SimpleQueue

import pytest
from dev.cluster.plane import Cluster

from tests.cluster.caller import Caller, config_map, config_maps, kubectl, start_kubectl
from tests.support.eventually import DEADLINE_SECONDS, until
from tests.support.fault_proxy import (
    FaultProxy,
    after,
    answer,
    answer_nonetheless,
    before,
    hold,
    number,
    on,
    watches,
)
from tests.support.resources import of_scripts

CREATES = on("create", "configmaps")


def test_before_the_server_never_hears_of_the_call(
    proxy: FaultProxy, caller: Caller, crds: Cluster
) -> None:
    seen: list[set[str]] = []
    rule = proxy.add(CREATES, before(lambda: seen.append(config_maps(crds, caller.namespace))))

    with pytest.raises(ConnectionResetError):
        caller.create("one")

    assert seen == [set()]
    assert config_maps(crds, caller.namespace) == set()
    assert rule.used == 1
    (call,) = proxy.calls
    assert (call.reached, call.code, call.told, call.passed_on) == (False, 0, 0, False)


def test_after_the_server_did_it_and_the_caller_never_knows(
    proxy: FaultProxy, caller: Caller, crds: Cluster
) -> None:
    seen: list[set[str]] = []
    proxy.add(CREATES, after(lambda: seen.append(config_maps(crds, caller.namespace))))

    with pytest.raises(ConnectionResetError):
        caller.create("one")

    assert seen == [{"one"}]
    (call,) = proxy.calls
    assert (call.reached, call.code, call.told, call.passed_on) == (True, 201, 0, False)


def kill_one_of(pids: SimpleQueue[int]) -> None:
    os.kill(pids.get(timeout=DEADLINE_SECONDS), signal.SIGKILL)


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
                process.communicate(job, timeout=DEADLINE_SECONDS)
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
    assert config_maps(crds, caller.namespace) == set()
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

    assert config_maps(crds, caller.namespace) == {"one"}
    (call,) = proxy.calls
    assert (call.reached, call.code, call.told, call.passed_on) == (True, 201, 504, False)


def test_a_watch_is_told_in_its_stream_that_it_expired(proxy: FaultProxy, caller: Caller) -> None:
    proxy.add(watches(), answer(410, "too old"))
    with closing(caller.watch()) as watch:
        line = watch.line()
    assert (line["type"], line["object"]["code"]) == ("ERROR", 410)


def test_a_held_call_is_overtaken_and_arrives_though_its_caller_has_left(
    proxy: FaultProxy, caller: Caller, crds: Cluster
) -> None:
    proxy.add(number(1, CREATES), hold(3))
    with closing(Caller(proxy, caller.namespace)) as other:
        body = json.dumps(config_map("one"))
        other.connection.request(
            "POST", other.config_maps, body, {"Content-Type": "application/json"}
        )
        until(lambda: proxy.count(CREATES) == 1)
    assert caller.create("two")[0] == 201
    until(lambda: proxy.calls[0].code == 201)
    assert not proxy.calls[0].told
    assert config_maps(crds, caller.namespace) == {"one", "two"}


def test_what_is_held_may_have_another_fault_as_well(proxy: FaultProxy, caller: Caller) -> None:
    proxy.add(CREATES, hold(0.01))
    proxy.add(CREATES, answer(503, "first"), times=1)
    proxy.add(CREATES, answer(503, "second"))
    told = [caller.create("one")[1]["message"] for _ in range(2)]
    assert told == ["first", "second"]
