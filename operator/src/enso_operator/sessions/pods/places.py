"""The place of each job in the queues for room in quotas: which objects it may ask for now.

The backend holds the queues of all namespaces, and tells them when a Pod has ended.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from enso_operator.api.document import Document
from enso_operator.coordinator.turns import Queued
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.sessions.pods.demand import Demand, HeldBack, OutOfQuota, demand_of
from enso_operator.sessions.pods.quota_queue import NamespaceQueue, Ticket
from job_execution_framework.domain.errors import NotYet, Unavailable


class QuotaQueues:
    """The queues of all namespaces in which jobs wait."""

    def __init__(self) -> None:
        self._queues: dict[str, NamespaceQueue] = {}

    def place(self, ensojob: EnsoJobObject) -> Place:
        """Return the place of a job."""
        return Place(self, ensojob)

    def queue(self, namespace: str) -> NamespaceQueue:
        """Return the queue of a namespace."""
        return self._queues.setdefault(namespace, NamespaceQueue())

    def there_may_be_room(self, namespace: str) -> None:
        """Have those that wait in a namespace try again: a Pod has ended there."""
        if queue := self._queues.get(namespace):
            queue.there_may_be_room()
            if not queue.lines:
                del self._queues[namespace]

    def refusal(self, demand: Demand) -> OutOfQuota | None:
        """Return the last refusal of what takes so much, while that is waited for. Any thread."""
        queue = self._queues.get(demand.namespace)
        line = queue and queue.lines.get(demand)
        return line.refused if line else None


class Place:
    """The place of one job."""

    def __init__(self, queues: QuotaQueues, ensojob: EnsoJobObject) -> None:
        self._queues, self._namespace = queues, ensojob.namespace
        self._order = ensojob.created_at, ensojob.name
        self._ticket: Ticket | None = None

    def check(self, document: Document) -> None:
        """Raise HeldBack where the API server has refused what takes the same. In any thread."""
        demand, name, ticket = demand_of(document), document["metadata"]["name"], self._ticket
        refused = self._queues.refusal(demand)
        is_its_turn = ticket is not None and ticket.has_come and ticket.demand == demand
        if refused and not is_its_turn:
            # A refusal begins with the object that it is about.
            why = str(refused).replace(f'"{refused.name}"', f'"{name}"', 1)
            raise HeldBack(why, demand, name)

    @contextmanager
    def trying(self) -> Generator[None]:
        """Tell the queue what comes of a try; raise Queued where the job is to wait for its turn.

        What is refused for another reason is tried again by this job alone.
        """
        queue, ticket = self._queues.queue(self._namespace), self._ticket
        try:
            yield
        except OutOfQuota as error:
            self._ticket = queue.join(self._order, error)
            if ticket:
                (queue.refused if error.demand == ticket.demand else queue.passed)(ticket)
                queue.left(ticket)  # where it was not its turn
            raise Queued(str(error), error.reason, self._ticket) from error
        except Unavailable as error:
            if ticket:
                (queue.left if isinstance(error, NotYet) else queue.unclear)(ticket)
            raise
        except BaseException:
            if ticket:
                queue.left(ticket)
            raise
        if ticket:
            queue.passed(ticket)
