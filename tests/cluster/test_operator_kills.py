"""An operator that is killed, by SIGKILL, before or after any call that it makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kill_points import at_every_call, end_well_wherever_the_operator_is_killed
from tests.cluster.story import Story
from tests.support.fault_proxy.rules import Fault, Filter
from tests.support.operators import Operators


@pytest.mark.timeout(600)
@at_every_call
def test_nothing_is_lost_or_done_twice(
    ns: ClusterNamespace,
    operators: Operators,
    tmp_path: Path,
    fault: Callable[[Callable[[], object]], Fault],
    calls: Filter,
    lane: int,
) -> None:
    def story(point: int) -> Story:
        return Story(ns, f"shot-{point}", tmp_path / f"note-{point}")

    end_well_wherever_the_operator_is_killed(operators, story, fault, calls, lane)
