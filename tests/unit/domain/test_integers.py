"""An argument that is an integer has at most 64 bits, as an output has."""

from __future__ import annotations

import pytest

from job_execution_framework.domain.arguments import problems
from job_execution_framework.domain.parameters import Parameter, Parameters, Type

TAKES = Parameters((Parameter("n", Type.INTEGER, nullable=True), Parameter("x", Type.NUMBER)))


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**400, 1e30])
def test_one_of_more_is_refused(value: float) -> None:
    (found,) = problems("bake", TAKES, {"n": value, "x": 1e30})
    assert found.why.endswith("but takes an integer, or null, of at most 64 bits")


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63) + 1, 0, None])
def test_all_others_are_taken(value: int | None) -> None:
    assert not list(problems("bake", TAKES, {"n": value}))
