"""A real node, for tests and benchmarks: whether this machine can have one, and its namespaces."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

from dev.cluster import binaries
from dev.cluster.programs import NODE
from dev.host import requirements
from dev.node import images
from dev.node.node import Node

from tests.support.eventually import until


def why_no_node() -> str:
    """Return why this machine cannot have a node now; empty if it can."""
    if sentence := requirements.missing():
        return sentence
    missing = sorted(set(NODE) - binaries.local(NODE).keys())
    if not images.has_python():
        missing.append(images.PYTHON)
    return f"{', '.join(missing)} not on this machine: `make cluster` gets them" if missing else ""


@contextmanager
def new_namespace(node: Node, prefix: str) -> Generator[str]:
    """Yield a namespace in which Pods can be created; remove it, and them, afterwards."""
    name = f"{prefix}-{secrets.token_hex(4)}"
    node.kubectl("create", "namespace", name)
    until(lambda: _has_account(node, name))
    try:
        yield name
    finally:
        node.kubectl("delete", "namespace", name, "--wait=false")


def _has_account(node: Node, namespace: str) -> bool:
    """Say whether Pods can be created: they need their ServiceAccount first."""
    try:
        node.kubectl("get", "serviceaccount", "default", "-n", namespace)
    except subprocess.CalledProcessError:
        return False
    return True
