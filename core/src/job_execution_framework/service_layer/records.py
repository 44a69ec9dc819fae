"""Events as records: one JSON line each, versioned, in the order in which they were written.

A session's log is its records and, as its last line, an End. A reader ignores fields that it does
not know, so that an older or a newer session's records stay readable.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Frame
from job_execution_framework.domain.errors import Unreadable

VERSION = 1
_KINDS: dict[str, type[events.Event]] = {
    kind.__name__: kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, events.Event)
}
_TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("at", "seconds", "after_seconds"), (int, float)),
    **dict.fromkeys(("seq", "number", "of", "attempt"), int),
    **dict.fromkeys(("scripts", "changed"), tuple),
    "parameters": dict,
    "cause": Cause,
    "output": object,
}
"""The types of fields that are no strings."""


@dataclass(frozen=True)
class End:
    """The session wrote all that it had to say; `broken` says what of our own broke, if anything."""

    broken: str = ""


Record = events.Event | End


def to_line(record: Record) -> bytes:
    """Return the record as one line, with its newline."""
    document = {"v": VERSION, "type": type(record).__name__, **_document(record)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> Record:
    """Read one line back. Raises Unreadable with a sentence."""
    try:
        document: dict[str, Any] = json.loads(line)
        version, kind = document.pop("v"), document.pop("type")
    except (ValueError, KeyError, AttributeError) as error:
        message = f"not a record: {line[:80]!r}"
        raise Unreadable(message) from error
    if version != VERSION:
        message = f"a record of version {version}, but this release reads version {VERSION}"
        raise Unreadable(message)
    if kind == "End":
        return End(str(document.get("broken", "")))
    if kind not in _KINDS:
        message = f"a record of type {kind!r}, which this release does not know"
        raise Unreadable(message)
    try:
        return _KINDS[kind](**_checked(_known(_KINDS[kind], document)))
    except (TypeError, ValueError) as error:
        message = f"a {kind} record that lacks something: {line[:80]!r}"
        raise Unreadable(message) from error


def from_log(log: bytes) -> list[Record]:
    """Read all whole lines of a log; one that is cut off at its end was never written."""
    return [from_line(line) for line in log.split(b"\n")[:-1]]


def _document(record: Record) -> dict[str, Any]:
    """Return the fields that differ from their defaults, and causes as objects of their own."""
    return {key: _plain(value) for key, value in vars(record).items() if value not in ("", None)}


def _plain(value: object) -> object:
    return _document_of(value) if isinstance(value, (Cause, Frame)) else value


def _document_of(part: Cause | Frame) -> dict[str, Any]:
    return {key: _plain(value) for key, value in vars(part).items() if value not in ("", None, ())}


def _known(kind: type, document: dict[str, Any]) -> dict[str, Any]:
    """Return the document's known fields: lists as tuples where a type has tuples, causes whole."""
    known = {field.name for field in fields(kind)}
    return {
        key: _cause(value) if key == "cause" else (tuple(value) if _is_tuple(key, value) else value)
        for key, value in document.items()
        if key in known
    }


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """Return `values`, or raise TypeError: whoever can write to the log could write anything."""
    for key, value in values.items():
        kind = _TYPES.get(key, str)
        if not isinstance(value, kind):
            message = f"{key} is {value!r}"
            raise TypeError(message)
    return values


def _is_tuple(key: str, value: object) -> bool:
    return key in ("scripts", "changed", "said") and isinstance(value, list)


def _cause(document: dict[str, Any]) -> Cause:
    values = _known(Cause, document)
    if at := values.get("at"):
        values["at"] = Frame(**_known(Frame, at))
    return Cause(**values)


def only_events(records: Iterable[Record]) -> tuple[events.Event, ...]:
    """Return the records that are events."""
    return tuple(record for record in records if isinstance(record, events.Event))
