"""What is known of a script before anything runs: that its source, or its arguments, cannot work.

A source is read, never run, and nothing is imported. Only what is certain is told: of a ``main``
that is decorated, defined in a branch or bound twice nobody can know here what it takes.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from job_execution_framework.domain.script import Source

_MAIN = "main"
_MAY_REBIND = {
    *("exec", "eval", "globals", "locals", "vars", "setattr", "delattr"),
    *("update_wrapper", "__dict__", "__signature__", "__wrapped__"),
}
"""Names with which a module changes what its ``main`` is, without saying so."""


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
            compile(tree, source.file, "exec", dont_inherit=True)
        except SyntaxError as error:
            shown = f": {error.text.strip()}" if error.text else ""
            yield Unfit(f"does not compile: {error.msg}{shown}", error.lineno or 1)
            return
        except (RecursionError, MemoryError, OverflowError):
            return  # that is a limit of ours
        except ValueError as error:  # NUL, half a character
            yield Unfit(f"does not compile: {error}", 1)
            return
    if main := _certain_main(tree):
        yield from _misfits(main.args, arguments)


def _certain_main(tree: ast.Module) -> ast.FunctionDef | None:
    """Return the one ``main`` that the module can have, None where that is not certain."""
    found = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == _MAIN]
    if len(found) != 1 or found[0].decorator_list:
        return None
    main = found[0]
    for node in ast.walk(tree):
        if node is not main and (_binds_main(node) or _is_dynamic(node)):
            return None
        if _imports_all(node) and getattr(node, "lineno", 0) > main.lineno:
            return None
    return main


def _binds_main(node: ast.AST) -> bool:
    """Whether the node may make something else of ``main``."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = node.id if isinstance(node, ast.Name) else node.attr
        return name == _MAIN and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.alias):
        return (node.asname or node.name.partition(".")[0]) == _MAIN
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return _MAIN in node.names
    # Functions, classes, what an `except` or a `case` catches.
    names: Iterable[object] = (getattr(node, "name", None), getattr(node, "rest", None))
    return _MAIN in names


def _is_dynamic(node: ast.AST) -> bool:
    return getattr(node, "id", getattr(node, "attr", None)) in _MAY_REBIND


def _imports_all(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and any(one.name == "*" for one in node.names)


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
