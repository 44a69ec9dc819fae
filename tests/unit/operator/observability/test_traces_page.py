"""What docs/monitoring.md tells of traces is so."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from enso_operator.kube.ensojob import TRACEPARENT
from enso_operator.observability.traced_job import is_traceparent
from tests.support.snippets import page, snippet

ATTEMPT = f"00-{'4b' * 16}-{'00f0' * 4}-01"


def test_a_script_goes_on_in_its_span(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    monkeypatch.setenv("TRACEPARENT", ATTEMPT)
    names: dict[str, object] = {}
    exec(snippet("monitoring.md", "start_as_current_span"), names)  # noqa: S102  # as a script is
    cast("Callable[[str], None]", names["main"])("/shots/010/a.hip")
    (span,) = exporter.get_finished_spans()
    assert span.context
    assert span.parent
    assert (span.name, span.context.trace_id, span.parent.span_id) == (
        *("load scene", int("4b" * 16, 16), int("00f0" * 4, 16)),
    )


def test_the_annotation_of_the_page_is_one() -> None:
    found = re.search(r"\{(enso\.dev/\w+): (\S+)\}", snippet("monitoring.md", "annotations:"))
    assert found
    assert found[1] == TRACEPARENT
    assert is_traceparent(found[2])


def test_the_page_names_the_limits_of_the_sdk() -> None:
    from opentelemetry.sdk.trace import export  # noqa: PLC0415  # its names are private

    told = page("monitoring.md")
    assert f"Up to {export._DEFAULT_MAX_QUEUE_SIZE:,} spans" in told  # pyright: ignore[reportPrivateUsage]
    assert export._DEFAULT_SCHEDULE_DELAY_MILLIS == 5000  # pyright: ignore[reportPrivateUsage]
    assert "within five seconds (`OTEL_BSP_SCHEDULE_DELAY`)" in told
