"""The network of the node: one bridge, one subnet, and where Pods find the API server.

A leaf, as the control plane's certificate has to name these addresses too.
"""

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
