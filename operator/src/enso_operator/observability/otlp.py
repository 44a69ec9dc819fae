"""Sends spans to a collector, by OTLP over HTTP, with OpenTelemetry's SDK and its variables.

`tracing.py` imports it where traces are on. Spans wait in a queue of limited length (the variable
OTEL_BSP_MAX_QUEUE_SIZE), which a thread sends; where the collector takes none, the oldest are lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib.metadata import version
from threading import Lock, Thread

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from enso_operator.kube.status.fields import one_line
from enso_operator.observability.traced_job import TracedJob
from enso_operator.observability.traces import Span, spans_of
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job

DISTRIBUTION = "enso-operator"
SDK = "opentelemetry"
"""The logger above all of OpenTelemetry's."""
Tell = Callable[[str], None]


class OtlpSender:
    """Sends spans under the ids that they have."""

    def __init__(self, service: str, collector: str, tell: Tell) -> None:
        """Begin. Raises ValueError or OSError where the environment's variables are wrong.

        `collector` is what it is called in sentences: the SDK reads by itself where it is.
        """
        self._words, self._lock, self._ids = _Words(), Lock(), _GivenIds()
        self._exporter = _TellingExporter(self._words, collector, tell)
        # Its own resource: what `Resource.create` adds says nothing of jobs.
        own = {"service.name": service, "service.version": version(DISTRIBUTION)}
        self._provider = TracerProvider(
            resource=Resource(own).merge(OTELResourceDetector().detect()),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("enso_operator", own["service.version"])
        if self._words.first:
            tell(f"an OTEL_ variable of the environment was not understood: {self._words.first}")

    def takes(self, traced: TracedJob) -> bool:
        """Whether OTEL_TRACES_SAMPLER, or what the job is a part of, wants its trace."""
        sampled = self._provider.sampler.should_sample(
            self._around(traced), int(traced.trace_id, 16), traced.title
        )
        return sampled.decision is Decision.RECORD_AND_SAMPLE

    def send(self, traced: TracedJob, job: Job, events: Sequence[Event]) -> None:
        """Queue the spans of what has ended with these events, the last ones of the job."""
        with self._lock:  # the ids are for the next span
            for span in spans_of(job, events, traced):
                self._queue(traced, span)

    def close(self, seconds: float) -> None:
        """Try once to send what is queued; tell where that takes longer than so many seconds."""
        self._exporter.is_closing = True
        closing = Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(seconds)
        if closing.is_alive():
            self._exporter.failed(f"it takes longer than {seconds:g} s")
        else:
            self._words.stop()

    def _queue(self, traced: TracedJob, span: Span) -> None:
        self._ids.trace, self._ids.span = int(traced.trace_id, 16), int(span.id, 16)
        is_first = span.parent == traced.parent_id
        around = self._around(traced) if is_first else _within(traced.trace_id, span.parent)
        made = self._tracer.start_span(
            span.name,
            around,
            attributes={**span.attributes},
            start_time=_nanoseconds(span.began),
            record_exception=False,
        )
        if failure := span.failure:
            if failure.exception:
                at = _nanoseconds(span.ended)
                made.add_event("exception", {**failure.exception}, at)
            made.set_status(Status(StatusCode.ERROR, failure.description))
        made.end(_nanoseconds(span.ended))

    def _around(self, traced: TracedJob) -> Context:
        """Return what the job is a part of; nothing where it begins its trace."""
        if not traced.parent_id:
            return Context()
        flags = int(traced.parent.split("-")[3], 16)
        return _within(traced.trace_id, traced.parent_id, flags, is_remote=True)


def _within(
    trace: str, span: str, flags: int = TraceFlags.SAMPLED, *, is_remote: bool = False
) -> Context:
    place = SpanContext(int(trace, 16), int(span, 16), is_remote, TraceFlags(flags))
    return set_span_in_context(NonRecordingSpan(place), Context())


def _nanoseconds(at: float) -> int:
    return int(at * 1e9)


class _GivenIds(IdGenerator):
    """Gives the next span the ids that it is to have."""

    def __init__(self) -> None:
        self.trace = self.span = 0

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class _TellingExporter(SpanExporter):
    """Tells once that spans are not taken, and once that they are taken again."""

    def __init__(self, words: _Words, collector: str, tell: Tell) -> None:
        self._otlp, self._words, self._tell = OTLPSpanExporter(), words, tell
        self._where, self._is_failing = collector, False
        self.is_closing = False
        """Whether what fails now is not tried again."""
        words.on_word = self._on_word

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; what goes wrong is tried again for as long as OTEL_…_TIMEOUT says."""
        self._words.first = ""
        result = self._otlp.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self.failed(self._words.first)
        elif self._is_failing:
            self._is_failing = False
            self._tell(f"traces are sent to {self._where} again")
        return result

    def failed(self, why: str) -> None:
        """Tell why spans are not taken, unless that was told."""
        if not self._is_failing:
            self._is_failing = True
            why = self._words.first or why
            self._tell(f"traces cannot be sent to {self._where}, and have a gap: {why}")

    def shutdown(self) -> None:
        """Close connections, and try nothing again."""
        self._otlp.shutdown()  # type: ignore[no-untyped-call]

    def _on_word(self) -> None:
        if self.is_closing:
            self.shutdown()


class _Words(logging.Handler):
    """Takes what OpenTelemetry logs, which would log each batch that fails, over and over."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ""
        """Why the latest batch failed first."""
        self.on_word: Callable[[], object] = bool
        logger = logging.getLogger(SDK)
        self._propagated, logger.propagate = logger.propagate, False
        logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning."""
        if record.levelno >= logging.WARNING and not self.first:
            self.first = one_line(_why(record))
            self.on_word()

    def stop(self) -> None:
        """Let OpenTelemetry log as before."""
        logger = logging.getLogger(SDK)
        logger.removeHandler(self)
        logger.propagate = self._propagated


def _why(record: logging.LogRecord) -> str:
    """Return what a record says; where it is about an error, that which is behind all others."""
    for given in record.args if isinstance(record.args, tuple) else ():
        if isinstance(given, BaseException):
            error = given
            while behind := error.__cause__ or error.__context__:
                error = behind
            return getattr(error, "strerror", None) or str(error) or type(error).__name__
    return record.getMessage()
