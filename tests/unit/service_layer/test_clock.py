"""The clock of this machine, which somebody sets while a job waits."""

from __future__ import annotations

import time

import pytest

from job_execution_framework.service_layer.clock import SystemClock


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_a_clock_that_is_set_changes_no_duration(
    monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    clock, real = SystemClock(), time.time
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: real() + step)
    assert 0 <= clock.now() - before < abs(step)


def test_time_that_a_machine_slept_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(time, "CLOCK_BOOTTIME"):
        pytest.skip("this system has no clock that goes on while it sleeps")
    clock, real = SystemClock(), time.clock_gettime
    before = clock.now()

    def after_a_night(which: int) -> float:
        return real(which) + 28800

    monkeypatch.setattr(time, "clock_gettime", after_a_night)
    assert clock.now() - before >= 28800


def test_a_clock_tells_the_time_of_day() -> None:
    before = time.time()
    assert SystemClock().now() >= before - 1
