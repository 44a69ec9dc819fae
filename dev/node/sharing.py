"""One node for several processes: used by the tests, whose workers share one per run."""

from collections.abc import Generator
from contextlib import contextmanager

from dev.cluster import sharing
from dev.node import commands, node
from dev.node.node import Node

_PATIENCE = 240.0
"""For another test run to end; the node of a developer's cluster is not waited for."""


@contextmanager
def shared(key: str) -> Generator[Node]:
    """Give everyone with this key the same node (with audit log); the last one ends it."""
    with sharing.claimed(f"node-{key}") as name:
        images = commands.every_image()
        yield node.start(name, audit=True, patience=_PATIENCE, images=images)
