"""The node's processes: containerd, the kubelet and the API server's port forward.

Each is started where it is missing. Called by node.py, which has the control plane running and the
machine for itself.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dev.checkout import Failed
from dev.cluster import binaries, kwokctl
from dev.cluster.plane import Cluster
from dev.cluster.programs import NODE
from dev.host import bridge, processes, requirements
from dev.host.places import (
    API_PORT,
    API_SERVICE,
    API_SERVICE_PORT,
    GATEWAY,
    HOME,
    NODE_NAME,
    VOLATILE,
)
from dev.node import containers, layout

PROCESSES = ("containerd", "kubelet", "port-forward")
_PROGRAMS = ("containerd", "containerd-shim-runc-v2", "ctr", "kubelet", "kwok")
_BINARIES = HOME / "bin"
_PATIENCE = 180.0


def missing() -> set[str]:
    """Return those of the node's processes that do not run."""
    return {*PROCESSES} - set(processes.running(HOME))


def start_missing(cluster: Cluster) -> None:
    """Start what does not run; the node is ready for Pods when this returns."""
    lay_out(cluster)
    bridge.up()
    absent = missing()
    if "containerd" in absent:
        spawn("containerd", "--config", str(layout.CONTAINERD))
    await_(containers.answers, "containerd")
    containers.load_base_images()
    if "port-forward" in absent:
        _forward_port(cluster)
    if "kubelet" in absent:
        _start_kubelet(cluster)
    await_(lambda: _is_ready(cluster), "kubelet")


def lay_out(cluster: Cluster) -> None:
    """Put the programs and their settings where the node's processes find them."""
    _BINARIES.mkdir(parents=True, exist_ok=True)
    VOLATILE.mkdir(exist_ok=True)
    found = binaries.provide(NODE)
    # Of whichever Python runs this, the one behind its virtual environment.
    targets = {**{name: found[name] for name in _PROGRAMS}, "port-forward": Path(sys.executable)}
    for name, target in targets.items():
        link = _BINARIES / name
        link.unlink(missing_ok=True)
        link.symlink_to(target.resolve())
    layout.write(cluster.folder / "pki")


def spawn(name: str, *arguments: str) -> None:
    """Start a program of ours that outlives this process."""
    with log_of(name).open("ab") as output:
        # As a child of init: a test that kills it has no dead child to wait for.
        subprocess.run(
            [requirements.program("setsid"), "--fork", str(_BINARIES / name), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": f"{_BINARIES}:{requirements.SYSTEM_PATH}"},
            cwd=HOME,
            check=True,
        )


def log_of(name: str) -> Path:
    """Return where a process of the node writes."""
    return HOME / "logs" / f"{name}.log"


def await_(ready: Callable[[], bool], name: str) -> None:
    """Return when it is ready. Failed if its process ends, or takes too long."""
    deadline = time.monotonic() + _PATIENCE
    # setsid has forked by now, and may not have run the program yet.
    began = False
    while not ready():
        runs = name in processes.running(HOME)
        if began and not runs:
            raise Failed(kwokctl.with_reason(f"{name} ended by itself", log_of(name)))
        began = began or runs
        if time.monotonic() > deadline:
            sentence = f"{name} is not ready after {_PATIENCE:.0f} s"
            raise Failed(kwokctl.with_reason(sentence, log_of(name)))
        time.sleep(0.1)


def _forward_port(cluster: Cluster) -> None:
    inside = f"127.0.0.1:{cluster.api_port}"
    outside = (f"{GATEWAY}:{API_PORT}", f"{API_SERVICE}:{API_SERVICE_PORT}")
    spawn(
        "port-forward",
        "-I",
        "-S",
        str(Path(__file__).with_name("port_forward.py")),
        inside,
        *outside,
    )


def _start_kubelet(cluster: Cluster) -> None:
    # The cluster's one certificate is enough: nothing here is about what a node may not do.
    spawn(
        "kubelet",
        *("--config", str(layout.KUBELET)),
        *("--kubeconfig", str(cluster.kubeconfig)),
        *("--root-dir", f"{HOME}/kubelet"),
        *("--cert-dir", f"{HOME}/kubelet/pki"),
        *("--hostname-override", NODE_NAME),
        *("--node-ip", GATEWAY),
    )


def _is_ready(cluster: Cluster) -> bool:
    """Say whether the kubelet answers to the API server, and Pods are scheduled to it."""
    ready = '{.status.conditions[?(@.type=="Ready")].status} {.spec.taints}'
    try:
        cluster.kubectl("get", "--raw", f"/api/v1/nodes/{NODE_NAME}/proxy/healthz")
        told = cluster.kubectl("get", "node", NODE_NAME, "-o", f"jsonpath={ready}")
    except subprocess.SubprocessError:
        return False
    return told.strip() == "True"
