"""What people have asked of a job, and what came of it, where its events do not tell.

The status of an EnsoJob keeps neither names nor reasons: the EnsoActions have them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from enso_operator.api.document import Document
from enso_operator.kube.ensoaction import EnsoActionObject

MOST_ASKED = 100
"""Actions on a job that are shown, the latest."""


@dataclass(frozen=True)
class AskedAction:
    """An action that somebody has asked for."""

    at: float
    what: str
    """Such as ``resume from simulate``."""
    by: str = ""
    why: str = ""
    outcome: str = ""
    """What came of it, as a sentence; "" while nobody has acted on it."""
    is_refused: bool = False
    changes: tuple[tuple[str, Document], ...] = ()
    """Scripts that a resume changes, each with its change; sessions with an empty one."""


def asked_in(actions: list[EnsoActionObject], uid: str) -> list[AskedAction]:
    """Return the actions on the job with this uid, the latest first."""
    of_job = [action for action in actions if action.job_uid in ("", uid)]
    latest = sorted(of_job, key=lambda action: action.created, reverse=True)[:MOST_ASKED]
    return [_asked(action) for action in latest]


def _asked(action: EnsoActionObject) -> AskedAction:
    spec: Document = action.document["spec"]  # as JSON: a newer release may have written it
    succeeded = action.condition("Succeeded")
    return AskedAction(
        at=datetime.fromisoformat(action.created).timestamp(),
        what=_what(spec),
        changes=tuple(_changes(spec)),
        by=str(spec.get("by") or ""),
        why=str(spec.get("why") or ""),
        outcome=str(succeeded.get("message") or "") if action.is_finished else "",
        is_refused=action.is_finished and succeeded.get("status") != "True",
    )


def _what(spec: Document) -> str:
    """Return the verb, with what it is about."""
    verb = str(spec.get("verb"))
    block: Document = spec.get(verb) or {}
    details = [
        f" {word} {block[name]}"
        for name, word in (("script", ""), ("after", "after"), ("from", "from"))
        if block.get(name)
    ]
    if skipped := block.get("skip"):
        details.append(f", skipping {', '.join(map(str, skipped))}")
    return " ".join(f"{verb}{''.join(details)}".split())


def _changes(spec: Document) -> Iterator[tuple[str, Document]]:
    block: Document = spec.get(str(spec.get("verb"))) or {}
    for change in block.get("scripts") or ():
        yield str(change.get("name")), change
    for change in block.get("sessions") or ():
        yield str(change.get("name")), {}
