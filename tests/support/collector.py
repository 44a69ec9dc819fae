"""A collector of traces in this process: takes OTLP over HTTP, and keeps the spans that it gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

Values = Mapping[str, str | int]


@dataclass(frozen=True)
class Received:
    """A span as it came, its times in seconds."""

    name: str
    trace: str
    id: str
    parent: str
    began: float
    ended: float
    attributes: Values
    is_error: bool
    description: str
    exceptions: tuple[Values, ...]
    resource: Values


@dataclass
class Collector:
    """Answers each request with `status`; keeps the spans of those that it takes."""

    status: int = 200
    spans: list[Received] = field(default_factory=list[Received])
    requests: int = 0
    goes_on: Event = field(default_factory=Event)
    """Cleared while requests get no answer."""

    def __enter__(self) -> Self:
        self.goes_on.set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/traces"
                assert self.headers["Content-Type"] == "application/x-protobuf"
                collector.requests += 1
                collector.goes_on.wait()
                if collector.status == 200:
                    collector.spans += _received(body)
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.goes_on.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process send its traces here, soon after it has any."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.address}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def named(self, name: str) -> Received:
        """Return the only span of this name."""
        (span,) = (span for span in self.spans if span.name == name)
        return span

    @property
    def tree(self) -> list[str]:
        """Return names in the order of their beginnings, each behind those that it is in."""
        by_id = {span.id: span for span in self.spans}

        def path(span: Received) -> str:
            whole = by_id.get(span.parent)
            return f"{path(whole)} > {span.name}" if whole else span.name

        return [path(span) for span in sorted(self.spans, key=lambda span: span.began)]


def _received(body: bytes) -> Iterable[Received]:
    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _values(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield _span(span, resource)


def _span(span: Span, resource: Values) -> Received:
    return Received(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano / 1e9,
        span.end_time_unix_nano / 1e9,
        _values(span.attributes),
        span.status.code == Status.STATUS_CODE_ERROR,
        span.status.message,
        tuple(_values(event.attributes) for event in span.events if event.name == "exception"),
        resource,
    )


def _values(pairs: Iterable[KeyValue]) -> Values:
    return {
        pair.key: pair.value.string_value
        if pair.value.HasField("string_value")
        else pair.value.int_value
        for pair in pairs
    }
