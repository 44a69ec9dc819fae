"""A kubelet for container scripts, as far as an operator sees one: released Pods succeed."""

from __future__ import annotations

from kubernetes.client import ApiClient

from enso_operator.kube.client import request
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.resources import Document

PODS = ("--sessions=pods", "--records-image=localhost/enso", "--session-image=localhost/python")
"""What an operator is told whose Pods no node runs."""
CONTAINER = {"image": "localhost/none", "command": ["true"]}
ENDED: Document = {
    "phase": "Succeeded",
    "containerStatuses": [
        {
            "name": "session",
            "state": {"terminated": {"exitCode": 0, "reason": "Completed"}},
            "image": "none",
            "imageID": "",
            "ready": False,
            "restartCount": 0,
        }
    ],
}


def unfinished(ns: ClusterNamespace) -> list[Document]:
    """Return the Pods that count for a quota of Pods, the oldest first."""
    return [pod for pod in ns.listed("pods") if pod["status"].get("phase") != "Succeeded"]


def end_released(client: ApiClient, ns: ClusterNamespace) -> int:
    """Have each Pod that was released succeed; return how many did."""
    released = [pod for pod in unfinished(ns) if not pod["spec"].get("schedulingGates")]
    for pod in released:
        path = f"/api/v1/namespaces/{ns.namespace}/pods/{pod['metadata']['name']}/status"
        request(client, "PATCH", path, {"status": ENDED})
    return len(released)
