"""The parts of `make cluster` that can be seen without root: what it says, and its port forward."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest
from dev.host import mounts, requirements
from dev.node import port_forward

from tests.support.eventually import until
from tests.support.make_up import free_port


def test_without_root_a_sentence_says_what_works_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert requirements.missing() == (
        "A real node needs root, for containers and their network: run `make cluster` as root,"
        " or `make cluster-up` for a cluster without a node"
    )


def test_all_packages_that_are_missing_are_named_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "SYSTEM_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(requirements, "_PLUGIN_FOLDERS", (tmp_path,))

    assert (
        "`apt-get install buildah catatonit containernetworking-plugins debootstrap iproute2 mount"
        " runc util-linux`"
    ) in requirements.missing()


def test_mounts_are_found_innermost_first(monkeypatch: pytest.MonkeyPatch) -> None:
    table = (
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        "2 1 0:5 / /a\\040b rw shared:1 - tmpfs tmpfs rw\n"
        "3 2 0:6 / /a\\040b/c rw - overlay overlay rw\n"
        "4 1 0:7 / /a rw - tmpfs tmpfs rw\n"
    )

    def read_text(_: Path) -> str:
        return table

    monkeypatch.setattr(Path, "read_text", read_text)

    assert mounts.below(Path("/a b")) == ["/a b/c", "/a b"]
    assert mounts.is_overlay(Path("/a b/c/d"))
    assert not mounts.is_overlay(Path("/a b"))


@pytest.fixture
def inside() -> Generator[socket.socket]:
    """What stands for the API server."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


@pytest.fixture
def outside(inside: socket.socket) -> Generator[tuple[str, int]]:
    """The address that is forwarded to it."""
    target, port = inside.getsockname()[1], free_port()
    command = [sys.executable, port_forward.__file__, f"127.0.0.1:{target}", f"127.0.0.1:{port}"]
    with subprocess.Popen(command) as process:
        until(lambda: _listens(port))
        yield ("127.0.0.1", port)
        process.terminate()


def test_the_port_forward_carries_both_directions_to_their_ends(
    inside: socket.socket, outside: tuple[str, int]
) -> None:
    with socket.create_connection(outside, timeout=60) as caller:
        with accepted(inside) as answering:
            caller.sendall(b"question")
            assert answering.recv(100) == b"question"
            caller.shutdown(socket.SHUT_WR)
            assert answering.recv(100) == b""
            answering.sendall(b"answer")
        assert caller.recv(100) == b"answer"
        assert caller.recv(100) == b""


def test_the_port_forward_is_closed_where_nobody_is_inside(
    inside: socket.socket, outside: tuple[str, int]
) -> None:
    inside.close()

    with socket.create_connection(outside, timeout=60) as caller:
        assert received(caller) == b""


def accepted(server: socket.socket) -> socket.socket:
    """Return the next connection."""
    connection, _ = server.accept()
    connection.settimeout(60)
    return connection


def received(caller: socket.socket) -> bytes:
    """Return what comes; a reset is an end too."""
    try:
        return caller.recv(100)
    except ConnectionResetError:
        return b""


def _listens(port: int) -> bool:
    """Say so from the kernel's table: a connection would be forwarded."""
    return any(
        connection.laddr.port == port and connection.status == psutil.CONN_LISTEN
        for connection in psutil.net_connections("tcp4")
        if connection.laddr
    )
