"""The node on which Pods are measured: the checkout's own where it runs, else one for this run."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from dev.checkout import DEFAULT_NAME
from dev.cluster import binaries
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from dev.cluster.programs import NODE
from dev.host import node_lock, requirements
from dev.node import commands, images, node
from dev.node.commands import shared
from dev.node.node import Node
from dev.node.operator_image import NAME as OPERATOR

from tests.support.eventually import until
from tests.support.operators import Operator, operators_of

FLAGS = ("--sessions=pods", f"--records-image={OPERATOR}", f"--session-image={images.PYTHON}")


class Operated(NamedTuple):
    """What jobs in Pods are measured with."""

    node: Node
    namespaces: list[str]
    operator: Operator


def why_not() -> str:
    """Return why this machine cannot have a node; empty if it can."""
    if sentence := requirements.missing():
        return sentence
    missing = sorted(set(NODE) - binaries.local(NODE).keys())
    if not images.has_python():
        missing.append(images.PYTHON)
    return f"{', '.join(missing)} not on this machine: `make cluster` gets them" if missing else ""


@contextmanager
def operated(folder: Path, *flags: str, namespaces: int = 1) -> Generator[Operated]:
    """Yield a node with new namespaces, and an operator that is ready for their jobs."""
    with ExitStack() as stack:
        running = stack.enter_context(_ready())
        names = [stack.enter_context(_namespace(running)) for _ in range(namespaces)]
        operators = stack.enter_context(
            operators_of(running.kubeconfig, ",".join(names), folder, FLAGS)
        )
        yield Operated(running, names, operators.ready(*flags))


@contextmanager
def _ready() -> Generator[Node]:
    """Yield a node with our resources and images in it."""
    if node_lock.owner() == Cluster(DEFAULT_NAME).folder:
        own = node.start(images=commands.every_image())
        install_crds(own.kubectl)
        yield own
        return
    with shared(os.environ.get("ENSO_TEST_NODE") or secrets.token_hex(4)) as own:
        install_crds(own.kubectl)
        yield own


@contextmanager
def _namespace(running: Node) -> Generator[str]:
    """Yield a namespace in which Pods can be created, and remove it."""
    name = f"bench-{secrets.token_hex(4)}"
    running.kubectl("create", "namespace", name)
    until(lambda: _has_account(running, name))
    try:
        yield name
    finally:
        running.kubectl("delete", "namespace", name, "--wait=false")


def _has_account(running: Node, name: str) -> bool:
    try:
        running.kubectl("get", "serviceaccount", "default", "-n", name)
    except subprocess.CalledProcessError:
        return False
    return True
