"""Chooses calls for faults: a filter by their fields, a turn by their ordinal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from tests.support.fault_proxy.calls import Call
from tests.support.fault_proxy.exchange import Exchange

Fault = Callable[[Exchange], Awaitable[None]]
"""A fault. If it does not end the exchange, later rules and the server get the call."""


@dataclass(frozen=True)
class Filter:
    """A condition on one call; combine with `&`, `|`, `~`. Custom: `Filter(lambda call: …)`."""

    asks: Callable[[Call], bool]

    def __call__(self, call: Call) -> bool:
        return self.asks(call)

    def __and__(self, other: Filter) -> Filter:
        return Filter(lambda call: self(call) and other(call))

    def __or__(self, other: Filter) -> Filter:
        return Filter(lambda call: self(call) or other(call))

    def __invert__(self) -> Filter:
        return Filter(lambda call: not self(call))


def anything() -> Filter:
    return Filter(lambda _: True)


def writes() -> Filter:
    return Filter(lambda call: call.is_write)


def watches() -> Filter:
    return Filter(lambda call: call.verb == "watch")


def on(verb: str, resource: str) -> Filter:
    """Select by verb and resource with subresource, as in `on("patch", "ensojobs/status")`."""
    return Filter(lambda call: (call.verb, call.resource) == (verb, resource))


def sent_by(agent: str) -> Filter:
    """Select the calls of a program, by a part of its User-Agent."""
    return Filter(lambda call: agent in call.agent)


@dataclass(frozen=True)
class Turn:
    """Some of the calls that a filter selects, by their ordinal among those.

    Not a filter: "the third call, if it is a write" would look like "the third write".
    """

    of: Filter
    comes: Callable[[int], bool]


def number(n: int, of: Filter) -> Turn:
    """Select the n-th of these calls since the rule was added; the first is 1."""
    return Turn(of, lambda ordinal: ordinal == n)


def every(k: int, of: Filter) -> Turn:
    """Select each k-th of these calls."""
    return Turn(of, lambda ordinal: ordinal % k == 0)


def randomly(share: float, seed: int, of: Filter) -> Turn:
    """Select about this share of these calls: with the same seed, the same ones."""
    return Turn(of, lambda ordinal: Random(f"{seed}/{ordinal}").random() < share)  # noqa: S311  # no secret


class Rule:
    """A fault for chosen calls, `times` often at most."""

    def __init__(self, chosen: Filter | Turn, fault: Fault, times: int | None) -> None:
        self._turn = chosen if isinstance(chosen, Turn) else Turn(chosen, lambda _: True)
        self._times = times
        self._seen = 0
        self.fault = fault
        self.used = 0
        """How often the fault was applied so far."""

    def selects(self, call: Call) -> bool:
        """Whether the fault is for this call. Call once for every call, in order: it counts."""
        if not self._turn.of(call):
            return False
        self._seen += 1
        return self._turn.comes(self._seen)

    def take(self) -> bool:
        """Count one use; return whether `times` allows it."""
        if self._times is not None and self.used >= self._times:
            return False
        self.used += 1
        return True
