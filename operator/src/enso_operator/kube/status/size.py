"""Limits the size of a status, and computes merge patches of it.

`write.py` and the unit of work call it. Fields that the job's decisions need always fit; details
for people are cut, in the order of `CUTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from enso_operator.api.document import is_document
from enso_operator.api.status import LARGEST_STATUS, EnsoJobStatus, Failure, Ledger, ScriptStatus
from job_execution_framework.domain.events import COORDINATOR

LARGEST_SENT_STATUS = LARGEST_STATUS - 4096
"""Bytes of a status as it is sent, without its revision; the API server writes `<` in six bytes."""


def document_of(status: EnsoJobStatus) -> dict[str, Any]:
    """Return the status as JSON, without fields that are not set."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


def size_of(status: EnsoJobStatus) -> int:
    """Return the bytes of the status as JSON."""
    text = status.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True)
    return len(text.encode())


def merge_patch(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7386) that makes `after` of `before`: only what differs."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if is_document(old) and is_document(value):
            if below := merge_patch(old, value):
                patch[key] = below
        elif old != value:
            patch[key] = value
    return patch


def revised_patch(before: EnsoJobStatus, after: EnsoJobStatus) -> dict[str, Any]:
    """Return the patch that makes `after` of `before`, with the next revision; empty if equal."""
    old, new = document_of(before), document_of(after)
    revision: dict[str, int] = {}
    if before.ledger:
        revision = {"revision": before.ledger.revision or 0}
        old["ledger"] |= revision
        new["ledger"] = new.get("ledger", {}) | revision
    if patch := merge_patch(old, new):
        patch["ledger"] = patch.get("ledger", {}) | {"revision": revision.get("revision", 0) + 1}
    return patch


def fitted(status: EnsoJobStatus) -> EnsoJobStatus:
    """Return the status, with details for people cut until it fits."""
    for cut, limit in CUTS:
        if size_of(status) <= LARGEST_SENT_STATUS:
            break
        status = cut(status, limit)
    return status


def _cut_earlier_attempts(status: EnsoJobStatus, kept: int) -> EnsoJobStatus:
    return _with_rows(status, "earlier", lambda row: (row.earlier or [])[::-1][:kept][::-1])


def _cut_messages(status: EnsoJobStatus, length: int) -> EnsoJobStatus:
    return _with_rows(status, "message", lambda row: (row.message or "")[:length])


def _with_rows(
    status: EnsoJobStatus, field: str, shortened: Callable[[ScriptStatus], object]
) -> EnsoJobStatus:
    rows = [row.model_copy(update={field: shortened(row) or None}) for row in status.scripts or ()]
    return status.model_copy(update={"scripts": rows})


def _drop_old_cursors(status: EnsoJobStatus, _: int) -> EnsoJobStatus:
    """Drop the cursors of sessions that have ended: how many of their records were read."""
    ledger = status.ledger or Ledger()
    kept = {COORDINATOR, ledger.run.name if ledger.run else COORDINATOR}
    cursors = {origin: seq for origin, seq in (ledger.cursors or {}).items() if origin in kept}
    return status.model_copy(update={"ledger": ledger.model_copy(update={"cursors": cursors})})


def _cut_failures(status: EnsoJobStatus, length: int) -> EnsoJobStatus:
    ledger = status.ledger or Ledger()
    sessions = [
        session.model_copy(update={"lost_by": _cut_failure(session.lost_by, length)})
        for session in ledger.sessions or ()
    ]
    update = {"failed": _cut_failure(ledger.failed, length), "sessions": sessions or None}
    return status.model_copy(
        update={
            "failure": _cut_failure(status.failure, length),
            "ledger": ledger.model_copy(update=update),
        }
    )


def _cut_failure(failure: Failure | None, length: int) -> Failure | None:
    """Cut each text of a failure; the message, which people read first, may be twice as long."""
    if failure is None:
        return None
    return failure.model_copy(
        update={
            "message": (failure.message or "")[: 2 * length] or None,
            "error": (failure.error or "")[:length] or None,
            "root": (failure.root or "")[:length] or None,
            "said": [line[:length] for line in failure.said or ()] or None,
            "at": failure.at
            and failure.at.model_copy(
                update={
                    "file": failure.at.file[:length],
                    "function": failure.at.function[:length],
                    "text": (failure.at.text or "")[:length] or None,
                }
            ),
        }
    )


def _cut_done_rows(status: EnsoJobStatus, fields: int) -> EnsoJobStatus:
    """Drop the first few of these fields of scripts that are done, but of the one that failed.

    Outputs stay. Without its end the replay of a script that failed is not delayed any more.
    """
    names = ["seconds", "exit_code", "start_time", "completion_time"]
    gone: dict[str, None] = dict.fromkeys(names[:fields])
    rows = [
        row.model_copy(update=gone) if row.done and row.name != status.script else row
        for row in status.scripts or ()
    ]
    return status.model_copy(update={"scripts": rows})


CUTS: list[tuple[Callable[[EnsoJobStatus, int], EnsoJobStatus], int]] = [
    *((_cut_earlier_attempts, kept) for kept in (5, 2, 1, 0)),
    *((_cut_messages, length) for length in (64, 0)),
    (_drop_old_cursors, 0),
    *((_cut_failures, length) for length in (256, 128, 64, 32)),
    *((_cut_done_rows, fields) for fields in (1, 2, 3, 4)),
]
"""The steps in which details are cut, in this order, until the status fits."""
