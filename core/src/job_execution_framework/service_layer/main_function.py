"""The ``main`` of a script's source, and what keeps it from being called.

It reads the source, runs nothing and imports nothing, and tells only what is certain. Where the
``main`` is decorated, defined in a branch, bound twice or passed to something, what it takes is
unknown; where the source may end early, it is unknown whether ``main`` is missed. `preflight` and
``enso scripts`` call it.
"""

from __future__ import annotations

import ast
import inspect
import warnings
from dataclasses import dataclass, field
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
class SourceProblem:
    """Why a source cannot work."""

    why: str
    """The end of a sentence that begins with the source."""
    line: int


@dataclass(frozen=True)
class Reading:
    """What a source says of its ``main``."""

    problems: tuple[SourceProblem, ...] = ()
    main: ast.FunctionDef | None = None
    """None where it is missing or not certain."""
    module: ast.Module = field(default_factory=lambda: ast.Module([], []))


def read(source: Source) -> Reading:
    """Read a source as this Python does: an older one takes no more, a newer one may."""
    text = source.text.lstrip("\ufeff")  # as the session does it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text, source.file)
            code = compile(tree, source.file, "exec", dont_inherit=True)
            return _reading(tree, code)
        except SyntaxError as error:
            shown = f": {error.text.strip()}" if error.text else ""
            why = f"does not compile: {error.msg}{shown}"
            return Reading((SourceProblem(why, error.lineno or 1),))
        except (RecursionError, MemoryError, OverflowError):
            return Reading()  # a limit of this process, not a mistake in the source
        except ValueError as error:  # NUL, half a character
            return Reading((SourceProblem(f"does not compile: {error}", 1),))


def _reading(tree: ast.Module, code: CodeType) -> Reading:
    statements = [part for statement in tree.body for part in _executed(statement)]
    main = next(filter(_is_plain_main, statements), None)
    others = [statement for statement in statements if statement is not main]
    evaluated = [*others, *(_evaluated(main) if main else ())]
    if any(_is_uncertain(node, main) for part in evaluated for node in ast.walk(part)):
        return Reading()
    if isinstance(main, _Function):
        if why := _why_not_called(main, code):
            return Reading((SourceProblem(why, main.lineno),))
        return Reading(main=main if isinstance(main, ast.FunctionDef) else None, module=tree)
    if any(map(_calls, others)):
        return Reading()
    return Reading((SourceProblem("has no main: it needs `def main(...)`", 1),))


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


def _why_not_called(main: ast.FunctionDef | ast.AsyncFunctionDef, code: CodeType) -> str:
    """Return why a ``main`` of this kind, such as a coroutine, is never called."""
    functions = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    flags = next((function.co_flags for function in functions if function.co_name == _MAIN), 0)
    if flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        return "has an `async def main`: use `def`, with asyncio.run inside it"
    if flags & inspect.CO_GENERATOR:
        return "has a main that is a generator: without its `yield` it would run"
    by_place = main.args.posonlyargs
    defaults = len(main.args.defaults) - len(main.args.args)
    if len(by_place) > max(0, defaults):
        return (
            f"has a main that needs {by_place[0].arg!r} by its place, but arguments are given by "
            "name: remove the `/`"
        )
    return ""
