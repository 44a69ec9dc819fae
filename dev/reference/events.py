"""The page of states, reasons and Kubernetes Events: from the docstrings of the domain."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from dev.reference.markdown import code, table, text

from enso_operator.controller.event_publisher import Note
from enso_operator.kube.event_recorder import WARNINGS
from job_execution_framework.domain import cause, row, transitions
from job_execution_framework.domain.events import Event, SessionEnded


def events_page() -> str:
    """Return the page."""
    return "".join(_page())


def _page() -> Iterator[str]:
    yield "# States, reasons and Events\n\n"
    yield (
        "What a job says of itself: in its status, in the failure card, in Events and in "
        "[metrics](metrics.md). What helps against a failure: "
        "[what a failure tells you](../failures.md). Following Events: "
        "[tell others what happens](../events.md).\n\n"
    )
    for title, kind in (("a job", transitions.JobState), ("a script", row.ScriptState)):
        yield f"## States of {title}\n\n"
        yield table(("state", "meaning"), described(kind))
    yield "## Reasons\n\n"
    yield "Why a script or a job failed, or waits; besides these, those of a script's `failOn`.\n\n"
    yield table(("reason", "meaning"), described(cause.Reason))
    yield "## Events\n\n"
    yield "What `kubectl describe ensojob` shows, each by its reason.\n\n"
    yield table(("Event", "type", "meaning"), _event_rows())


def described(kind: type) -> Iterator[list[str]]:
    """Yield the values of an enumeration, each with the docstring below it."""
    (body,) = ast.parse(inspect.getsource(kind)).body
    if not isinstance(body, ast.ClassDef):
        raise TypeError(body)
    for member, below in zip(body.body, [*body.body[1:], ast.Pass()], strict=True):
        if isinstance(member, ast.Assign) and isinstance(member.value, ast.Constant):
            said = below.value if isinstance(below, ast.Expr) else None
            if not isinstance(said, ast.Constant):
                raise TypeError(f"{kind.__name__}.{ast.unparse(member)} has no docstring below it")
            yield [code(member.value.value), text(str(said.value))]


def _event_rows() -> Iterator[list[str]]:
    for kind in transitions.RULES:
        yield [code(kind.__name__), _type(kind), text(inspect.getdoc(kind) or "")]
    for name, about in described(Note):
        yield [name, "Warning", about]


def _type(kind: type[Event]) -> str:
    if kind is SessionEnded:
        return "Normal; Warning where the session was lost"
    return "Warning" if issubclass(kind, WARNINGS) else "Normal"
