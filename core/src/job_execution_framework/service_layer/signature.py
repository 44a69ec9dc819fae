"""The parameters of a script from the signature of its ``main``: hints, defaults and docstring.

The source is read, never imported or run. `preflight` checks arguments against them, and
``enso scripts`` shows them and writes them into EnsoScripts.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import replace

from job_execution_framework.domain.parameters import ABSENT, Parameter, Parameters
from job_execution_framework.service_layer import docstring
from job_execution_framework.service_layer.hints import Names, hinted
from job_execution_framework.service_layer.main_function import Reading


def parameters_in(reading: Reading) -> Parameters | None:
    """Return what ``main`` takes; None where that is not certain."""
    if reading.main is None:
        return None
    names, takes = Names.of(reading.module), reading.main.args
    said = docstring.descriptions(ast.get_docstring(reading.main) or "")
    listed = (
        _parameter(arg, default, said.get(arg.arg, ""), names)
        for arg, default in _with_defaults(takes)
    )
    return Parameters(tuple(listed), takes_others=takes.kwarg is not None)


def description_in(reading: Reading) -> str:
    """Return what the script does, as the docstring of ``main`` or of the module says."""
    for node in (reading.main, reading.module):
        if node is not None and (text := ast.get_docstring(node)):
            return docstring.summary(text)
    return ""


def _with_defaults(takes: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """Yield each parameter that has a name for callers, with its default."""
    by_place = len(takes.posonlyargs)
    every = [*takes.posonlyargs, *takes.args]
    defaults = [*[None] * (len(every) - len(takes.defaults)), *takes.defaults]
    yield from zip(every[by_place:], defaults[by_place:], strict=True)
    yield from zip(takes.kwonlyargs, takes.kw_defaults, strict=True)


def _parameter(arg: ast.arg, default: ast.expr | None, said: str, names: Names) -> Parameter:
    one = Parameter(arg.arg, required=default is None, description=said)
    one = hinted(one, arg.annotation, names)
    value = ABSENT if default is None else _json_of(default, names)
    return replace(one, default=value, nullable=one.nullable or value is None)


def _json_of(default: ast.expr, names: Names) -> object:
    """Return a default as JSON; ABSENT where it is none, or has to be computed."""
    if isinstance(default, ast.Call) and names.whole(default.func) == "pathlib.Path":
        default = default.args[0] if len(default.args) == 1 else default
    try:
        value: object = json.loads(json.dumps(ast.literal_eval(default), allow_nan=False))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return ABSENT
    return value
