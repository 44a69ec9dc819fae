"""What a resume changes, with the values: the old and the new one where both are known.

Both come as the job shows arguments, with secrets hidden and long values cut (`domain.secret`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from job_execution_framework.domain.definition import Arguments
from job_execution_framework.domain.events import Event, JobResumed, JobUnpaused
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.parameters import shown
from job_execution_framework.domain.secret import HIDDEN

MOST_CHANGES = 8
"""Changes that are told one by one."""
NOT_GIVEN = "not given"


def told_change(change: str, before: Arguments, after: Arguments) -> str:
    """Return one change, which stands there as ``script.args.name``, as a person would say it."""
    script, _, field = change.partition(".")
    if not field.startswith("args."):
        return f"{field} of {script}" if field else script
    name = field.removeprefix("args.")
    if name not in before.get(script, {}) and name not in after.get(script, {}):
        return f"{name} of {script}"
    old = _value(before.get(script, {}), name)
    new = _value(after.get(script, {}), name)
    what = HIDDEN if HIDDEN in old + new or old == new else f"{old} → {new}"
    return f"{name} of {script}: {what}"


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
