"""The limits of one attempt: how long it may take in all, and how long it may write nothing.

Whoever hangs is silent, long before any honest limit of the whole. Used by `child_runner`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from signal import SIGRTMAX
from typing import Any

from job_execution_framework.domain.script import Script
from job_execution_framework.runtime.interpreter import TIMED_OUT, Interpreter

IDLE = "idle"
"""What `wait` returns where the script wrote nothing for too long."""
DUMP_SIGNAL = int(SIGRTMAX) - 1
"""The signal on which the interpreter writes where it is, while a script has an idle timeout."""


def wait(
    interpreter: Interpreter, script: Script, written_at: Callable[[], float]
) -> dict[str, Any] | str:
    """Return the child's report, or what happened instead of one.

    `written_at` returns when the script wrote something last, by the monotonic clock.
    """
    began = time.monotonic()
    end = began + (script.timeout_seconds or math.inf)
    idle = script.idle_timeout_seconds or math.inf
    while True:
        silent_until = max(began, written_at()) + idle
        answer = interpreter.wait(min(end, silent_until) - time.monotonic())
        if answer != TIMED_OUT:
            return answer
        now = time.monotonic()
        if now >= end:
            return TIMED_OUT
        if now >= max(began, written_at()) + idle:
            interpreter.send_signal(DUMP_SIGNAL)
            return IDLE
