"""The place of each job in the queues for room in quotas: which objects it may ask for now.

The backend holds the queues of all namespaces, and tells them when a Pod has ended.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from enso_operator.api.document import Document
from enso_operator.coordinator.turns import Queued
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.resource import JobKey
from enso_operator.sessions.pods.demand import Demand, HeldBack, OutOfQuota, demand_of
from enso_operator.sessions.pods.quota_queue import NamespaceQueue, Ticket
from job_execution_framework.domain.errors import NotYet, Unavailable


class QuotaQueues:
    """The queues of all namespaces in which jobs wait."""

    def __init__(self) -> None:
        self._queues: dict[str, NamespaceQueue] = {}
        self._with_pods: set[JobKey] = set()
        """Jobs of which a Pod is there that was not released."""

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

    def pod_is_there(self, job: JobKey) -> None:
        """Let a job ask of which a Pod waits for its release: a quota has counted it already.

        An operator that was killed may have left it.
        """
        self._with_pods.add(job)
        if queue := self._queues.get(job[0]):
            queue.job_has_room(job[1])

    def no_pod_is_there(self, job: JobKey) -> None:
        """Take back what `pod_is_there` said."""
        self._with_pods.discard(job)

    def has_pod(self, job: JobKey) -> bool:
        """Whether a Pod of the job is there that was not released."""
        return job in self._with_pods

    def ticket(self, job: JobKey) -> Ticket | None:
        """Return the ticket of a job that waits or tries."""
        queue = self._queues.get(job[0])
        return queue.tickets.get(job[1]) if queue else None

    def refusal(self, demand: Demand) -> OutOfQuota | None:
        """Return the last refusal of what takes so much, while that is waited for."""
        queue = self._queues.get(demand.namespace)
        line = queue and queue.lines.get(demand)
        return line.refused if line else None


class Place:
    """The place of one job."""

    def __init__(self, queues: QuotaQueues, ensojob: EnsoJobObject) -> None:
        self._queues = queues
        self._order, self._job = (ensojob.created_at, ensojob.name), ensojob.key

    @property
    def _ticket(self) -> Ticket | None:
        """Its ticket, which may be from an earlier actor of the job."""
        return self._queues.ticket(self._job)

    @property
    def has_pod(self) -> bool:
        """Whether a Pod of the job is there that was not released."""
        return self._queues.has_pod(self._job)

    def check(self, document: Document) -> None:
        """Raise HeldBack where the API server has refused what takes the same."""
        demand, name, ticket = demand_of(document), document["metadata"]["name"], self._ticket
        refused = self._queues.refusal(demand)
        is_its_turn = ticket is not None and ticket.has_come and ticket.demand == demand
        if refused and not is_its_turn and not self.has_pod:
            # A refusal begins with the object that it is about.
            why = str(refused).replace(f'"{refused.name}"', f'"{name}"', 1)
            raise HeldBack(why, demand, name)

    @contextmanager
    def trying(self) -> Generator[None]:
        """Tell the queue what comes of a try; raise Queued where the job is to wait for its turn.

        What is refused for another reason is tried again by this job alone.
        """
        ticket = self._ticket
        try:
            yield
        except OutOfQuota as error:
            turn = self._queues.queue(self._job[0]).join(self._order, error)
            if ticket:
                queue = ticket.queue
                (queue.refused if error.demand == ticket.demand else queue.passed)(ticket)
                queue.left(ticket)  # where it was not its turn
            raise Queued(str(error), error.reason, turn) from error
        except Unavailable as error:
            if ticket:
                (ticket.queue.left if isinstance(error, NotYet) else ticket.queue.unclear)(ticket)
            raise
        except BaseException:
            if ticket:
                ticket.leave()
            raise
        if ticket:
            ticket.queue.passed(ticket)
            ticket.leave()  # where it was not its turn
