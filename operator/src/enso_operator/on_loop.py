"""Makes calls that wait for answers on the event loop: only their task waits, and no thread.

The call is written as if it blocked, and hands the loop what it waits for, in `wait_for`; so do
SQLAlchemy's `greenlet_spawn` and `await_only`. In a thread it would take several times as much of a
processor, as the thread and the loop take Python's lock from each other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar, cast

from greenlet import getcurrent, greenlet

P = ParamSpec("P")
R = TypeVar("R")


class _LoopCall(greenlet):
    """A call that is made on the loop; it is left at each `wait_for`, and entered with the answer.

    No other call may be kept out by a lock meanwhile: all are made in one thread.
    """


async def on_loop(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `call` returns, or raise what it raises.

    Whoever is cancelled has what the call waits for cancelled, and CancelledError raised in it.
    """
    made = _LoopCall(partial(call, *args, **kwargs))
    made.gr_context = copy_context()
    said = made.switch()
    while not made.dead:
        try:
            answer = await cast("Awaitable[object]", said)
        except BaseException as error:  # noqa: BLE001  # the call handles it, or raises it
            said = made.throw(error)
        else:
            said = made.switch(answer)
    return cast("R", said)


def is_on_loop() -> bool:
    """Whether this is called by a call of `on_loop`, which may `wait_for` something."""
    return isinstance(getcurrent(), _LoopCall)


def wait_for(asked: Awaitable[R]) -> R:
    """Return the answer, or raise what it raises; only within a call of `on_loop`."""
    loop = getcurrent().parent
    if loop is None:
        raise RuntimeError("only a call of `on_loop` may wait on the event loop")
    return cast("R", loop.switch(asked))
