"""The configuration of kwokctl; plane.py writes it when it creates a cluster.

JSON, as every JSON file is YAML. A cluster with a real node (dev/node) has a scheduler more, and an
API server that Pods and the kubelet know.
"""

import json
import random
import socket
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from dev.checkout import user_cache
from dev.cluster.binaries import CONTROL_PLANE
from dev.cluster.programs import PROGRAMS
from dev.host.places import API_SERVICE, GATEWAY

LOOPBACK = "127.0.0.1"
_PORTS = range(20_000, 30_000)
"""Below those that the kernel gives to outgoing connections: a port stays free for its component
while that is down, and a restart finds it."""

_COMPONENT_OF_PORT = {
    "etcdPort": "etcd",
    "etcdPeerPort": "etcd",
    "kubeApiserverPort": "kube-apiserver",
    "kubeControllerManagerPort": "kube-controller-manager",
    "kubeSchedulerPort": "kube-scheduler",
}
_BINARY_OPTION = {
    "etcd": "etcdBinary",
    "kube-apiserver": "kubeApiserverBinary",
    "kube-controller-manager": "kubeControllerManagerBinary",
    "kube-scheduler": "kubeSchedulerBinary",
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
        # Enabled in some clusters: whoever sets blockOwnerDeletion needs a right to finalizers.
        "enable-admission-plugins": "OwnerReferencesPermissionEnforcement",
        # In MB. Beyond that it begins a new audit log, and a test would count what is in the rest.
        "audit-log-maxsize": "4096",
    },
    # No leader election: with a lease it would exit whenever a test stops the API server.
    "kube-controller-manager": {"leader-elect": "false"},
    "kube-scheduler": {"leader-elect": "false"},
}


def components(*, node: bool) -> tuple[str, ...]:
    """Return what kwokctl starts: without a node there is nothing to schedule."""
    return (*CONTROL_PLANE, "kube-scheduler") if node else CONTROL_PLANE


def choose_ports() -> dict[str, int]:
    """Return a free port for each option that sets a port."""
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
    """Yield those ports of these stopped components that another process uses."""
    for option, component in _COMPONENT_OF_PORT.items():
        if component in components and not is_free(ports[option]):
            yield component, ports[option]


def write(
    path: Path,
    folder: Path,
    ports: Mapping[str, int],
    binaries: Mapping[str, Path],
    *,
    audit: bool,
    node: bool,
) -> None:
    """Write the configuration."""
    started = components(node=node)
    options: dict[str, object] = {
        "runtime": "binary",
        "bindAddress": LOOPBACK,
        "components": list(started),
        "kubeVersion": f"v{PROGRAMS['kube-apiserver'].version}",
        "etcdVersion": PROGRAMS["etcd"].version,
        "cacheDir": str(user_cache() / "kwok"),
        **{option: ports[option] for option, of in _COMPONENT_OF_PORT.items() if of in started},
    }
    for component, option in _BINARY_OPTION.items():
        if component in started:
            options[option] = str(binaries[component])
    if audit:
        options["kubeAuditPolicy"] = str(Path(__file__).with_name("audit-policy.yaml"))
    if node:
        options["kubeApiserverCertSANs"] = [GATEWAY, API_SERVICE]
    document = {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": options,
        "componentsPatches": _patches(folder, started, node=node),
    }
    path.write_text(json.dumps(document, indent=2))


def _patches(folder: Path, started: tuple[str, ...], *, node: bool) -> list[dict[str, object]]:
    """Return arguments of components that kwokctl does not set by itself."""
    arguments = {name: dict(_ARGUMENTS[name]) for name in started}
    # Run by root it would make a folder of that name in /usr.
    arguments["kube-controller-manager"]["flex-volume-plugin-dir"] = f"{folder}/volume-plugins"
    if node:
        # Without these `kubectl logs` and `exec` fail: the kubelet asks who calls it, and the name
        # of the node means nothing to a resolver.
        arguments["kube-apiserver"] |= {
            "kubelet-client-certificate": f"{folder}/pki/admin.crt",
            "kubelet-client-key": f"{folder}/pki/admin.key",
            "kubelet-preferred-address-types": "InternalIP",
        }
    return [
        {"name": name, "extraArgs": [{"key": key, "value": value} for key, value in extra.items()]}
        for name, extra in arguments.items()
    ]
