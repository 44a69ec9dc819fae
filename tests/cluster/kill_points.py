"""Each call of an operator at which tests kill it, before it is made or after its answer."""

from __future__ import annotations

import pytest

from tests.support.fault_proxy import after, anything, before, watches

MOST_CALLS = 60
LANES = 2
"""Number of parts into which the points are divided, for parallel workers."""
_FAULTS = {"before": (before, anything()), "after": (after, ~watches())}
at_every_call = pytest.mark.parametrize(
    ("fault", "calls", "lane"),
    [(fault, calls, lane) for fault, calls in _FAULTS.values() for lane in range(LANES)],
    ids=[f"{name}-{lane}" for name in _FAULTS for lane in range(LANES)],
)
"""Runs a test for each fault and the calls that it may meet, in each lane."""
