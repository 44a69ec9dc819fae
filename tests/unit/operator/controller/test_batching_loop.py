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
from queue import Queue
from selectors import EVENT_READ
from threading import Event

import pytest
from kopf import OperatorRegistry, OperatorSettings

from enso_operator.cli import operator
from enso_operator.controller.batching_loop import (
    MEASURE_SECONDS,
    MUCH,
    PAUSE_SECONDS,
    BatchingSelector,
)
from enso_operator.controller.watch import Watch
from tests.support.eventually import DEADLINE_SECONDS

POLICIES = """
import os, sys, threading
from enso_operator.controller.batching_loop import schedule_as_batch
os.sched_setscheduler(0, getattr(os, "SCHED_" + sys.argv[1]), os.sched_param(0))
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
    machine.work(MEASURE_SECONDS)
    first.send()
    assert names(selector) == ["first"]  # it comes after a long time
    machine.work(PAUSE_SECONDS / 3)
    machine.meanwhile = second.send
    assert sorted(names(selector)) == ["first", "second"]
    assert machine.slept == [pytest.approx(PAUSE_SECONDS * 2 / 3)]


def test_nobody_waits_where_there_is_little_to_do(
    machine: Machine, selector: BatchingSelector, senders: tuple[Sender, Sender]
) -> None:
    machine.now += MEASURE_SECONDS
    machine.used += MEASURE_SECONDS * MUCH / 2
    for _ in range(3):
        senders[0].send()
        assert names(selector) == ["first"]
        senders[0].read()
    assert not machine.slept


def test_nobody_waits_any_more_when_it_was_done(
    machine: Machine, selector: BatchingSelector, senders: tuple[Sender, Sender]
) -> None:
    first, _ = senders
    machine.work(MEASURE_SECONDS)
    first.send()
    names(selector)
    machine.now += MEASURE_SECONDS  # without any work
    names(selector)
    names(selector)
    assert not machine.slept


def test_a_loop_that_has_something_else_to_do_does_it(
    machine: Machine, selector: BatchingSelector, senders: tuple[Sender, Sender]
) -> None:
    machine.work(MEASURE_SECONDS)
    senders[0].send()
    names(selector)
    assert selector.select(0)
    assert not machine.slept


def test_a_timer_that_is_due_waits_for_what_comes_shortly_after(
    machine: Machine, selector: BatchingSelector, senders: tuple[Sender, Sender]
) -> None:
    machine.work(MEASURE_SECONDS)
    assert not selector.select(1e-6)
    machine.meanwhile = senders[0].send
    assert [key.data for key, _ in selector.select(1e-6)] == ["first"]
    assert machine.slept == [pytest.approx(PAUSE_SECONDS)]


@pytest.mark.parametrize(("share", "pauses"), [(MUCH * 0.9, False), (MUCH * 1.1, True)])
def test_it_is_much_from_a_share_of_a_processor_on(
    machine: Machine, selector: BatchingSelector, share: float, *, pauses: bool
) -> None:
    machine.now += MEASURE_SECONDS
    machine.used += MEASURE_SECONDS * share
    selector.select(1e-6)
    selector.select(1e-6)
    assert bool(machine.slept) == pauses


def selector_of(loop: asyncio.AbstractEventLoop) -> object:
    return vars(loop)["_selector"]


def test_the_operator_works_in_such_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    selectors = list[object]()

    async def operate(*_: object) -> None:
        selectors.append(selector_of(asyncio.get_running_loop()))

    def cluster(*_: object) -> tuple[None, str]:
        return None, ""

    def nothing(*_: object) -> None:
        pass

    module = "enso_operator.cli.operator"
    monkeypatch.setattr(f"{module}.operate", operate)
    monkeypatch.setattr(f"{module}._cluster", cluster)
    monkeypatch.setattr(f"{module}._listen", nothing)
    monkeypatch.setattr(f"{module}.log_format.configure", nothing)
    assert operator.operator(["--sessions=pods", "--records-image=none"]) == operator.STOPPED
    assert [type(one) for one in selectors] == [BatchingSelector]


def test_kopf_works_in_such_a_loop() -> None:
    selectors = Queue[object]()

    class Kopf(Watch):
        async def _kopf(self, stop: Event, settings: OperatorSettings) -> None:
            del stop, settings
            selectors.put(selector_of(asyncio.get_running_loop()))

    async def watch() -> object:
        running = asyncio.create_task(Kopf(OperatorRegistry(), [], lambda: "").run())
        try:
            return await asyncio.to_thread(selectors.get, timeout=DEADLINE_SECONDS)
        finally:
            running.cancel()

    assert isinstance(asyncio.run(watch()), BatchingSelector)


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="only Linux has it")
def test_no_other_process_is_interrupted_by_any_thread_of_the_operator() -> None:
    assert policies("OTHER") == [os.SCHED_BATCH]


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="only Linux has it")
def test_a_policy_that_somebody_chose_stays() -> None:
    assert policies("IDLE") == [os.SCHED_IDLE]


def policies(before: str) -> list[int]:
    """Return that of a thread of a process that had this one before."""
    said = subprocess.run(
        [sys.executable, "-c", POLICIES, before], capture_output=True, text=True, check=True
    )
    return [int(policy) for policy in said.stdout.split()]
