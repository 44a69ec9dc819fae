"""One namespace of a node's cluster: its jobs and their Pods, seen by kubectl and from the node."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from dev.node.node import Node
from kubernetes.client import ApiClient

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until

Document = dict[str, Any]
SANDBOX = "/catatonit"


class PodNamespace(ClusterNamespace):
    def __init__(self, node: Node, client: ApiClient, namespace: str) -> None:
        super().__init__(node.cluster, client, namespace)
        self.node, self.client = node, client

    def ends(self, name: str = "shot") -> Document:
        """Wait for the job's end; return its status."""
        self.waits("Finished", name)
        return dict(self.get(name)["status"])

    def rows(self, name: str = "shot") -> list[tuple[str, str, int]]:
        """Return each script with its state and its latest attempt."""
        rows: list[Document] = self.get(name)["status"].get("scripts") or []
        return [(row["name"], row["state"], row.get("attempt", 0)) for row in rows]

    def runs(self, script: str, name: str = "shot") -> None:
        """Wait until a script of the job runs."""
        until(lambda: (script, "Running") in [row[:2] for row in self.rows(name)])

    def pods(self) -> list[Document]:
        """Return the Pods, the oldest first."""
        return sorted(self.listed("pods"), key=lambda pod: pod["metadata"]["creationTimestamp"])

    def pod(self) -> Document:
        """Return the only Pod."""
        (pod,) = self.pods()
        return pod

    def output(self, pod: str = "") -> str:
        """Return what scripts wrote; nothing before that."""
        pod = pod or self.pod()["metadata"]["name"]
        try:
            return self.kubectl("logs", pod, "-c", "session")
        except subprocess.CalledProcessError:
            return ""

    def whole_output(self, pod: str = "") -> str:
        """Return all that scripts wrote, once their Pod is over: its log may come after its end."""
        pod = pod or self.pod()["metadata"]["name"]
        until(
            lambda: (pod, True) in [(one["metadata"]["name"], _is_over(one)) for one in self.pods()]
        )
        return self.output(pod)

    def says(self, text: str) -> None:
        """Wait until a script of the only Pod has written this."""
        until(lambda: self.pods() and text in self.output())

    def processes(self, word: str, pod: Document | None = None) -> list[int]:
        """Return the node's processes of a Pod with such an argument, the oldest first."""
        commands = self.commands(pod)
        return [number for number, line in commands.items() if any(word in part for part in line)]

    def commands(self, pod: Document | None = None) -> dict[int, list[str]]:
        """Return what the node runs in a Pod's containers, by the process, the oldest first.

        It is read from /proc, as psutil knows no control groups. What has ended has no command line
        any more; what keeps the Pod's namespaces, `SANDBOX`, may outlive its containers.
        """
        uid, found = (pod or self.pod())["metadata"]["uid"], dict[int, list[str]]()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                is_ours = uid in (folder / "cgroup").read_text()
                line = (folder / "cmdline").read_text().split("\0")[:-1]
            except OSError:  # it ended while we looked
                continue
            if is_ours and line:
                found[int(folder.name)] = line
        return dict(sorted(found.items()))

    def kill(
        self, word: str, number: signal.Signals = signal.SIGKILL, pod: Document | None = None
    ) -> None:
        """Signal the oldest process of a Pod, the only one, with such an argument."""
        os.kill(self.processes(word, pod)[0], number)


def _is_over(pod: Document) -> bool:
    return pod["status"]["phase"] in ("Succeeded", "Failed")
