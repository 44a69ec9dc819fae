"""What is known of a script before anything runs: that its source, or its arguments, cannot work.

A source is read, never run, and nothing is imported. Only what is certain is told: of a ``main``
that is decorated, defined in a branch, bound twice or handed to anything, nobody can know here what
it takes, nor whether it is called where the source may end before.
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
_UNSURE = {
    *(_MAIN, "__main__", "exec", "eval", "setattr", "delattr", "__setattr__"),
    *("globals", "locals", "vars", "f_globals", "f_locals", "__globals__", "__dict__"),
    *("exit", "quit", "SystemExit"),
}
"""Names with which a source changes what its ``main`` is, or ends before that is called."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Unfit:
    """Why a script cannot work."""

    why: str
    """What follows the place in a sentence."""
    line: int | None = None
    """Line of the source; None where the source is not at fault."""
    argument: str = ""
    """The argument that is at fault, where it is one."""


def unfit(source: Source, arguments: Mapping[str, object]) -> Iterator[Unfit]:
    """Yield why the source, called with these arguments, cannot work in this Python.

    An older Python takes no more than this one does, a newer one may.
    """
    text = source.text.lstrip("\ufeff")  # as the session does it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text, source.file)
            code = compile(tree, source.file, "exec", dont_inherit=True)
            found = list(_unfit(tree, code, arguments))
        except SyntaxError as error:
            shown = f": {error.text.strip()}" if error.text else ""
            found = [Unfit(f"does not compile: {error.msg}{shown}", error.lineno or 1)]
        except (RecursionError, MemoryError, OverflowError):
            return  # that is a limit of ours
        except ValueError as error:  # NUL, half a character
            found = [Unfit(f"does not compile: {error}", 1)]
    yield from found


def _unfit(tree: ast.Module, code: CodeType, arguments: Mapping[str, object]) -> Iterator[Unfit]:
    statements = [part for statement in tree.body for part in _run(statement)]
    main = next((one for one in statements if _is_plain_main(one)), None)
    others = [one for one in statements if one is not main]
    evaluated = [*others, *(_evaluated(main) if main else ())]
    if any(_is_unsure(node, main) for part in evaluated for node in ast.walk(part)):
        return
    if isinstance(main, _Function):
        why = _not_called(code)
        yield from [Unfit(why, main.lineno)] if why else _misfits(main.args, arguments)
    elif not any(map(_calls, others)):
        yield Unfit("has no main: it needs `def main(...)`", 1)


def _run(statement: ast.stmt) -> list[ast.stmt]:
    """Return what of a statement is run: a script is a module, and never ``__main__``."""
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
    """Return what of a statement is evaluated when the module is, not when it is called."""
    if not isinstance(statement, _Function):
        return [statement]
    returns = [statement.returns] if statement.returns else []
    return [*statement.decorator_list, statement.args, *returns]


def _is_unsure(node: ast.AST, main: ast.stmt | None) -> bool:
    """Whether the node may make something else of ``main``, or end the module before its end.

    Any word counts, also a text, which may serve as a name; a parameter binds nothing outside.
    """
    if isinstance(node, ast.alias) and node.name == "*":
        return main is None or node.lineno > main.lineno
    words = (value for field, value in ast.iter_fields(node) if field != "arg")
    return any(isinstance(word, str) and word.partition(".")[0] in _UNSURE for word in words)


def _calls(statement: ast.stmt) -> bool:
    """Whether it calls anything when the module is run: that may end it, which is a success."""
    parts = _evaluated(statement)
    return any(isinstance(node, ast.Call) for part in parts for node in ast.walk(part))


def _not_called(code: CodeType) -> str:
    """Say why nobody calls a ``main`` of this kind, whatever it takes."""
    made = (one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == _MAIN)
    flags = next((one.co_flags for one in made), 0)
    if flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        return "has an `async def main`: use `def`, with asyncio.run inside it"
    if flags & inspect.CO_GENERATOR:
        return "has a main that is a generator: without its `yield` it would run"
    return ""


def _misfits(takes: ast.arguments, given: Mapping[str, object]) -> Iterator[Unfit]:
    positional = [*takes.posonlyargs, *takes.args]
    optional = positional[len(positional) - len(takes.defaults) :]
    keyword = zip(takes.kwonlyargs, takes.kw_defaults, strict=True)
    required = [one for one in positional if one not in optional]
    required += [one for one, default in keyword if default is None]
    named = {one.arg for one in (*takes.args, *takes.kwonlyargs)}
    listed = _listed(takes) or "no parameters"
    for one in required:
        if one.arg not in named & given.keys():
            yield Unfit(f"has no {one.arg!r}, but main takes {listed}")
    for name in given if takes.kwarg is None else ():
        if name not in named:
            why = f"is nothing that main takes: it takes {listed}"
            yield Unfit(why, argument=name)


def _listed(takes: ast.arguments) -> str:
    """Return what main takes as it is written, without types."""
    for one in (*takes.posonlyargs, *takes.args, *takes.kwonlyargs, takes.vararg, takes.kwarg):
        if one:
            one.annotation = None
    return ast.unparse(takes)
