"""The budget of writes of progress alone: how many turns it gives, and to whom first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from enso_operator.coordinator.progress_budget import WRITES_A_SECOND, ProgressBudget


@dataclass
class Loop:
    """A loop whose time passes only while it waits for a timer."""

    now: float = 100.0
    timers: list[tuple[float, Callable[[], None]]] = field(
        default_factory=list[tuple[float, Callable[[], None]]]
    )

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> object:
        self.timers.append((when, call))
        return object()

    def pass_until(self, end: float) -> None:
        while self.timers and self.timers[0][0] <= end:
            self.now, call = self.timers.pop(0)
            call()
        self.now = end


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    return loop


def test_all_jobs_together_get_so_many_turns_a_second_the_first_at_once(loop: Loop) -> None:
    budget, turns = ProgressBudget(), list[float]()

    def ask_again(name: str) -> None:
        turns.append(loop.now)
        budget.ask(name, lambda: ask_again(name))

    for number in range(500):
        name = f"job-{number}"
        budget.ask(name, partial(ask_again, name))
    loop.pass_until(110)
    assert turns[0] == 100
    for begin in range(100, 109):
        assert len([at for at in turns if begin <= at < begin + 0.999]) <= WRITES_A_SECOND
    assert len(turns) >= 10 * WRITES_A_SECOND


def test_the_job_that_has_waited_longest_is_next(loop: Loop) -> None:
    budget, turns = ProgressBudget(), list[str]()

    def ask(name: str) -> None:
        budget.ask(name, lambda: turns.append(name))

    for name in "abc":
        ask(name)
    ask("a")  # asking again neither loses the place nor takes a second one
    loop.pass_until(100)
    ask("a")
    budget.withdraw("b")
    loop.pass_until(101)
    assert turns == ["a", "c", "a"]
    ask("b")
    loop.pass_until(102)
    assert turns == ["a", "c", "a", "b"]
    assert not loop.timers
