"""A job whose arguments are nested as deeply as the API server takes them harms no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enso_operator.http_api.cluster_backend import ClusterJobs
from job_execution_framework.domain.values import TOO_DEEP
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.story import Story
from tests.support.eventually import until
from tests.support.operators import Operators
from tests.support.resources import of_scripts

DEPTHS = (600, 1_200, 9_000)
"""At the first kopf's copies failed, at the second every parser; the API server takes 10,000."""


def create_deep(ns: ClusterNamespace, depth: int) -> None:
    marked = of_scripts({"args": {"a": "DEEP"}}) | {"metadata": {"name": f"deep-{depth}"}}
    nested = "[" * depth + "]" * depth
    ns.kubectl("create", "-f", "-", stdin=json.dumps(marked).replace('"DEEP"', nested))


@pytest.mark.anyio
async def test_it_alone_is_invalid(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    create_deep(ns, DEPTHS[0])
    operator = operators.start()  # lists this job, and watches the others
    for depth in DEPTHS[1:]:
        create_deep(ns, depth)
    story = Story(ns, "other", tmp_path / "note")
    story.begin()
    story.ends_well()
    for depth in DEPTHS:
        ns.waits("Stalled", f"deep-{depth}")
        assert ns.columns(f"deep-{depth}")[1:] == ["Failed", "InvalidJob"]
        assert TOO_DEEP in ns.job_events(f"deep-{depth}")[-1][1]
    until(operator.is_ready)
    listed = await ClusterJobs(ns.objects, ns.streams).list()
    assert sorted(listed) == [
        *sorted((f"deep-{depth}", "Failed") for depth in DEPTHS),
        ("other", "Succeeded"),
    ]
    assert operator.stop() == 0
    again = operators.ready()
    ns.kubectl("delete", "ensojobs", *(f"deep-{depth}" for depth in DEPTHS), "--timeout=120s")
    assert again.is_ready()
