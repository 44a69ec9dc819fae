"""Waiting for what comes true a little later, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not met():
        assert time.monotonic() < deadline, "this did not come true"
        time.sleep(0.1)
