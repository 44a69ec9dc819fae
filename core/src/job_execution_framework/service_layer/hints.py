"""What a type hint of a parameter says of the arguments that it takes.

`signature` asks. Hints are read as they are written, never evaluated: a name is what the source
imports it as. A hint that is not understood says nothing, so that any value is taken.
"""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from job_execution_framework.domain.parameters import Parameter, Type
from job_execution_framework.domain.values import is_list, is_mapping

DEEPEST = 16
"""How often a hint may lead to another one: a name to its value, an Optional to what it holds."""
_TYPING = {"typing", "typing_extensions", "collections.abc"}
_BUILTINS = {
    "int": Type.INTEGER,
    "float": Type.NUMBER,
    "str": Type.STRING,
    "bool": Type.BOOLEAN,
    "list": Type.LIST,
    "tuple": Type.LIST,
    "dict": Type.OBJECT,
}
_FROM_TYPING = {
    **dict.fromkeys(("List", "Tuple", "Sequence", "Iterable", "Collection"), Type.LIST),
    **dict.fromkeys(("Dict", "Mapping", "MutableMapping"), Type.OBJECT),
}
_PATHS = {"pathlib.Path", "pathlib.PurePath", "os.PathLike"}


@dataclass(frozen=True)
class Names:
    """What the names of a source stand for."""

    imported: dict[str, str]
    """The whole name of each imported one: ``np`` is ``numpy``."""
    assigned: dict[str, ast.expr | None]
    """Values of names that the module binds otherwise; None where that is not plain."""

    @classmethod
    def of(cls, module: ast.Module) -> Names:
        """Read the names of a module."""
        imported: dict[str, str] = {}
        assigned: dict[str, ast.expr | None] = {}
        for node in ast.walk(module):
            if isinstance(node, ast.Import):
                for alias in node.names:  # `import os.path` binds os
                    top = alias.name.partition(".")[0]
                    imported[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom):
                imported |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        for statement in module.body:
            for name, value in _bindings(statement):
                assigned[name] = None if name in assigned else value
        return cls(imported, assigned)

    def whole(self, node: ast.expr) -> str:
        """Return the whole name that a node is, such as ``pathlib.Path``; or ''."""
        if isinstance(node, ast.Attribute):
            return f"{before}.{node.attr}" if (before := self.whole(node.value)) else ""
        if not isinstance(node, ast.Name) or node.id in self.assigned:
            return ""
        return self.imported.get(node.id, node.id if hasattr(builtins, node.id) else "")


def _bindings(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        yield statement.name, None
    is_alias = type(statement).__name__ == "TypeAlias"  # `type Frames = int`, of Python 3.12
    target = getattr(statement, "name" if is_alias else "target", None)
    for bound in (target, *getattr(statement, "targets", ())):
        if isinstance(bound, ast.Name):
            yield bound.id, getattr(statement, "value", None)


def hinted(parameter: Parameter, hint: ast.expr | None, names: Names) -> Parameter:
    """Return the parameter with what its hint says."""
    return parameter if hint is None else _hinted(parameter, hint, names, DEEPEST)


def _hinted(one: Parameter, hint: ast.expr, names: Names, depth: int) -> Parameter:
    if depth == 0:
        return one
    if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
        return _hinted(one, _parsed(hint.value), names, depth - 1)
    if isinstance(hint, ast.Name) and (value := names.assigned.get(hint.id)) is not None:
        return _hinted(one, value, names, depth - 1)
    if isinstance(hint, ast.Subscript):
        return _subscripted(one, hint, names, depth - 1)
    if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
        return _union(one, [hint.left, hint.right], names, depth - 1)
    return replace(one, type=_type_of(names.whole(hint)))


def _type_of(name: str) -> Type | None:
    module, _, last = name.rpartition(".")
    if module in _TYPING:
        return _FROM_TYPING.get(last)
    return Type.PATH if name in _PATHS else _BUILTINS.get(name)


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Constant(None)


def _subscripted(one: Parameter, hint: ast.Subscript, names: Names, depth: int) -> Parameter:
    name = names.whole(hint.value)
    module, _, last = name.rpartition(".")
    inner = hint.slice.elts if isinstance(hint.slice, ast.Tuple) else [hint.slice]
    if module in _TYPING and last == "Optional":
        return _union(one, [*inner, ast.Constant(None)], names, depth)
    if module in _TYPING and last == "Union":
        return _union(one, inner, names, depth)
    if module in _TYPING and last == "Literal":
        return _literal(one, inner)
    if module in _TYPING and last == "Annotated":
        one = _hinted(one, inner[0], names, depth)
        for note in inner[1:]:
            one = _annotated(one, note)
        return one
    return replace(one, type=_type_of(name))


def _union(one: Parameter, members: list[ast.expr], names: Names, depth: int) -> Parameter:
    """Return what one of several hints says; types that are one to JSON count as one."""
    rest = [member for member in members if not _is_none(member)]
    read = [_hinted(replace(one, nullable=False), member, names, depth) for member in rest]
    nullable = len(rest) < len(members) or any(member.nullable for member in read)
    if len(read) == 1:
        return replace(read[0], nullable=nullable)
    types = {member.type for member in read}
    for both, kind in (
        ({Type.INTEGER, Type.NUMBER}, Type.NUMBER),
        ({Type.STRING, Type.PATH}, Type.PATH),
    ):
        if types <= both and not any(member.enum for member in read):
            return replace(one, type=kind, nullable=nullable)
    return replace(one, type=None, nullable=nullable)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _literal(one: Parameter, members: list[ast.expr]) -> Parameter:
    values = [_value(member) for member in members]
    taken = tuple(value for value in values if value is not None)
    if not all(isinstance(value, (str, int)) for value in taken):
        return one  # such as the member of an Enum
    types = {_BUILTINS[type(value).__name__] for value in taken}
    kind = types.pop() if len(types) == 1 else None
    return replace(one, type=kind, enum=taken, nullable=len(taken) < len(values))


def _annotated(one: Parameter, note: ast.expr) -> Parameter:
    """Return the parameter with what one item of an Annotated says."""
    if isinstance(note, ast.Call):
        name = getattr(note.func, "attr", getattr(note.func, "id", ""))
        named = {word.arg: _value(word.value) for word in note.keywords if word.arg}
        first = _value(note.args[0]) if note.args else None
        by_place = {"Ge": "ge", "Gt": "gt", "Le": "le", "Lt": "lt", "Doc": "description"}
        if name in by_place:
            named.setdefault(by_place[name], first)
        elif name not in ("Interval", "Field"):
            return one
        return _noted(one, named)
    value = _value(note)
    if isinstance(value, str):
        return _noted(one, {"description": value})
    return _noted(one, value) if is_mapping(value) else one


def _noted(one: Parameter, said: Mapping[Any, object]) -> Parameter:
    """Return the parameter with these limits; what cannot be meant so is passed over."""
    is_integer = one.type is Type.INTEGER
    least, most = said.get("minimum", said.get("ge")), said.get("maximum", said.get("le"))
    if is_integer and _is_number(above := said.get("gt")):
        least = math.floor(above) + 1
    if is_integer and _is_number(below := said.get("lt")):
        most = math.ceil(below) - 1
    if _is_number(least):
        one = replace(one, minimum=least)
    if _is_number(most):
        one = replace(one, maximum=most)
    if isinstance(pattern := said.get("pattern"), str):
        one = replace(one, pattern=pattern)
    if isinstance(text := said.get("description"), str):
        one = replace(one, description=text)
    if said.get("access") in ("read", "write"):
        one = replace(one, access=str(said["access"]))
    if is_list(values := said.get("enum")):
        one = replace(one, enum=tuple(values))
    return replace(one, secret=True) if said.get("secret") is True else one


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _value(node: ast.expr) -> object:
    """Return the value of a plain expression; of any other an object that is nothing known."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return ...
