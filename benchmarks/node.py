"""The node on which Pods are measured: the checkout's own where it runs, else one for this run."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from dev.checkout import DEFAULT_NAME
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from dev.host import node_lock
from dev.node import commands, images, node
from dev.node.commands import shared
from dev.node.node import Node
from dev.node.operator_image import NAME as OPERATOR

from tests.support.nodes import new_namespace
from tests.support.operators import Operator, operators_of

FLAGS = ("--sessions=pods", f"--records-image={OPERATOR}", f"--session-image={images.PYTHON}")


class Operated(NamedTuple):
    """What jobs in Pods are measured with."""

    node: Node
    namespaces: list[str]
    operator: Operator


@contextmanager
def operated(folder: Path, *flags: str, namespaces: int = 1) -> Generator[Operated]:
    """Yield a node with new namespaces, and an operator that is ready for their jobs."""
    with ExitStack() as stack:
        running = stack.enter_context(ready())
        names = [stack.enter_context(new_namespace(running, "bench")) for _ in range(namespaces)]
        operators = stack.enter_context(
            operators_of(running.kubeconfig, ",".join(names), folder, FLAGS)
        )
        yield Operated(running, names, operators.ready(*flags))


@contextmanager
def ready() -> Generator[Node]:
    """Yield a node with our resources and images in it."""
    if node_lock.owner() == Cluster(DEFAULT_NAME).folder:
        own = node.start(images=commands.every_image())
        install_crds(own.kubectl)
        yield own
        return
    with shared(os.environ.get("ENSO_TEST_NODE") or secrets.token_hex(4)) as own:
        install_crds(own.kubectl)
        yield own
