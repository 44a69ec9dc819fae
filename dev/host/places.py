"""The folders, the names and the network of the node, for all of dev/host and dev/node.

A machine has one node, so its folders belong to the machine. They are short: the path of a socket
has 107 bytes at most. Everything here is removed with the node.
"""

from pathlib import Path

HOME = Path("/var/lib/enso-executer")
"""On disk: images, Pods, logs, settings, and `bin/`, from which its processes are started."""

VOLATILE = Path("/run/enso-executer")
"""In memory: sockets, and what containerd knows of running containers."""

SOCKET = VOLATILE / "containerd.sock"
STATE = VOLATILE / "state"
POD_LOGS = HOME / "pod-logs"

CLAIM = Path("/run/enso-executer-node.json")
LOCK = Path("/run/enso-executer-node.lock")
"""Held by everyone who starts or ends the node; it stays, as others may wait for it."""

NODE_NAME = "enso-node"
NAMESPACE = "k8s.io"
"""containerd's, for what the kubelet runs."""

BRIDGE = "enso0"
GATEWAY = "10.244.0.1"
"""The machine's own address on the bridge: the node's, and the kubelet's."""
PREFIX = 24
SUBNET = f"10.244.0.0/{PREFIX}"
FIRST_POD = "10.244.0.10"

API_PORT = 6443
"""Pods reach the API server at GATEWAY, this port."""
API_SERVICE = "10.96.0.1"
"""The Service `kubernetes`, as every Pod's environment names it: there is no kube-proxy, so this
address is the bridge's as well."""
API_SERVICE_PORT = 443
