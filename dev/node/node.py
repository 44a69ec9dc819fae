"""The node cluster: a development cluster, and this machine as its node; started and repaired.

It is ended as any cluster is: `Cluster.stop`.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dev.checkout import DEFAULT_NAME, Failed, say
from dev.cluster import plane
from dev.cluster.audit import AuditLog
from dev.cluster.plane import Cluster
from dev.host import cleanup, node_lock, pod_processes, processes, requirements, sysctls
from dev.host.places import HOME
from dev.node import containers, machine
from dev.node.images import Image

_CERTIFICATE = HOME / "ca.crt"
"""A copy of the cluster's CA certificate; another one means a node of an earlier cluster."""


@dataclass(frozen=True)
class Node:
    """A cluster with a real node."""

    cluster: Cluster

    @property
    def kubeconfig(self) -> Path:
        """The file for `--kubeconfig` and `KUBECONFIG`."""
        return self.cluster.kubeconfig

    @property
    def audit(self) -> AuditLog:
        """The API server's record of its requests, if it was started with `audit=True`."""
        return self.cluster.audit

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl against it and return what it prints; `CalledProcessError` if it fails."""
        return self.cluster.kubectl(*arguments, stdin=stdin)

    def pid(self, component: str) -> int:
        """Return the process id of a component, of the node or of the control plane."""
        return processes.running(self._folder(component))[component]

    def kill(self, component: str) -> None:
        """End it with SIGKILL; it is gone when this returns, and containers go on."""
        processes.end(self._folder(component), [component])

    def revive(self) -> None:
        """Start what does not run; the node takes Pods when this returns."""
        with node_lock.taken(self.cluster.folder):
            self.cluster.revive()
            machine.start_missing(self.cluster)

    def _folder(self, component: str) -> Path:
        is_of_cluster = component in self.cluster.components
        return self.cluster.folder if is_of_cluster else HOME


def start(
    name: str = DEFAULT_NAME,
    *,
    audit: bool = False,
    patience: float = 0.0,
    images: Collection[Image] = (),
) -> Node:
    """Return the cluster of that name with its node ready: this one, repaired, or a new one.

    A machine has one node: while another cluster has it this raises Failed, for a test run's
    after so much patience.
    """
    requirements.check()
    cluster = Cluster(name)
    with node_lock.taken(cluster.folder, patience=patience):
        plane.start(name, audit=audit, node=True)
        _start_machine(cluster)
        for image in images:
            containers.load(image)
    return Node(cluster)


def _start_machine(cluster: Cluster) -> None:
    certificate = cluster.folder / "pki" / "ca.crt"
    if not _CERTIFICATE.exists() or _CERTIFICATE.read_bytes() != certificate.read_bytes():
        cleanup.clear()
        if others := pod_processes.group_roots():
            raise Failed(
                f"Another Kubernetes node runs on this machine ({others[0]} is there): end it, or"
                " use its cluster with USE_CLUSTER=current"
            )
        HOME.mkdir(parents=True)
        sysctls.remember()
        _CERTIFICATE.write_bytes(certificate.read_bytes())
    absent = machine.missing()
    begun = time.monotonic()
    machine.start_missing(cluster)
    if absent:
        say(f"The node is ready after {time.monotonic() - begun:.1f} s")
    else:
        say("The node is ready already")
