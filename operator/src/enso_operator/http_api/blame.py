"""Which part of a resume is to blame where it is not possible: found by leaving parts out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from enso_operator.api.ensoaction import ResumeSpec, ScriptChange
from job_execution_framework.domain.arguments import ArgumentProblem

Part = Literal["scripts", "from_script", "skip"]
WhyNot = Callable[[ResumeSpec], str]
"""Returns why a resume is not possible; "" where it is."""
PARTS: tuple[Part, ...] = ("scripts", "from_script", "skip")
"""What can be left out, in the order in which it is tried."""
MOST_TRIED = 10
"""Changed arguments that are tried one by one: of a hundred scripts each takes 50 ms."""


@dataclass(frozen=True)
class Refusal:
    """Why a resume is not possible, and what of it is to blame."""

    why: str
    """A whole sentence about the job."""
    part: Part | None = None
    """None where it is no part alone."""
    script: str = ""
    argument: str = ""
    """Of `scripts` the argument, where it is one alone."""
    problem: ArgumentProblem | None = None
    """What the script has against the argument; None where it is the job that refuses a change."""


def blamed(
    resume: ResumeSpec, why_not: WhyNot, first: str
) -> tuple[tuple[Refusal, ...], ResumeSpec]:
    """Return what is to blame that a resume is not possible, and what would be without it.

    It is the least that has to be left out, or that it does not name the script to run again from:
    `first` is that of the job. The second is not possible, either, where no part is to blame.
    """
    given: list[Part] = [part for part in PARTS if getattr(resume, part)]
    for count in range(1, len(given) + 1):
        for left_out in combinations(given, count):
            rest = _without(resume, left_out)
            if not why_not(rest):
                refusals = tuple(_refusals(resume, rest, left_out, why_not))
                kept = rest.model_copy(update={"scripts": _kept(resume, refusals)})
                return refusals, rest if why_not(kept) else kept
    again = resume.model_copy(update={"from_script": first})
    if not resume.from_script and not why_not(again):
        return (Refusal(why_not(resume), "from_script"),), again
    return (Refusal(why_not(resume)),), resume


def _refusals(
    resume: ResumeSpec, rest: ResumeSpec, left_out: tuple[Part, ...], why_not: WhyNot
) -> Iterator[Refusal]:
    """Yield what each of these parts alone, beside what is possible, is refused for."""
    for part in left_out:
        found = [*_changes(resume, rest, why_not)] if part == "scripts" else []
        why = why_not(rest.model_copy(update={part: getattr(resume, part)}))
        yield from found or [Refusal(why or why_not(resume), part)]


def _changes(resume: ResumeSpec, rest: ResumeSpec, why_not: WhyNot) -> Iterator[Refusal]:
    """Yield the arguments whose changes are refused, each tried alone."""
    single = ((change.name, *only) for change in resume.scripts for only in _arguments(change))
    for (script, name, change), _ in zip(single, range(MOST_TRIED), strict=False):
        if why := why_not(rest.model_copy(update={"scripts": [change]})):
            yield Refusal(why, "scripts", script, name)


def _kept(resume: ResumeSpec, refusals: tuple[Refusal, ...]) -> list[ScriptChange]:
    """Return the changes without those that are refused; none where they are refused together."""
    if not all(refusal.argument for refusal in refusals if refusal.part == "scripts"):
        return []
    refused = {(refusal.script, refusal.argument) for refusal in refusals}
    return [
        change.model_copy(
            update={
                "args": {
                    name: value
                    for name, value in change.args.items()
                    if (change.name, name) not in refused
                },
                "unset_args": [
                    name for name in change.unset_args if (change.name, name) not in refused
                ],
            }
        )
        for change in resume.scripts
    ]


def _arguments(change: ScriptChange) -> Iterator[tuple[str, ScriptChange]]:
    """Yield each argument that is changed, and its change alone."""
    for name, value in change.args.items():
        yield name, ScriptChange(name=change.name, args={name: value})
    for name in change.unset_args:
        yield name, ScriptChange(name=change.name, unset_args=[name])


def _without(resume: ResumeSpec, parts: tuple[Part, ...]) -> ResumeSpec:
    empty = ResumeSpec()
    return resume.model_copy(update={part: getattr(empty, part) for part in parts})
