"""Browsers and their servers are apart from the machine's interfaces: no Pod disturbs them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from dev.host import requirements

from tests.support.own_network import own_network

pytestmark = pytest.mark.skipif(bool(requirements.missing()), reason=requirements.missing())


def network() -> str:
    return str(Path("/proc/thread-self/ns/net").readlink())


def test_tests_of_this_folder_have_nothing_but_localhost() -> None:
    assert [name for _, name in socket.if_nameindex()] == ["lo"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_a_thread_is_back_in_its_network_when_it_leaves_its_own() -> None:
    before = network()

    with own_network():
        assert network() != before

    assert network() == before
