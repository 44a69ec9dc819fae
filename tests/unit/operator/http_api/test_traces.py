"""The traces of jobs in memory: what people ask of a job is in its trace, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.observability.tracing import tracing_of
from tests.support.api import Served
from tests.support.collector import Collector

pytestmark = pytest.mark.anyio


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


async def test_a_job_that_is_resumed_goes_on_in_its_trace(
    served: Served, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in collector.environment.items():
        monkeypatch.setenv(name, value)
    said = list[str]()
    tracing = tracing_of(collector.environment, "enso-serve", said.append)
    async with EmbeddedJobs(served.library, tracing=tracing) as jobs:
        api = await served.over(jobs)
        ran = await api.add(["say", {"text": "a"}], ["simulate", {"substeps": 1}])
        await api.execute(ran)
        await api.ended(ran)
        change = {"name": "simulate", "args": {"substeps": 4}}
        await api.act("/resume-job", ran, scripts=[change])
        await api.ended(ran)
        never = await api.add(["say", {}])
        await api.act("/cancel-job", never)
    names = [
        (span.name, span.attributes.get("enso.job.state"))
        for span in collector.spans
        if span.attributes["enso.job.name"] == ran
    ]
    assert sorted(names, key=str) == [
        ("job of the HTTP API", "Failed"),
        ("resume of the HTTP API", "Succeeded"),
        ("script say", None),
        ("script say", None),
        ("script simulate", None),
        ("script simulate", None),
        ("session main", None),
        ("session main", None),
    ]
    (cancelled,) = (span for span in collector.spans if span.attributes["enso.job.name"] == never)
    assert cancelled.attributes["enso.job.state"] == "Cancelled"
    assert len({span.trace for span in collector.spans}) == 2
    assert said == []
