"""What a developer and the Makefile ask for: `up`, `image` and `get`.

`make cluster-down` ends a cluster whether it has a node or not, so it stays with dev/cluster.
"""

from dev.cluster import binaries
from dev.cluster import commands as cluster_commands
from dev.cluster.places import DEFAULT_NAME, ClusterError, say
from dev.cluster.plane import Cluster
from dev.cluster.programs import NODE
from dev.node import containers, images, node, node_lock, operator_image, requirements
from dev.node.images import Image


def up(*, audit: bool = False) -> None:
    """Make sure that the checkout's cluster answers and its node takes Pods."""
    if cluster_commands.uses_current():
        raise ClusterError(
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
    """Get all that the tests on a node need: none of it fits into a test."""
    if sentence := requirements.missing():
        say(f"The tests on a node are left out. {sentence}.")
        cluster_commands.programs()
        return
    for name, path in binaries.provide(NODE).items():
        say(f"{name}: {path}")
    for each in every_image():
        say(f"{each.name}: {each.file}")


def every_image() -> list[Image]:
    """Return the images of the node, the operator's included."""
    return [images.pause(), images.python(), operator_image.built()]
