"""Traces of jobs, off unless the environment says so with OpenTelemetry's own variables.

Whoever drives jobs asks for a `Tracing` when it starts, and for a `JobTrace` of each job. Only
where traces are on is OpenTelemetry's SDK imported, which takes a tenth of a second.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from enso_operator.observability.traced_job import TracedJob
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job

CLOSE_SECONDS = 2.0
"""How long whoever stops waits until the last spans are sent."""
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
DEFAULT_ENDPOINT = "http://localhost:4318"
EXPORTER, DISABLED = "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"
OTLP, PROTOCOL = "otlp", "http/protobuf"
_log = logging.getLogger(__name__)


class Sender(Protocol):
    """Sends spans, without ever waiting for whoever receives them."""

    def takes(self, traced: TracedJob) -> bool:
        """Whether the job's trace is one of those that are sent."""
        ...

    def send(self, traced: TracedJob, job: Job, events: Sequence[Event]) -> None:
        """Send the spans of what has ended with these events, the last ones of the job."""
        ...

    def close(self, seconds: float) -> None:
        """Send what is left, within so many seconds."""
        ...


@dataclass(frozen=True)
class JobTrace:
    """The trace of one job."""

    traced: TracedJob
    sender: Sender | None
    """None where traces are off."""
    is_sent: bool
    """Whether it is one of the traces that are sent."""

    @property
    def traceparent(self) -> str:
        """What the plans of its sessions say of it; empty where traces are off."""
        return self.traced.traceparent(sampled=self.is_sent) if self.sender else ""

    def committed(self, job: Job, events: Sequence[Event]) -> None:
        """Send the spans of what has ended: a `Listener`, told of each event once."""
        if not (self.sender and self.is_sent):
            return
        try:
            self.sender.send(self.traced, job, events)
        except Exception:  # noqa: BLE001  # a job is worth more than its trace
            _log.exception("job %s: its trace has a gap", job.id)


@dataclass(frozen=True)
class Tracing:
    """The traces of all jobs that this process drives."""

    sender: Sender | None = None

    def of(self, traced: TracedJob) -> JobTrace:
        """Return the trace of a job."""
        return JobTrace(traced, self.sender, bool(self.sender and self.sender.takes(traced)))

    def close(self) -> None:
        """Send what is left; it takes CLOSE_SECONDS at most."""
        if self.sender:
            self.sender.close(CLOSE_SECONDS)


def tracing_of(
    environment: Mapping[str, str], service: str, tell: Callable[[str], None]
) -> Tracing:
    """Return what the environment of this process asks for.

    `service` is its name in traces, unless the environment has another, and `tell` takes sentences
    for whoever runs it.
    """
    if not _is_wanted(environment):
        return Tracing()
    if why := _why_not(environment):
        tell(f"traces are off: {why}")
        return Tracing()
    from enso_operator.observability.otlp import OtlpSender  # noqa: PLC0415  # as above

    try:
        return Tracing(OtlpSender(service, _collector(environment), tell))
    except (ValueError, OSError) as error:
        tell(f"traces are off, as an OTEL_ variable of the environment is wrong: {error}")
        return Tracing()


def _is_wanted(environment: Mapping[str, str]) -> bool:
    if environment.get(DISABLED, "").strip().lower() == "true":
        return False
    exporter = environment.get(EXPORTER, "").strip()
    return exporter != "none" if exporter else any(environment.get(name) for name in ENDPOINTS)


def _collector(environment: Mapping[str, str]) -> str:
    """Return host and port, without what else may stand in the address."""
    given = next((environment[name] for name in ENDPOINTS if environment.get(name)), "")
    return urlsplit(given or DEFAULT_ENDPOINT).netloc.rpartition("@")[2] or repr(given)


def _why_not(environment: Mapping[str, str]) -> str:
    exporter = environment.get(EXPORTER, "").strip() or OTLP
    if exporter != OTLP:
        return f"{EXPORTER} is {exporter!r}, but only {OTLP!r} is there"
    name = next((name for name in PROTOCOLS if environment.get(name)), "")
    if name and environment[name] != PROTOCOL:
        return (
            f"{name} is {environment[name]!r}, but only {PROTOCOL!r} is there, which collectors "
            "take at port 4318"
        )
    return ""
