"""Pods for the tests of this folder."""

import json
import subprocess
from typing import Any

from dev.node.images import PYTHON
from dev.node.node import Node

from tests.support.eventually import until

RESTRICTED: dict[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(name: str, source: str, **spec: object) -> dict[str, Any]:
    """Return a Pod that runs a Python program, and passes Pod Security `restricted`."""
    return manifest(name, {"image": PYTHON, "command": ["python3", "-I", "-c", source]}, **spec)


def manifest(name: str, container: dict[str, Any], **spec: object) -> dict[str, Any]:
    """Return a Pod of one container."""
    allowed = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    whole = {
        "name": "main",
        "imagePullPolicy": "Never",
        **container,
        "securityContext": {**allowed, **container.get("securityContext", {})},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "securityContext": RESTRICTED,
            "containers": [whole],
            **spec,
        },
    }


def create(node: Node, namespace: str, document: dict[str, Any]) -> None:
    """Create it."""
    node.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(document))


def phase(node: Node, namespace: str, name: str) -> str:
    """Return where it is in its life."""
    return node.kubectl("get", "pod", name, "-n", namespace, "-o", "jsonpath={.status.phase}")


def reaches(node: Node, namespace: str, name: str, wanted: str) -> None:
    """Return when it is there."""
    until(lambda: phase(node, namespace, name) == wanted)


def says(node: Node, namespace: str, name: str) -> str:
    """Return its log; empty where there is none yet."""
    try:
        return node.kubectl("logs", name, "-n", namespace)
    except subprocess.CalledProcessError:
        return ""
