"""The node on which Pods are measured: the checkout's own where it runs, else one for this run."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

from dev.checkout import DEFAULT_NAME
from dev.cluster import binaries
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from dev.cluster.programs import NODE
from dev.host import node_lock, requirements
from dev.node import commands, images, node
from dev.node.commands import shared
from dev.node.node import Node

from tests.support.eventually import until


def why_not() -> str:
    """Say why no node can be here; nothing where one can."""
    if sentence := requirements.missing():
        return sentence
    missing = sorted(set(NODE) - binaries.local(NODE).keys())
    if not images.has_python():
        missing.append(images.PYTHON)
    return f"{', '.join(missing)} not on this machine: `make cluster` gets them" if missing else ""


@contextmanager
def ready() -> Generator[Node]:
    """Yield a node with our resources and images in it."""
    if node_lock.owner() == Cluster(DEFAULT_NAME).folder:
        one = node.start(images=commands.every_image())
        install_crds(one.kubectl)
        yield one
        return
    with shared(os.environ.get("ENSO_TEST_NODE") or secrets.token_hex(4)) as one:
        install_crds(one.kubectl)
        yield one


@contextmanager
def namespace(one: Node) -> Generator[str]:
    """Yield a namespace in which Pods can be created, and remove it."""
    name = f"bench-{secrets.token_hex(4)}"
    one.kubectl("create", "namespace", name)
    until(lambda: _has_account(one, name))
    try:
        yield name
    finally:
        one.kubectl("delete", "namespace", name, "--wait=false")


def _has_account(one: Node, name: str) -> bool:
    try:
        one.kubectl("get", "serviceaccount", "default", "-n", name)
    except subprocess.CalledProcessError:
        return False
    return True
