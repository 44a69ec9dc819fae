"""Which calls the fault proxy chooses, what it does to connections, and what it tells of them."""

from __future__ import annotations

import gc
import secrets
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
import yaml
from aiohttp.http_exceptions import BadHttpMessage
from dev.cluster.plane import Cluster

from tests.cluster.caller import Caller, kubectl
from tests.support.eventually import until
from tests.support.fault_proxy import (
    FaultProxy,
    Filter,
    answer,
    anything,
    before,
    every,
    number,
    on,
    randomly,
    watches,
    writes,
)


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
            caller.create("one")
            with closing(caller.watch(query=short)) as healthy:
                healthy.until("one")
                with pytest.raises(ConnectionResetError):
                    healthy.until("the end")
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


def test_a_connection_that_comes_as_the_server_goes_away_is_closed(caller: Caller) -> None:
    config = yaml.safe_load(caller.proxy.kubeconfig.read_text())
    port = int(config["clusters"][0]["cluster"]["server"].rpartition(":")[2])
    is_over = threading.Event()

    def knock() -> None:
        while not is_over.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                pass

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(knock)
        for _ in range(200):
            caller.proxy.away()
            caller.proxy.back()
        is_over.set()
    gc.collect()  # what is not closed is a warning, and warnings are errors


# Which calls.


def test_numbers_have_no_gaps_under_concurrent_calls(proxy: FaultProxy, namespace: str) -> None:
    lists = on("list", "configmaps")
    single = proxy.add(number(25, lists), answer(500, "the 25th"))
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
    assert (single.used, some.used) == (1, 9)
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
