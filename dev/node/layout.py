"""Writes the configuration of containerd, its network plugins and the kubelet."""

import json
from pathlib import Path

from dev.checkout import Failed
from dev.host import requirements
from dev.host.places import (
    API_SERVICE,
    BRIDGE,
    FIRST_POD,
    GATEWAY,
    HOME,
    POD_LOGS,
    SOCKET,
    STATE,
    SUBNET,
    VOLATILE,
)
from dev.node.images import PAUSE

SETTINGS = HOME / "etc"
CONTAINERD = SETTINGS / "containerd.toml"
KUBELET = SETTINGS / "kubelet.json"
_NETWORKS = SETTINGS / "cni"


def write(certificates: Path) -> None:
    """Write all of it; `certificates` is the control plane's folder."""
    plugins = requirements.plugins()
    if plugins is None:
        raise Failed(requirements.missing())
    for folder in (_NETWORKS, POD_LOGS, HOME / "logs"):
        folder.mkdir(parents=True, exist_ok=True)
    CONTAINERD.write_text(_containerd(plugins))
    (_NETWORKS / "10-enso.conflist").write_text(json.dumps(_network(), indent=2))
    KUBELET.write_text(json.dumps(_kubelet(certificates), indent=2))


def _containerd(plugins: Path) -> str:
    # restrict_oom_score_adj: a machine that is a container itself may not lower its own.
    return f"""\
version = 3
root = "{HOME}/containerd"
state = "{STATE}"
[grpc]
  address = "{SOCKET}"
[ttrpc]
  address = "{SOCKET}.ttrpc"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{plugins}"]
    conf_dir = "{_NETWORKS}"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      BinaryName = "{requirements.program("runc")}"
      Root = "{VOLATILE}/runc"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{PAUSE}"
"""


def _network() -> dict[str, object]:
    addresses = {
        "type": "host-local",
        "subnet": SUBNET,
        "rangeStart": FIRST_POD,
        "gateway": GATEWAY,
        "routes": [{"dst": f"{API_SERVICE}/32"}],  # no route to anywhere else
        "dataDir": f"{HOME}/addresses",
    }
    bridge = {"type": "bridge", "bridge": BRIDGE, "ipMasq": False, "ipam": addresses}
    return {"cniVersion": "1.0.0", "name": BRIDGE, "plugins": [bridge]}


def _kubelet(certificates: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": GATEWAY,
        "readOnlyPort": 0,
        "healthzPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{certificates}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "podLogsDir": str(POD_LOGS),
        "volumePluginDir": f"{HOME}/kubelet/plugins",
        # Works with both versions of cgroups, and without systemd.
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        # They would stay in the machine's firewall, and there is no kube-proxy.
        "makeIPTablesUtilChains": False,
        # No DNS: what Pods have to reach has an address.
        "clusterDNS": [],
        "resolvConf": "",
        # A developer's disk is often full, and images that were imported must not be collected.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "eventRecordQPS": 200,
        "eventBurst": 400,
        "maxPods": 200,
    }
