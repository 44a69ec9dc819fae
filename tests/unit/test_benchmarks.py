"""`python -m benchmarks` fails where a median is beyond its bound, and says which."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.table import line


def test_a_median_within_its_bounds_is_told_and_nothing_is_missed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not line("a job / a bare Pod", [0.4, 0.9, 0.3], most=0.45)
    assert not line("init containers / a job", [41, 40, 39], least=40)
    told = capsys.readouterr().out
    assert "0.40  (0.30 to 0.90)  a job / a bare Pod (at most 0.45)" in told
    assert "40.00  (39.00 to 41.00)  init containers / a job (at least 40)" in told


def test_a_median_beyond_a_bound_is_missed() -> None:
    assert line("a job", [0.5, 0.46, 0.4], most=0.45) == "a job (at most 0.45): it was 0.46"
    assert line("a job", [39, 40, 20], least=40) == "a job (at least 40): it was 39.00"


def test_a_section_that_is_not_there_is_refused() -> None:
    command = [sys.executable, "-m", "benchmarks", "pots"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no section pots: python, ")
