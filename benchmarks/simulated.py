"""A cluster of its own, whose nodes are simulated: Pods become ready, and run nothing.

It has no real node, so it needs no root and not the machine's one node. Every session has the same
log, which is whole from the start: what is measured is the operator's part in a job.
"""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import binaries, config, plane, sharing
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from dev.cluster.programs import NODE

from tests.cluster.kubeconfigs import of_stranger
from tests.node.simulated import KEY, TOLERATION, VALUE, Log, manifest_of

SESSION = {"name": "main", "nodeSelector": {KEY: VALUE}, "tolerations": [TOLERATION]}
"""A session whose Pods are scheduled to simulated nodes."""
NODES = 5
SERVING = ("kube-apiserver", "etcd")
"""What answers every request."""
_HOST = "127.0.0.1"
_DEADLINE_SECONDS = 30


@dataclass(frozen=True)
class Simulation:
    """The cluster, and the process that plays the kubelets of its nodes."""

    cluster: Cluster
    kwok: int
    kubeconfig: Path
    """With a token, as a Pod has one. With a client's certificate, as people have one, each new
    connection costs both sides a signature or its check: a job has one, for its log."""

    def pids(self) -> dict[str, int]:
        """Return the processes of the cluster, and of what is simulated."""
        parts = {part: self.cluster.pid(part) for part in (*SERVING, "kube-scheduler")}
        return parts | {"kwok": self.kwok}


@contextmanager
def simulated_cluster(
    folder: Path, log: list[str], namespaces: Iterable[str]
) -> Generator[Simulation]:
    """Yield a cluster with our CRDs; each line of `log` is one of every session's records.

    Its controllers do not run: on a busy machine they would take a simulated node for lost,
    and kwok then forgets its address.
    """
    with sharing.claimed(secrets.token_hex(4)) as name:
        cluster = plane.start(name, audit=True, node=True)
        install_crds(cluster.kubectl)
        written = Log(folder, "records")
        written.describe()
        written.write(*log)
        process = _kwok(cluster, written, folder)
        try:
            _add_nodes(cluster)
            for namespace in namespaces:
                cluster.kubectl("create", "namespace", namespace)
                account = ("wait", "--for=create", "serviceaccount/default")
                cluster.kubectl("-n", namespace, *account)
            cluster.kill("kube-controller-manager")
            yield Simulation(cluster, process.pid, _with_token(cluster, folder))
        finally:
            process.kill()
            process.wait()


def _with_token(cluster: Cluster, folder: Path) -> Path:
    """Write the kubeconfig of a service account with all rights."""
    account = "engine"
    cluster.kubectl("create", "serviceaccount", account, "--namespace=default")
    rights = ("--clusterrole=cluster-admin", f"--serviceaccount=default:{account}")
    cluster.kubectl("create", "clusterrolebinding", account, *rights)
    return of_stranger(cluster, "default", folder, account)


def _add_nodes(cluster: Cluster) -> None:
    items = [manifest_of(f"simulated-{number}") for number in range(NODES)]
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=document)
    wait = ("wait", "--for=condition=Ready", f"--timeout={_DEADLINE_SECONDS}s")
    cluster.kubectl(*wait, "nodes", "--all")


def _kwok(cluster: Cluster, log: Log, folder: Path) -> subprocess.Popen[bytes]:
    port = config.choose_ports()["etcdPort"]  # any that is free
    certificates = cluster.folder / "pki"
    with (folder / "kwok.log").open("wb") as output:
        return subprocess.Popen(
            [
                str(binaries.provide(NODE)["kwok"]),
                *(f"--config={file}" for file in (cluster.folder / "kwok.yaml", log.resource)),
                f"--kubeconfig={cluster.kubeconfig}",
                "--manage-all-nodes=false",
                f"--manage-nodes-with-annotation-selector={KEY}={VALUE}",
                f"--node-ip={_HOST}",
                f"--node-port={port}",
                f"--server-address={_HOST}:{port}",
                f"--tls-cert-file={certificates}/admin.crt",
                f"--tls-private-key-file={certificates}/admin.key",
            ],
            stdout=output,
            stderr=output,
        )
