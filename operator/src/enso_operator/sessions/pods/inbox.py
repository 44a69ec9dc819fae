"""What a `PodFollower` is told: the types of the messages in its inbox.

The watch of Pods (`backend.py`) puts PodSeen and PodGone into it, the reader of the run's log
(`records_reader.py`) the log's messages, and the follower itself a Wake.
"""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.api.document import Document


@dataclass(frozen=True)
class PodSeen:
    """How the Pod is now."""

    pod: Document


@dataclass(frozen=True)
class PodGone:
    """The Pod is no more; `last` is how it was seen last, if it was."""

    last: Document | None = None


@dataclass(frozen=True)
class StreamBegins:
    """The log is read from its start."""


@dataclass(frozen=True)
class LogLines:
    """Lines of the log that came together."""

    lines: list[bytes]


@dataclass(frozen=True)
class StreamEnded:
    """The log has no more lines now, or there is no log; the session may go on all the same."""


@dataclass(frozen=True)
class LogUnavailable:
    """The log cannot be read now, which tells nothing of it; `why` is what the API server says."""

    why: str


@dataclass(frozen=True)
class Wake:
    """Something may be due: look at the clock again."""


LogMessage = StreamBegins | LogLines | StreamEnded | LogUnavailable
Message = PodSeen | PodGone | LogMessage | Wake
