"""What kwokctl is told: written by plane.py when it creates a cluster.

JSON, as every JSON file is YAML. A real node (scheduler, kubelet certificate, another address)
adds to what stands here.
"""

import json
import random
import socket
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from dev.cluster.binaries import CONTROL_PLANE
from dev.cluster.places import user_cache
from dev.cluster.programs import PROGRAMS

LOOPBACK = "127.0.0.1"
_PORTS = range(20_000, 30_000)
"""Below those that the kernel gives to outgoing connections: a port stays free for its component
while that is down, and a restart finds it."""

_COMPONENT_OF_PORT = {
    "etcdPort": "etcd",
    "etcdPeerPort": "etcd",
    "kubeApiserverPort": "kube-apiserver",
    "kubeControllerManagerPort": "kube-controller-manager",
}
_BINARY_OPTION = {
    "etcd": "etcdBinary",
    "kube-apiserver": "kubeApiserverBinary",
    "kube-controller-manager": "kubeControllerManagerBinary",
}
_ARGUMENTS = {
    # A killed process loses nothing by this, only a machine that loses power does.
    "etcd": {"unsafe-no-fsync": "true"},
    # So that it also starts on a machine without any network; the Service `kubernetes` then has no
    # endpoints, which only Pods would use.
    "kube-apiserver": {
        "advertise-address": LOOPBACK,
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": "10.96.0.0/16",
    },
    # Alone, it needs no lease; with one it would end whenever a test takes the API server away.
    "kube-controller-manager": {"leader-elect": "false"},
}


def choose_ports() -> dict[str, int]:
    """Return a free port for each option that is one."""
    ports: dict[str, int] = {}
    candidates = random.sample(_PORTS, k=500)
    for option in _COMPONENT_OF_PORT:
        ports[option] = next(port for port in candidates if is_free(port))
        candidates.remove(ports[option])
    return ports


def is_free(port: int) -> bool:
    """Say whether a component could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def taken(ports: Mapping[str, int], components: Container[str]) -> Iterator[tuple[str, int]]:
    """Yield the ports that somebody else has of these components, none of which runs."""
    for option, component in _COMPONENT_OF_PORT.items():
        if component in components and not is_free(ports[option]):
            yield component, ports[option]


def write(
    path: Path, ports: Mapping[str, int], binaries: Mapping[str, Path], *, audit: bool
) -> None:
    """Write the configuration; a program without a path is downloaded by kwokctl."""
    options: dict[str, object] = {
        "runtime": "binary",
        "bindAddress": LOOPBACK,
        "components": list(CONTROL_PLANE),
        "kubeVersion": f"v{PROGRAMS['kube-apiserver'].version}",
        "etcdVersion": PROGRAMS["etcd"].version,
        "cacheDir": str(user_cache() / "kwok"),
        **ports,
    }
    for component, option in _BINARY_OPTION.items():
        if component in binaries:
            options[option] = str(binaries[component])
    if audit:
        options["kubeAuditPolicy"] = str(Path(__file__).with_name("audit-policy.yaml"))
    patches = [
        {"name": name, "extraArgs": [{"key": key, "value": value} for key, value in extra.items()]}
        for name, extra in _ARGUMENTS.items()
    ]
    document = {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": options,
        "componentsPatches": patches,
    }
    path.write_text(json.dumps(document, indent=2))
