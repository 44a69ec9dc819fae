"""When traces are sent, where to, and what becomes of a job whose collector does not take them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import monotonic

import pytest

from enso_operator.observability.otlp import OtlpSender
from enso_operator.observability.traced_job import TracedJob
from enso_operator.observability.tracing import Tracing, tracing_of
from job_execution_framework.domain import events
from job_execution_framework.domain.job import Job
from tests.support.collector import Collector
from tests.support.eventually import until
from tests.support.jobs import job_of

TRACED = TracedJob("uid", "publish-shot", {"enso.job.name": "publish-shot"})
PARENT = f"00-{'4b' * 16}-{'00f0' * 4}-01"
UNSAMPLED = f"{PARENT[:-2]}00"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def said() -> list[str]:
    return []


def on(monkeypatch: pytest.MonkeyPatch, said: list[str], environment: Mapping[str, str]) -> Tracing:
    """Return what this environment asks for."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return tracing_of(environment, "enso-test", said.append)


def cancelled() -> Job:
    """Return a job that was cancelled before it began: one span."""
    job = job_of("open")
    job.record(events.JobAdded(at=1))
    job.record(events.JobCancelled(at=2))
    return job


def tell(tracing: Tracing, traced: TracedJob = TRACED) -> None:
    """Tell of such a job."""
    job = cancelled()
    tracing.of(traced).committed(job, job.events)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:9"},
    ],
)
def test_traces_are_off(said: list[str], environment: dict[str, str]) -> None:
    tracing = tracing_of(environment, "enso-test", said.append)
    assert tracing == Tracing()
    assert tracing.of(TRACED).traceparent == ""
    tell(tracing)
    tracing.close()
    assert said == []


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "traces are off: OTEL_TRACES_EXPORTER is 'zipkin'"),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "traces are off: OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc', but only 'http/protobuf'",
        ),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "-1"},
            "traces are off, as an OTEL_ variable of the environment is wrong: ",
        ),
    ],
)
def test_what_cannot_be_done_is_said(
    monkeypatch: pytest.MonkeyPatch, said: list[str], environment: dict[str, str], why: str
) -> None:
    assert on(monkeypatch, said, environment) == Tracing()
    (sentence,) = said
    assert sentence.startswith(why)


def test_a_span_has_the_ids_that_were_made_for_it(
    monkeypatch: pytest.MonkeyPatch, said: list[str], collector: Collector
) -> None:
    tracing = on(monkeypatch, said, collector.environment)
    tell(tracing)
    tell(tracing)  # as an operator does that was killed after it had sent it
    tell(tracing, replace(TRACED, uid="other", parent=PARENT))
    until(lambda: len(collector.spans) == 3)
    once, again, part = collector.spans
    assert once == again
    assert (once.trace, once.id, once.parent) == (TRACED.trace_id, TRACED.span_id, "")
    assert (part.trace, part.parent) == ("4b" * 16, "00f0" * 4)
    assert once.attributes["enso.job.state"] == "Cancelled"
    assert once.resource["service.name"] == "enso-test"
    assert once.resource["service.version"]
    tracing.close()
    assert said == []


def test_the_environment_names_the_service(
    monkeypatch: pytest.MonkeyPatch, said: list[str], collector: Collector
) -> None:
    names = {"OTEL_SERVICE_NAME": "farm", "OTEL_RESOURCE_ATTRIBUTES": "deployment.name=east"}
    tracing = on(monkeypatch, said, collector.environment | names)
    tell(tracing)
    tracing.close()
    resource = collector.named("job publish-shot").resource
    assert (resource["service.name"], resource["deployment.name"]) == ("farm", "east")


@pytest.mark.parametrize(
    ("variables", "parent", "is_sent"),
    [
        ({}, PARENT, True),
        ({}, UNSAMPLED, False),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, "", False),
        (
            {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"},
            "",
            False,
        ),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, PARENT, True),
    ],
)
def test_a_trace_is_sent_as_a_whole_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
    said: list[str],
    collector: Collector,
    variables: dict[str, str],
    parent: str,
    is_sent: bool,
) -> None:
    tracing = on(monkeypatch, said, collector.environment | variables)
    traced = replace(TRACED, parent=parent)
    tell(tracing, traced)
    tracing.close()
    assert len(collector.spans) == is_sent
    assert tracing.of(traced).traceparent == traced.traceparent(sampled=is_sent)


def test_a_collector_that_is_down_is_one_line_and_loses_only_the_oldest(
    monkeypatch: pytest.MonkeyPatch, said: list[str], collector: Collector
) -> None:
    queue = {"OTEL_BSP_MAX_QUEUE_SIZE": "16", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4"}
    tracing = on(monkeypatch, said, collector.environment | queue)
    collector.status = 500
    for number in range(100):
        tell(tracing, replace(TRACED, uid=str(number)))
    until(lambda: collector.requests >= 3)
    why = "Failed to export spans batch code: 500, reason: Internal Server Error"
    assert said == [f"traces cannot be sent to {collector.address}, and have a gap: {why}"]
    collector.status = 200
    tell(tracing, replace(TRACED, title="later"))
    until(lambda: said[1:] == [f"traces are sent to {collector.address} again"])
    until(lambda: any(span.name == "job later" for span in collector.spans))
    assert len(collector.spans) <= 17
    tracing.close()
    assert len(said) == 2


def test_a_collector_that_is_not_there_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    with Collector() as gone:
        pass
    tracing = on(monkeypatch, said, gone.environment)
    for _ in range(10):
        tell(tracing)
    tracing.close()
    assert said == [f"traces cannot be sent to {gone.address}, and have a gap: Connection refused"]


def test_a_collector_that_does_not_answer_is_waited_for_at_most_so_long(
    monkeypatch: pytest.MonkeyPatch, said: list[str], collector: Collector
) -> None:
    collector.goes_on.clear()
    tracing = on(monkeypatch, said, collector.environment)
    tell(tracing)
    until(lambda: collector.requests)
    began = monotonic()
    tell(tracing)
    assert isinstance(tracing.sender, OtlpSender)
    tracing.sender.close(0.1)
    assert monotonic() - began < 60  # it answers never
    assert said == [
        f"traces cannot be sent to {collector.address}, and have a gap: it takes longer than 0.1 s"
    ]


def test_the_name_and_password_of_a_collector_are_not_said(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    with Collector() as gone:
        pass
    address = f"http://ann:secret@{gone.address}"
    tracing = on(monkeypatch, said, {"OTEL_EXPORTER_OTLP_ENDPOINT": address})
    tell(tracing)
    tracing.close()
    (sentence,) = said
    assert sentence.startswith(f"traces cannot be sent to {gone.address}, ")
    assert "secret" not in sentence


def test_when_nothing_happens_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, said: list[str], collector: Collector
) -> None:
    with Collector() as other:
        idle = on(monkeypatch, said, collector.environment)
        tell(idle)
        until(lambda: collector.requests)
        busy = on(monkeypatch, said, other.environment)
        for number in range(10):  # ten times as long as the first waits before it sends
            tell(busy)
            until(lambda number=number: other.requests > number)  # type: ignore[misc]
        assert collector.requests == 1
        idle.close()
        busy.close()
        assert collector.requests == 1


def test_an_error_of_ours_costs_a_trace_and_no_job(
    monkeypatch: pytest.MonkeyPatch,
    said: list[str],
    collector: Collector,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tracing = on(monkeypatch, said, collector.environment)
    job = cancelled()
    job.events.pop()  # which no job does: it has no end now
    tracing.of(TRACED).committed(job, job.events)
    tracing.close()
    assert "its trace has a gap" in caplog.text
