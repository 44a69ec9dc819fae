"""A loop that has much to do takes at once what comes one by one, and holds nobody up otherwise."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from selectors import EVENT_READ

import pytest

from enso_operator.controller.batching_loop import (
    LOOK_SECONDS,
    MUCH,
    PAUSE_SECONDS,
    BatchingSelector,
    batching_loop,
)

POLICIES = """
import os, threading
from enso_operator.controller.batching_loop import schedule_as_batch
schedule_as_batch()
threading.Thread(target=lambda: print(os.sched_getscheduler(0))).start()
"""


@dataclass
class Machine:
    """A time that passes only where somebody sleeps or works."""

    now: float = 0.0
    used: float = 0.0
    slept: list[float] = field(default_factory=list[float])
    meanwhile: Callable[[], object] = bool
    """What happens while somebody sleeps."""

    def work(self, seconds: float) -> None:
        self.now += seconds
        self.used += seconds

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        self.meanwhile()


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def selector(machine: Machine) -> Generator[BatchingSelector]:
    clocks = (lambda: machine.now), (lambda: machine.used)
    with closing(BatchingSelector(*clocks, machine.sleep)) as made:
        yield made


class Sender:
    """Whoever sends something that the selector waits for."""

    def __init__(self, selector: BatchingSelector, name: str) -> None:
        self._theirs, self._ours = socket.socketpair()
        selector.register(self._ours, EVENT_READ, name)

    def send(self) -> None:
        self._theirs.send(b"x")

    def read(self) -> None:
        self._ours.recv(1)

    def close(self) -> None:
        self._theirs.close()
        self._ours.close()


@pytest.fixture
def senders(selector: BatchingSelector) -> Generator[tuple[Sender, Sender]]:
    with closing(Sender(selector, "first")) as first, closing(Sender(selector, "second")) as second:
        yield first, second


def names(selector: BatchingSelector) -> list[str]:
    return [key.data for key, _ in selector.select()]


def test_what_comes_shortly_after_is_taken_together_where_there_is_much_to_do(
    machine: Machine, selector: BatchingSelector, senders: tuple[Sender, Sender]
) -> None:
    first, second = senders
    machine.work(LOOK_SECONDS)
    first.send()
    assert names(selector) == ["first"]  # it comes after a long time
    machine.work(PAUSE_SECONDS / 3)
    machine.meanwhile = second.send
    assert sorted(names(selector)) == ["first", "second"]
    assert machine.slept == [pytest.approx(PAUSE_SECONDS * 2 / 3)]


def test_nobody_waits_where_there_is_little_to_do(
    machine: Machine, selector: BatchingSelector, senders: tuple[Sender, Sender]
) -> None:
    machine.now += LOOK_SECONDS
    machine.used += LOOK_SECONDS * MUCH / 2
    for _ in range(3):
        senders[0].send()
        assert names(selector) == ["first"]
        senders[0].read()
    assert not machine.slept


def test_nobody_waits_any_more_when_it_was_done(
    machine: Machine, selector: BatchingSelector, senders: tuple[Sender, Sender]
) -> None:
    first, _ = senders
    machine.work(LOOK_SECONDS)
    first.send()
    names(selector)
    machine.now += LOOK_SECONDS  # without any work
    names(selector)
    names(selector)
    assert not machine.slept


def test_a_loop_that_has_something_else_to_do_does_it(
    machine: Machine, selector: BatchingSelector, senders: tuple[Sender, Sender]
) -> None:
    machine.work(LOOK_SECONDS)
    senders[0].send()
    names(selector)
    assert selector.select(0)
    assert not machine.slept


def test_a_loop_is_one_as_any_other() -> None:
    async def sums() -> int:
        return sum(await asyncio.gather(*(asyncio.to_thread(int, one) for one in "123")))

    with asyncio.Runner(loop_factory=batching_loop) as runner:
        assert runner.run(sums()) == sum((1, 2, 3))


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="only Linux has it")
def test_no_other_process_is_interrupted_by_any_thread_of_the_operator() -> None:
    said = subprocess.run(
        [sys.executable, "-c", POLICIES], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [str(os.SCHED_BATCH)]
