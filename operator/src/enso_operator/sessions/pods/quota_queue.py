"""Who waits for room in the quotas of a namespace, and who may ask for it next.

What was refused is asked for again by the oldest job alone, for all that take the same of the
quotas: first when there may be room, as a Pod has ended, else ever more seldom. Where that job
passes, the next one tries at once. Those that take something else have a line of their own: no job
holds up one that fits. `places.py` uses it, on the event loop.
"""

from __future__ import annotations

import asyncio
import math
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field

from enso_operator.blocking import pause_of
from enso_operator.sessions.pods.demand import Demand, HeldBack, OutOfQuota

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
"""Bounds of the pause before the next round."""
MOST_LINES = 8
"""In one round only so many lines ask; where there are more, the others do so in the next."""
MOST_AT_ONCE = 8
"""Jobs that try at the same time: one, and one more for each that has passed before them."""
TURN_SECONDS = 30.0
"""How long the turn of a job may take before others go on without it."""
Order = tuple[float, str]
"""When the job was created, to the second, and its name."""


@dataclass(eq=False)
class Ticket:
    """The place of one job. Implements `turns.Turn`."""

    order: Order
    demand: Demand
    queue: NamespaceQueue
    is_far: bool
    """Whether the job was held back: one that was refused itself is older, and asks again soon."""
    has_come: bool = False
    _call: Callable[[], None] | None = None

    def when_it_comes(self, call: Callable[[], None]) -> None:
        """Have this called when the job may try; at once where that is so already."""
        self._call = call
        if self.has_come:
            call()

    def come(self) -> None:
        """Let the job try."""
        self.has_come = True
        if self._call:
            self._call()

    def leave(self) -> None:
        """Give the place up, or the turn: the next job tries."""
        self.queue.left(self)


@dataclass
class Line:
    """The jobs that wait for the same."""

    refused: OutOfQuota
    """The last refusal of one of them."""
    waiting: list[Ticket] = field(default_factory=list[Ticket])
    """The oldest is first."""
    trying: int = 0
    last_round: int = -1


class NamespaceQueue:
    """The lines of one namespace, which ask in rounds, one after the other."""

    def __init__(self) -> None:
        self.lines: dict[Demand, Line] = {}
        """As long as one of them waits, or tries."""
        self.tickets: dict[str, Ticket] = {}
        """Of all who wait or try, by the job's name."""
        self._round: list[Demand] = []
        """The lines that are still to ask in this round; the first one does so now."""
        self._trying: dict[Ticket, asyncio.TimerHandle] = {}
        self._passed_in_a_row = 0
        self._rounds = self._vain_rounds = 0
        self._next_round: asyncio.TimerHandle | None = None

    def join(self, order: Order, refused: OutOfQuota) -> Ticket:
        """Return the place of a job that was refused, or held back."""
        line = self.lines.setdefault(refused.demand, Line(refused))
        if not isinstance(refused, HeldBack):
            line.refused = refused
        ticket = Ticket(order, refused.demand, self, isinstance(refused, HeldBack))
        self.tickets[order[1]] = ticket
        insort(line.waiting, ticket, key=lambda other: other.order)
        self._go_on()
        return ticket

    def there_may_be_room(self) -> None:
        """Begin a round soon: a Pod has ended."""
        self._vain_rounds = 0
        soon = asyncio.get_running_loop().time() + SHORTEST_PAUSE_SECONDS
        if self._next_round and self._next_round.when() > soon:
            self._put_off()
            self._go_on()

    def job_has_room(self, name: str) -> None:
        """Let a job try, if it waits, whose turn it need not be."""
        ticket = self.tickets.get(name)
        if ticket and not ticket.has_come:
            self.let(ticket)

    def let(self, ticket: Ticket) -> None:
        """Let a job try."""
        line = self.lines[ticket.demand]
        line.waiting.remove(ticket)
        line.trying += 1
        loop = asyncio.get_running_loop()
        self._trying[ticket] = loop.call_later(TURN_SECONDS, self.unclear, ticket)
        ticket.come()

    # What came of it; each may be told late, when the turn is over.

    def passed(self, ticket: Ticket) -> None:
        """There was room: another job tries."""
        if self._has_ended(ticket):
            self._vain_rounds = 0
            self._passed_in_a_row += 1
            self._go_on()

    def refused(self, ticket: Ticket) -> None:
        """There is no room for what this line asks."""
        if self._has_ended(ticket):
            self._passed_in_a_row = 0
            self._round = [demand for demand in self._round if demand != ticket.demand]
            self._go_on()

    def unclear(self, ticket: Ticket) -> None:
        """Whether there is room is not known: the API server did not say so."""
        if self._has_ended(ticket):
            self._passed_in_a_row = 0
            self._round.clear()
            self._go_on()

    def left(self, ticket: Ticket) -> None:
        """The job does not ask for it, or not now."""
        line = self.lines.get(ticket.demand)
        if not self._has_ended(ticket) and line and ticket in line.waiting:
            line.waiting.remove(ticket)
            self._forget(ticket)
        self._go_on()

    def _has_ended(self, ticket: Ticket) -> bool:
        """End the turn of a job; return whether it was its turn."""
        timer = self._trying.pop(ticket, None)
        if timer is None:
            return False
        timer.cancel()
        ticket.has_come = False
        self.lines[ticket.demand].trying -= 1
        self._forget(ticket)
        return True

    def _forget(self, ticket: Ticket) -> None:
        """Forget a ticket, unless the job has another one, and its line, if it was the last."""
        if self.tickets.get(ticket.order[1]) is ticket:
            del self.tickets[ticket.order[1]]
        line = self.lines[ticket.demand]
        if not line.waiting and not line.trying:
            del self.lines[ticket.demand]
        if not self.lines:  # whoever comes next begins anew
            self._vain_rounds = 0
            self._put_off()

    # Rounds.

    def _go_on(self) -> None:
        while self._round and len(self._trying) < self._most_at_once:
            line = self.lines.get(self._round[0])
            if line and line.waiting:
                self.let(line.waiting[0])
            elif line and line.trying:
                return
            else:
                self._passed_in_a_row = 0
                self._round.pop(0)
        if self.lines and not (self._round or self._trying or self._next_round):
            pause = pause_of(self._vain_rounds, SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
            self._next_round = asyncio.get_running_loop().call_later(pause, self._begin)

    def _put_off(self) -> None:
        if self._next_round:
            self._next_round.cancel()
        self._next_round = None

    @property
    def _most_at_once(self) -> int:
        return max(1, min(MOST_AT_ONCE, self._passed_in_a_row))

    def _begin(self) -> None:
        self._next_round = None
        self._rounds, self._vain_rounds = self._rounds + 1, self._vain_rounds + 1
        lines = sorted(self.lines.items(), key=lambda item: (item[1].last_round, _age(item[1])))
        asking = sorted(lines[:MOST_LINES], key=lambda item: _age(item[1]))
        for _, line in asking:
            line.last_round = self._rounds
        self._round = [demand for demand, _ in asking]
        self._go_on()


def _age(line: Line) -> Order:
    return line.waiting[0].order if line.waiting else (math.inf, "")
