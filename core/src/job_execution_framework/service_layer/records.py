"""Events as records: one line of JSON each, with a version, in the order of their writing.

A session's log is its records, the last of which is an End. Written by `runtime.journal`, read by
it and by the adapters of sessions (`enso_operator.sessions`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from job_execution_framework.domain import events
from job_execution_framework.domain.errors import Unreadable
from job_execution_framework.domain.transitions import RULES
from job_execution_framework.service_layer import bounded_json
from job_execution_framework.service_layer.codec import from_document, to_document

VERSION = 1


@dataclass(frozen=True)
class End:
    """The last record of a session; `broken` is an error of enso itself, empty if none."""

    broken: str = ""
    killed: tuple[str, ...] = ()
    """Processes that its scripts left running and that had to be killed."""


Record = events.Event | End
_KINDS: dict[str, type[Record]] = {kind.__name__: kind for kind in (*RULES, End)}


def to_line(record: Record) -> bytes:
    """Return the record as one line, with its newline."""
    document = {"v": VERSION, "type": type(record).__name__, **to_document(record)}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace") + b"\n"  # a lone surrogate, as JSON escapes it


def from_line(line: bytes) -> Record:
    """Read one line back. Raises Unreadable with a sentence."""
    try:
        document = bounded_json.loads(line)
        if (version := document["v"]) != VERSION:
            known = f"this release reads version {VERSION}"
            raise Unreadable(f"a record of version {version}, but {known}")
        if (kind := document["type"]) not in _KINDS:
            raise Unreadable(f"a record of type {kind!r}, which this release does not know")
        return from_document(_KINDS[kind], document)
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"not a record: {line[:80]!r}: {error}") from error


def from_log(log: bytes) -> list[Record]:
    """Read all whole lines of a log. A last line without its newline does not count."""
    return [from_line(line) for line in log.split(b"\n")[:-1]]


def only_events(records: Iterable[Record]) -> tuple[events.Event, ...]:
    """Return the records that are events."""
    return tuple(record for record in records if isinstance(record, events.Event))
