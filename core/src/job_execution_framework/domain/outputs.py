"""Outputs: what the `main` of a script returned, and how it becomes an argument of a later script.

A row keeps the newest output of its script (`domain.row`), `service_layer.handing_on` hands it to
whoever takes it, and `check` finds what can never be handed on before anything of a job starts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from copy import deepcopy
from dataclasses import dataclass

from job_execution_framework.domain.errors import NoOutput
from job_execution_framework.domain.parameters import listed
from job_execution_framework.domain.values import (
    TOO_DEEP,
    is_mapping,
    is_too_deep,
    keys_and_leaves,
    leaves,
)

LARGEST_BYTES = 4 * 1024
"""Bytes of JSON of one output."""
LARGEST_OF_A_JOB = 16 * 1024
"""Bytes of JSON of the outputs of all scripts of a job together: its status holds them."""
LARGEST_INTEGER = 2**63 - 1
"""An API server keeps no larger one."""


@dataclass(frozen=True)
class OutputOf:
    """An argument that is the output of an earlier script, or what that has under `key`."""

    script: str
    key: str | None = None

    def __str__(self) -> str:
        whole = f"the output of {self.script}"
        return whole if self.key is None else f"{self.key} of {whole}"

    def __repr__(self) -> str:
        """Return what events show of the argument."""
        return f"<{self}>"


@dataclass(frozen=True)
class Output:
    """What `main` returned: JSON other than null, without secrets."""

    value: object
    attempt: int
    """Number of the attempt that returned it."""


def size_of(value: object) -> int:
    """Return the bytes of an output, as all bounds count them."""
    return len(json.dumps(value))


def unfit(value: object) -> str:
    """Return why a JSON value can be no output, as the end of a sentence; empty if it can."""
    if is_too_deep(value):
        return TOO_DEEP
    if (size := size_of(value)) > LARGEST_BYTES:
        return f"has {size} bytes of JSON, at most {LARGEST_BYTES} are kept: write it to a file"
    for leaf in keys_and_leaves(value):
        if isinstance(leaf, int) and abs(leaf) > LARGEST_INTEGER:
            return "has an integer of more than 64 bits: return it as text"
        if isinstance(leaf, str) and not _is_unicode(leaf):
            return f"has the text {leaf!a}, which is no Unicode: return it in another form"
    return ""


def too_much(outputs: Mapping[str, Output], script: str, value: object) -> str:
    """Return why an output of `script` finds no room beside those of the others; or empty."""
    others = {name: size_of(output.value) for name, output in outputs.items() if name != script}
    if value is None or (total := sum(others.values()) + size_of(value)) <= LARGEST_OF_A_JOB:
        return ""
    largest = max(others, key=lambda name: others[name])
    return (
        f"main returned {size_of(value)} bytes of JSON, and the outputs of the job would have "
        f"{total}, at most {LARGEST_OF_A_JOB} are kept: write them to files; the largest of the "
        f"others is that of {largest}, {others[largest]} bytes"
    )


def references(parameters: Mapping[str, object]) -> dict[str, OutputOf]:
    """Return the arguments that are outputs of other scripts."""
    return {name: value for name, value in parameters.items() if isinstance(value, OutputOf)}


def mistakes(
    parameters_of: Mapping[str, Mapping[str, object]], without: AbstractSet[str]
) -> Iterator[str]:
    """Yield a sentence for each argument of a job that can never be had.

    `parameters_of` has the arguments of each script, in the job's order; the scripts of `without`
    have no output.
    """
    names, before = list(parameters_of), list[str]()
    for script, parameters in parameters_of.items():
        for argument, value in parameters.items():
            what = f"script {script!r}: argument {argument!r}"
            if not isinstance(value, OutputOf):
                if any(isinstance(leaf, OutputOf) for leaf in leaves(value)):
                    yield f"{what} contains an output: only a whole argument can be one"
            elif why := _why_never(value, script, names, before, without):
                yield f"{what} is {value}, {why}"
        before.append(script)


def _why_never(
    of: OutputOf, script: str, names: list[str], before: list[str], without: AbstractSet[str]
) -> str:
    if of.script not in names:
        known = f"before it are {listed(before)}" if before else "no script stands before it"
        return f"and the job has no script {of.script!r}: {known}"
    if of.script == script:
        return "its own: name a script before it"
    if of.script not in before:
        return f"which stands after it: put {of.script!r} before {script!r}"
    if of.script in without:
        return "which is a container, and has no output: name a script with a main"
    return ""


def handed(parameters: Mapping[str, object], outputs: Mapping[str, Output]) -> dict[str, object]:
    """Return the arguments with outputs in their places. Raises NoOutput with a sentence for all.

    Each is a copy, as a script may change what it is given.
    """
    if absent := [
        f"argument {name!r} is {of}, {why}: run {of.script!r} again so that its main returns it"
        for name, of in references(parameters).items()
        if (why := why_absent(of, outputs.get(of.script)))
    ]:
        raise NoOutput("; ".join(absent))
    return {
        name: deepcopy(_taken(value, outputs[value.script]))
        if isinstance(value, OutputOf)
        else value
        for name, value in parameters.items()
    }


def why_absent(of: OutputOf, output: Output | None) -> str:
    """Return why an output cannot be handed on, as part of a sentence; empty if it can."""
    if output is None:
        return "which has none"
    if of.key is None:
        return ""
    if not is_mapping(output.value):
        return "which is no mapping, and has no keys"
    if of.key not in output.value:
        keys = [str(key) for key in output.value]
        return f"which has {listed(keys) if keys else 'no keys'}"
    return ""


def _taken(of: OutputOf, output: Output) -> object:
    value = output.value
    return value[of.key] if of.key is not None and is_mapping(value) else value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True
