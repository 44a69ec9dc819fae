"""Whatever happened to a cluster, `start` repairs it or says why not, and `stop` leaves nothing."""

import os
import secrets
import signal
import socket
import subprocess
import sys

import pytest
from dev.checkout import Failed
from dev.cluster import binaries, plane, records, sharing
from dev.cluster.plane import Cluster
from dev.host import processes

EVERYTHING = {*binaries.CONTROL_PLANE}


def test_a_second_start_changes_nothing(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    before = processes.running(cluster.folder)

    plane.start(cluster.name, audit=True)

    assert processes.running(cluster.folder) == before
    assert "is up already" in capsys.readouterr().err


def test_a_cluster_without_a_node_cannot_be_given_one(cluster: Cluster) -> None:
    with pytest.raises(Failed, match="runs without a node, and cannot be changed"):
        plane.start(cluster.name, audit=True, node=True)


def test_what_was_killed_is_started_again_and_a_stop_leaves_nothing(own_cluster: Cluster) -> None:
    own_cluster.kubectl("create", "namespace", "kept")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        for component in binaries.CONTROL_PLANE:
            own_cluster.kill(component)
            # As after a reboot: the number in the pid file belongs to somebody else by now.
            (own_cluster.folder / "pids" / f"{component}.pid").write_text(str(stranger.pid))

        plane.start(own_cluster.name)

        assert processes.running(own_cluster.folder).keys() == EVERYTHING
        assert "kept" in own_cluster.kubectl("get", "namespaces", "-o", "name")

        own_cluster.stop()

        assert processes.running(own_cluster.folder) == {}
        assert not own_cluster.folder.exists()
        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_a_port_that_somebody_took_is_said_in_a_sentence(own_cluster: Cluster) -> None:
    record = records.read(own_cluster.name)
    assert record is not None
    port = record.ports["kubeApiserverPort"]
    own_cluster.kill("kube-apiserver")

    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(Failed, match=f"another process has its port {port}"),
    ):
        plane.start(own_cluster.name)

    plane.start(own_cluster.name)
    assert own_cluster.ready()


def test_a_component_that_does_not_stay_alive_is_said_with_its_error(own_cluster: Cluster) -> None:
    own_cluster.kill("kube-apiserver")  # it would say for a moment that it is ready without etcd
    own_cluster.kill("etcd")
    for file in own_cluster.folder.glob("etcd/member/snap/db"):
        os.truncate(file, 100)

    with pytest.raises(Failed, match=r"etcd ended by itself[^$]*invalid database"):
        plane.start(own_cluster.name)


def test_a_removed_folder_leaves_no_process_behind(own_cluster: Cluster) -> None:
    own_cluster.kubeconfig.unlink()
    before = set(processes.running(own_cluster.folder).values())

    plane.start(own_cluster.name)

    after = processes.running(own_cluster.folder)
    assert after.keys() == EVERYTHING
    assert not before & set(after.values())


@pytest.mark.usefixtures("cluster")  # the programs are there
def test_the_cluster_of_a_killed_run_is_removed_by_the_next() -> None:
    key = secrets.token_hex(4)
    program = f"""
import time
from dev.cluster.sharing import shared
with shared({key!r}):
    print("up", flush=True)
    time.sleep(600)
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"up\n"
        left_behind = Cluster(f"test-{key}")
        sharing.remove_abandoned()
        assert left_behind.ready()

        run.send_signal(signal.SIGKILL)
        run.wait()

    sharing.remove_abandoned()
    assert processes.running(left_behind.folder) == {}
    assert not left_behind.folder.exists()
