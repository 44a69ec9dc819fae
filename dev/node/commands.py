"""What developers, tests and benchmarks ask of the node: called by dev/__main__.py.

`make cluster-down` ends a cluster whether it has a node or not, so it stays with dev/cluster.
"""

from collections.abc import Generator
from contextlib import contextmanager

from dev.checkout import DEFAULT_NAME, Failed, say
from dev.cluster import binaries, sharing
from dev.cluster import commands as cluster_commands
from dev.cluster.plane import Cluster
from dev.cluster.programs import NODE, TESTS
from dev.host import node_lock, requirements
from dev.node import containers, images, node, operator_image
from dev.node.images import Image
from dev.node.node import Node

_PATIENCE = 240.0
"""Seconds to wait for the end of another test run; a developer's node is not waited for."""


def up(*, audit: bool = False) -> None:
    """Make sure that the checkout's cluster answers and its node takes Pods."""
    if cluster_commands.uses_current():
        raise Failed(
            "USE_CLUSTER=current means a cluster that has its nodes: `make cluster` would start"
            " another one. Unset it, or use the one that you have"
        )
    node.start(audit=audit)


def image() -> None:
    """Build the operator's image; import it where the checkout's own node runs."""
    if requirements.missing():
        operator_image.with_docker()
        return
    built = operator_image.built()
    say(f"{built.name} is {built.file}")
    cluster = Cluster(DEFAULT_NAME)
    if node_lock.owner() == cluster.folder and containers.answers():
        containers.load(built)


def get() -> None:
    """Get all that the tests need, as it takes too long inside a test."""
    binaries.provide(TESTS)
    if sentence := requirements.missing():
        say(f"The tests on a node are left out. {sentence}.")
        cluster_commands.programs()
        return
    for name, path in binaries.provide(NODE).items():
        say(f"{name}: {path}")
    for made in every_image():
        say(f"{made.name}: {made.file}")


@contextmanager
def shared(key: str) -> Generator[Node]:
    """Give all processes with this key the same node (with audit log); the last one ends it."""
    with sharing.claimed(f"node-{key}") as name:
        yield node.start(name, audit=True, patience=_PATIENCE, images=every_image())


def every_image() -> list[Image]:
    """Return the images of the node, the operator's included."""
    return [images.pause(), images.python(), operator_image.built()]
