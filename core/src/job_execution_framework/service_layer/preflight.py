"""Finds what cannot work before anything of a job starts: sources and arguments of its scripts.

`enso run`, `services.add` and the operator call it. What a script takes is declared (by an
EnsoScript), or else in the signature of its ``main``; the operator reads only what is declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from job_execution_framework.domain import arguments
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.parameters import Parameters
from job_execution_framework.domain.patterns import why_not
from job_execution_framework.domain.script import Script, Source, Work, declared_by
from job_execution_framework.service_layer.library import Library, resolved
from job_execution_framework.service_layer.main_function import Reading, read
from job_execution_framework.service_layer.signature import parameters_in


@dataclass(frozen=True)
class Problem:
    """Why a script cannot work."""

    why: str
    """The end of a sentence that begins with the script, with the line of it or its argument."""
    line: int | None = None
    """Line of the source; None where the source is not at fault."""
    argument: str = ""
    """The argument that is at fault, where there is one."""


def problems_of(script: Script, work: Work) -> Iterator[Problem]:
    """Yield why a script that runs `work` cannot work in this Python."""
    reading = read(work) if isinstance(work, Source) else Reading()
    yield from (Problem(found.why, line=found.line) for found in reading.problems)
    takes = declared_by(work) or parameters_in(reading)
    if takes is None:
        return
    line = reading.main.lineno if reading.main else None
    for parameter in takes.listed:
        if why := why_not(parameter.pattern):
            yield Problem(f"has a pattern for {parameter.name!r} that {why}", line=line)
    for found in arguments.problems(script.name, takes, script.parameters):
        yield Problem(found.why, argument=found.parameter)


def taken_by(work: Work) -> Parameters | None:
    """Return the parameters of what a script runs: the declared ones, or those of its source."""
    declared = declared_by(work)
    return parameters_in(read(work)) if isinstance(work, Source) and not declared else declared


def argument_problems(
    scripts: Iterable[Script],
    library: Library,
    takes: Callable[[Work], Parameters | None] = taken_by,
) -> list[str]:
    """Return a sentence for each argument that a script does not take, or misses."""
    return [
        str(problem)
        for script in scripts
        if (taken := takes(resolved(script.work, library))) is not None
        for problem in arguments.problems(script.name, taken, script.parameters)
    ]


def check_arguments(
    scripts: Iterable[Script],
    library: Library,
    takes: Callable[[Work], Parameters | None] = taken_by,
) -> None:
    """Raise InvalidJob with all of `argument_problems`, where there are any."""
    if problems := argument_problems(scripts, library, takes):
        raise InvalidJob(*problems)
