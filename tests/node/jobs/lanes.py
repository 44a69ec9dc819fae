"""Namespaces in which stories run in parallel, as a story mostly waits."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

from dev.node.node import Node
from kubernetes.client import ApiClient

from tests.node.conftest import restricted_namespace
from tests.node.jobs.pod_namespace import PodNamespace
from tests.node.jobs.story import PodStory
from tests.support.operators import Operators, operators_of

LANES = 4
T = TypeVar("T")
R = TypeVar("R")
_numbers = count(1)


@dataclass(frozen=True)
class Lane:
    """One namespace, and a starter of operators for it."""

    ns: PodNamespace
    operators: Operators

    def story(self) -> PodStory:
        """Return a new story, whose job is not created yet."""
        return PodStory(self.ns, f"shot-{next(_numbers)}")


@contextmanager
def lanes_of(
    node: Node, client: ApiClient, root: Path, sessions: tuple[str, ...]
) -> Generator[list[Lane]]:
    """Yield all lanes; end their operators, and remove what is in them."""
    with ExitStack() as stack:
        found: list[Lane] = []
        for _ in range(LANES):
            namespace = stack.enter_context(restricted_namespace(node))
            folder = root / namespace
            folder.mkdir()
            operators = stack.enter_context(
                operators_of(node.kubeconfig, namespace, folder, sessions)
            )
            found.append(Lane(PodNamespace(node, client, namespace), operators))
        yield found


def side_by_side(
    lanes: list[Lane], points: Iterable[T], attempt: Callable[[Lane, T], R]
) -> list[R]:
    """Run the points in the lanes; return the result of each. Raises the first failure."""
    given = list(points)

    def tried(lane: Lane, point: T) -> R:
        try:
            return attempt(lane, point)
        except BaseException as error:
            error.add_note(f"at point {given.index(point)}, in {lane.ns.namespace}")
            raise

    def drive(first: int) -> list[R]:
        return [tried(lanes[first], point) for point in given[first::LANES]]

    with ThreadPoolExecutor(LANES) as pool:
        return [result for results in pool.map(drive, range(LANES)) for result in results]
