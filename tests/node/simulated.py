"""Simulated nodes beside the real one: any number of Pods, none of which runs anything.

kwok plays the kubelets of those nodes alone that have its annotation. Their taint keeps every Pod
away that does not tolerate it. Every container of one name can have the same log.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dev.host import processes, sysctls
from dev.host.places import GATEWAY, HOME
from dev.node import machine
from dev.node.node import Node

KEY, VALUE = "kwok.x-k8s.io/node", "fake"
TOLERATION = {"key": KEY, "operator": "Equal", "value": VALUE, "effect": "NoSchedule"}
_PORT = 10_247


@dataclass(frozen=True)
class Log:
    """What all simulated containers of one name write: a file that can grow."""

    folder: Path
    container: str

    @property
    def resource(self) -> Path:
        """The file that tells kwok of it."""
        return self.folder / "logs.json"

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.container}.log"

    def write(self, *lines: str) -> None:
        """Write lines as a kubelet's logs have them; whoever follows the log gets them."""
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
        with self._file.open("a", encoding="utf-8") as file:
            file.write("".join(f"{now} stdout F {line}\n" for line in lines))

    def describe(self) -> None:
        """Write the resource, and the log where there is none yet."""
        self.write()
        log = {"containers": [self.container], "logsFile": str(self._file), "follow": False}
        document = {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "ClusterLogs",
            "metadata": {"name": self.container},
            "spec": {"logs": [log]},
        }
        self.resource.write_text(json.dumps(document))


def simulate(node: Node, count: int, *, resources: tuple[Path, ...] = ()) -> list[str]:
    """Add so many simulated nodes; return their names when they are ready.

    `resources` are files of kwok's own kinds, such as ClusterLogs; they count when kwok starts.
    """
    if "kwok" not in processes.running(HOME):
        sysctls.allow_many_followers()
        _start(node, resources)
    names = [f"simulated-{number}" for number in range(count)]
    items = [manifest_of(name) for name in names]
    document = {"apiVersion": "v1", "kind": "List", "items": items}
    node.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(document))
    targets = [f"node/{name}" for name in names]
    node.kubectl("wait", "--for=condition=Ready", "--timeout=150s", *targets)
    return names


def _start(node: Node, resources: tuple[Path, ...]) -> None:
    certificates = node.cluster.folder / "pki"
    # kwokctl has written its stages there: how a simulated Pod becomes ready, completes and goes.
    files = (node.cluster.folder / "kwok.yaml", *resources)
    machine.spawn(
        "kwok",
        *(f"--config={file}" for file in files),
        f"--kubeconfig={node.kubeconfig}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={KEY}={VALUE}",
        f"--node-ip={GATEWAY}",
        f"--node-port={_PORT}",
        f"--server-address={GATEWAY}:{_PORT}",
        f"--tls-cert-file={certificates}/admin.crt",
        f"--tls-private-key-file={certificates}/admin.key",
    )


def manifest_of(name: str) -> dict[str, object]:
    """Return a node that only what tolerates its taint is scheduled to."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "annotations": {KEY: VALUE}, "labels": {KEY: VALUE}},
        "spec": {"taints": [{"key": KEY, "value": VALUE, "effect": "NoSchedule"}]},
    }
