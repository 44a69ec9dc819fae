"""What a resume changes, with the values: the old and the new one where both are known.

Both come as the job shows arguments, with secrets hidden and long values cut (`domain.secret`). The
page tells requests and events so, and `enso plan` what it plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from enso_operator.api.document import Document
from enso_operator.manifests.changes import difference
from job_execution_framework.domain import changes
from job_execution_framework.domain.definition import Arguments, Definition, shown_arguments
from job_execution_framework.domain.events import Event, JobResumed, JobUnpaused
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.parameters import shown
from job_execution_framework.domain.secret import HIDDEN

MOST_CHANGES = 8
"""Changes that are told one by one."""
NOT_GIVEN = "not given"
UNKNOWN: tuple[Arguments, Arguments] = ({}, {})
"""The arguments before and after a change where none are known."""
WITH_VALUES = {
    "timeoutSeconds",
    "idleTimeoutSeconds",
    "failOn",
    "retries",
    "image",
    "interpreter",
    "startTimeoutSeconds",
}
"""Fields whose values are told: of others they are long, or perhaps nobody else's business."""


def told_change(change: str, before: Arguments, after: Arguments) -> str:
    """Return one change, which stands there as ``script.args.name``, as a person would say it."""
    script, _, field = change.partition(".")
    if not field.startswith("args."):
        return f"{field} of {script}" if field else script
    name = field.removeprefix("args.")
    values = _both(name, before.get(script, {}), after.get(script, {}))
    return f"{name} of {script}: {values}" if values else f"{name} of {script}"


def told_definition(before: Job, after: Definition) -> list[str]:
    """Return the changes that another definition brings, as ``script.field: old → new``."""
    old, new = _fields(after, before.definition), _fields(before.definition, after)
    old_args, new_args = shown_arguments(before.scripts), shown_arguments(after.scripts)
    told: list[str] = []
    for change in changes.changes(before, after):
        key = change.is_script, change.of
        values = ""
        if change.field.startswith("args."):
            name = change.field.removeprefix("args.")
            values = _both(name, old_args[change.of], new_args[change.of])
        elif change.field in WITH_VALUES:
            values = _both(change.field, old.get(key, {}), new.get(key, {}))
        told.append(f"{change}: {values}" if values else str(change))
    return told


def _fields(before: Definition, after: Definition) -> dict[tuple[bool, str], Document]:
    """Return what differs in `after`, of each script (True) and session by its name."""
    return {
        (kind == "scripts", str(part["name"])): {
            field: value for field, value in part.items() if value is not None
        }
        for kind, parts in difference(before, after).items()
        for part in parts
    }


def _both(name: str, before: Mapping[str, object], after: Mapping[str, object]) -> str:
    """Return ``old → new``; "" where neither is known."""
    if name not in before and name not in after:
        return ""
    old, new = _value(before, name), _value(after, name)
    return HIDDEN if HIDDEN in old + new or old == new else f"{old} → {new}"


def told_values(script: str, args: Mapping[str, object], unset: Sequence[object]) -> Iterator[str]:
    """Yield changes of arguments of which only the new values are known."""
    for name, value in args.items():
        yield f"{name} of {script}: {_value({name: value}, name)}"
    for absent in unset:
        yield f"{absent} of {script}: {NOT_GIVEN}"


def listed(told: Iterable[str]) -> str:
    """Return changes as one text, bounded."""
    texts = [*told]
    more = len(texts) - MOST_CHANGES
    return "; ".join([*texts[:MOST_CHANGES], *([f"{more} more"] if more > 0 else [])])


def definitions_of(job: Job) -> dict[int, tuple[Arguments, Arguments]]:
    """Return the arguments before and after each resume that changed some, by its place.

    Definitions are numbered, and no event says which one it made: nothing is returned unless there
    is one for each of these resumes.
    """
    places = [place for place, event in enumerate(job.events) if changed_by(event)]
    if len(places) != job.definition_number - 1:
        return {}
    return {
        place: (job.arguments.get(number, {}), job.arguments.get(number + 1, {}))
        for number, place in enumerate(places, 1)
    }


def changed_by(event: Event) -> tuple[str, ...]:
    """Return what a resume changed, as ``script.field``; nothing of other events."""
    return event.changed if isinstance(event, JobResumed | JobUnpaused) else ()


def _value(arguments: Mapping[str, object], name: str) -> str:
    return shown(arguments[name]) if name in arguments else NOT_GIVEN
