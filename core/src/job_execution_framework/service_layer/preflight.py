"""Finds scripts that cannot work before anything runs. Called by ``enso run``.

It reads the source and the arguments, runs nothing and imports nothing. It reports only what is
certain. Where ``main`` is decorated, defined in a branch, bound twice or passed to something, what
it takes is unknown; where the source may end early, it is unknown whether ``main`` is missed.
"""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType

from job_execution_framework.domain.script import Source

_MAIN = "main"
_UNCERTAIN = {
    *(_MAIN, "__main__", "exec", "eval", "setattr", "delattr", "__setattr__"),
    *("globals", "locals", "vars", "f_globals", "f_locals", "__globals__", "__dict__"),
    *("exit", "quit", "SystemExit"),
}
"""Names with which a source may replace its ``main``, or end before that is called."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Problem:
    """Why a script cannot work."""

    why: str
    """The end of a sentence that begins with the script, or the line of it."""
    line: int | None = None
    """Line of the source; None where the source is not at fault."""
    argument: str = ""
    """The argument that is at fault, where there is one."""


def problems_of(source: Source, arguments: Mapping[str, object]) -> Iterator[Problem]:
    """Yield why the source, called with these arguments, cannot work in this Python.

    An older Python takes no more than this one does, a newer one may.
    """
    text = source.text.lstrip("\ufeff")  # as the session does it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text, source.file)
            code = compile(tree, source.file, "exec", dont_inherit=True)
            found = list(_problems(tree, code, arguments))
        except SyntaxError as error:
            shown = f": {error.text.strip()}" if error.text else ""
            found = [Problem(f"does not compile: {error.msg}{shown}", error.lineno or 1)]
        except (RecursionError, MemoryError, OverflowError):
            return  # a limit of this process, not a mistake in the source
        except ValueError as error:  # NUL, half a character
            found = [Problem(f"does not compile: {error}", 1)]
    yield from found


def _problems(
    tree: ast.Module, code: CodeType, arguments: Mapping[str, object]
) -> Iterator[Problem]:
    statements = [part for statement in tree.body for part in _executed(statement)]
    main = next(filter(_is_plain_main, statements), None)
    others = [statement for statement in statements if statement is not main]
    evaluated = [*others, *(_evaluated(main) if main else ())]
    if any(_is_uncertain(node, main) for part in evaluated for node in ast.walk(part)):
        return
    if isinstance(main, _Function):
        why = _why_not_called(code)
        yield from [Problem(why, main.lineno)] if why else _mismatches(main.args, arguments)
    elif not any(map(_calls, others)):
        yield Problem("has no main: it needs `def main(...)`", 1)


def _executed(statement: ast.stmt) -> list[ast.stmt]:
    """Return which part of a statement runs: a script is a module, and never ``__main__``."""
    match statement:
        case ast.If(
            test=ast.Compare(
                left=ast.Name(id="__name__"),
                ops=[ast.Eq()],
                comparators=[ast.Constant(value="__main__")],
            )
        ):
            return statement.orelse
        case _:
            return [statement]


def _is_plain_main(statement: ast.stmt) -> bool:
    if not isinstance(statement, _Function):
        return False
    return statement.name == _MAIN and not statement.decorator_list


def _evaluated(statement: ast.stmt) -> list[ast.AST]:
    """Return what of a statement is evaluated when the module runs, not when it is called."""
    if not isinstance(statement, _Function):
        return [statement]
    returns = [statement.returns] if statement.returns else []
    return [*statement.decorator_list, statement.args, *returns]


def _is_uncertain(node: ast.AST, main: ast.stmt | None) -> bool:
    """Whether the node may replace ``main``, or end the module before its last line.

    Every string in the node counts, as it may serve as a name; names of parameters bind nothing
    outside of their function.
    """
    if isinstance(node, ast.alias) and node.name == "*":
        return main is None or node.lineno > main.lineno
    words = (value for field, value in ast.iter_fields(node) if field != "arg")
    return any(isinstance(word, str) and word.partition(".")[0] in _UNCERTAIN for word in words)


def _calls(statement: ast.stmt) -> bool:
    """Whether the statement calls anything: the call may end the module, which succeeds then."""
    parts = _evaluated(statement)
    return any(isinstance(node, ast.Call) for part in parts for node in ast.walk(part))


def _why_not_called(code: CodeType) -> str:
    """Return why a ``main`` of this kind, such as a coroutine, is never called."""
    functions = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    flags = next((function.co_flags for function in functions if function.co_name == _MAIN), 0)
    if flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        return "has an `async def main`: use `def`, with asyncio.run inside it"
    if flags & inspect.CO_GENERATOR:
        return "has a main that is a generator: without its `yield` it would run"
    return ""


def _mismatches(takes: ast.arguments, given: Mapping[str, object]) -> Iterator[Problem]:
    positional = [*takes.posonlyargs, *takes.args]
    optional = positional[len(positional) - len(takes.defaults) :]
    keyword = zip(takes.kwonlyargs, takes.kw_defaults, strict=True)
    required = [parameter for parameter in positional if parameter not in optional]
    required += [parameter for parameter, default in keyword if default is None]
    named = {parameter.arg for parameter in (*takes.args, *takes.kwonlyargs)}
    listed = _listed(takes) or "no parameters"
    for parameter in required:
        if parameter.arg not in named & given.keys():
            yield Problem(f"has no {parameter.arg!r}, but main takes {listed}")
    for name in given if takes.kwarg is None else ():
        if name not in named:
            why = f"is nothing that main takes: it takes {listed}"
            yield Problem(why, argument=name)


def _listed(takes: ast.arguments) -> str:
    """Return what main takes as it is written, without types."""
    variadic = [parameter for parameter in (takes.vararg, takes.kwarg) if parameter]
    for parameter in (*takes.posonlyargs, *takes.args, *takes.kwonlyargs, *variadic):
        parameter.annotation = None
    return ast.unparse(takes)
