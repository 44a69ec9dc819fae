"""The types of the messages in a `PodFollower`'s inbox.

The watch of Pods (`backend.py`) puts PodSeen and PodGone into it, the reader of the run's log
(`records_reader.py`) the log's messages, and the follower itself a Wake.
"""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.api.document import Document


@dataclass(frozen=True)
class PodSeen:
    """The Pod's present state."""

    pod: Document


@dataclass(frozen=True)
class PodGone:
    """The Pod was removed; `last` is its last known state, if any."""

    last: Document | None = None


@dataclass(frozen=True)
class StreamBegins:
    """The log is read from its start."""


@dataclass(frozen=True)
class LogLines:
    """Lines of the log that were received together."""

    lines: list[bytes]


@dataclass(frozen=True)
class StreamEnded:
    """The stream ended, or there is no log; the session may still run and write more."""


@dataclass(frozen=True)
class LogUnavailable:
    """The log cannot be read now, and may have more; `why` is the API server's message."""

    why: str


@dataclass(frozen=True)
class Wake:
    """Compute again what is due."""


LogMessage = StreamBegins | LogLines | StreamEnded | LogUnavailable
Message = PodSeen | PodGone | LogMessage | Wake
