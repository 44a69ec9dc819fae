"""Where the node keeps things. A machine has one node, so its folders belong to the machine.

They are short: the path of a socket has 107 bytes at most. Everything here is removed with it.
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
