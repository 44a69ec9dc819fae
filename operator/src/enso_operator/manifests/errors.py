"""Validation errors as sentences: the field's path, what is wrong with its value, what to do."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from enso_operator.api.fields import PATTERN_HINTS
from enso_operator.api.pod_fields import PodFields
from job_execution_framework.domain.values import is_list, is_mapping

Location = tuple[int | str, ...]

LONGEST_SHOWN = 60
"""Characters of a wrong value that a sentence shows."""
MOST_FIELDS_NAMED = 12
"""Known fields that a sentence lists where none is near to the unknown one."""
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_]+\Z")


def path_of(location: Location, document: object) -> str:
    """Return a field's path; items of a list by their names, where these tell them apart."""
    path, here = "", document
    for part in location:
        if is_list(here) and isinstance(part, int):
            path += f"[{_label(here, part)}]"
            here = here[part] if part < len(here) else None
        elif part != "[key]":
            plain = _PLAIN_KEY.match(str(part))
            path += (f".{part}" if path else str(part)) if plain else f"[{part}]"
            here = here.get(part) if is_mapping(here) else None
    return path


def _label(items: Sequence[object], index: int) -> object:
    names = [item.get("name") if is_mapping(item) else None for item in items]
    name = names[index] if index < len(names) else None
    return name if isinstance(name, str) and name and names.count(name) == 1 else index


def misshapen(document: object) -> Iterator[tuple[Location, str]]:
    """Yield values that no field may hold: null, and numbers and texts that JSON does not have."""
    yield from _misshapen(document, (), free=False)


def _misshapen(value: object, location: Location, *, free: bool) -> Iterator[tuple[Location, str]]:
    if value is None and not free:
        yield location, "is empty: give it a value, or remove the line"
    elif isinstance(value, float) and not math.isfinite(value):
        yield location, f"is {value}, no number that JSON has: write another, or a text in quotes"
    elif isinstance(value, str) and not _is_text(value):
        yield location, "holds half of a character (a surrogate): write it as plain text"
    elif is_mapping(value):
        for key, item in value.items():
            name = str(key)
            if not _is_text(name):
                yield location, "has a key with half of a character (a surrogate): rename it"
                continue
            inside = free or name == "instructions" or (name == "args" and is_mapping(item))
            yield from _misshapen(item, (*location, name), free=inside)
    elif is_list(value):
        for i, item in enumerate(value):
            yield from _misshapen(item, (*location, i), free=free)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def sentences(
    errors: Sequence[ErrorDetails], model: type[BaseModel]
) -> Iterator[tuple[Location, str]]:
    """Yield for each error its location and what follows the path in a sentence."""
    meant: set[Location] = set()
    for error in errors:
        if error["type"] == "extra_forbidden" and (near := _near(error["loc"], model)):
            meant.add((*error["loc"][:-1], near))
    for error in errors:
        told = error["type"] == "string_unicode" or (  # by `misshapen`
            error["type"] == "missing" and error["loc"] in meant
        )
        if not told:
            yield error["loc"], _sentence(error, model)


def mistakes_in(
    document: object, error: ValidationError, model: type[BaseModel], place: str = ""
) -> str:
    """Return all mistakes of a document in one text; `place` goes before each field's path."""
    said = sentences(error.errors(include_url=False), model)
    return "; ".join(f"{place}{path_of(location, document)} {text}" for location, text in said)


def _sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(error["loc"], model)
    if kind in _WANTED:
        what, advice = _WANTED[kind]
        return f"is {shown(error['input'])}, not {what}: {advice(error)}"
    if kind in _LIMITS:
        return _LIMITS[kind](error["input"], context)
    return f"is {shown(error['input'])}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def shown(value: object) -> str:
    """Return a value as its author would recognise it, cut where it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "empty"
    if is_mapping(value):
        return "a mapping"
    if is_list(value):
        return "a list"
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _unknown(location: Location, model: type[BaseModel]) -> str:
    if near := _near(location, model):
        return f"is not a field: did you mean {near}?"
    fields = _fields(location[:-1], model)
    more = " …" if len(fields) > MOST_FIELDS_NAMED else ""
    return f"is not a field: remove it, or use one of {', '.join(fields[:MOST_FIELDS_NAMED])}{more}"


def _near(location: Location, model: type[BaseModel]) -> str | None:
    """Return the field that was probably meant."""
    fields = {field.lower(): field for field in _fields(location[:-1], model)}
    written = str(location[-1]).replace("_", "").replace("-", "").lower()
    near = difflib.get_close_matches(written, fields, n=1)
    return fields[near[0]] if near else None


def _fields(location: Location, model: type[BaseModel]) -> list[str]:
    """Return the names of the fields that the mapping at `location` may have."""
    here: type[BaseModel] | None = model
    for part in location:
        if isinstance(part, str) and here:
            fields = {info.alias: info.annotation for info in here.model_fields.values()}
            here = _model_in(fields.get(part))
    return [*_own_first(here)] if here else []


def _own_first(model: type[BaseModel]) -> Iterator[str]:
    """Yield the fields of a model; the many that say what its Pod is like come last."""
    of_pods = PodFields.model_fields if issubclass(model, PodFields) else ()
    for name in sorted(model.model_fields, key=lambda name: name in of_pods):
        yield model.model_fields[name].alias or name


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the model that a field holds, also in a list or where the field is optional."""
    if get_origin(annotation) is None and isinstance(annotation, type):
        return annotation if issubclass(annotation, BaseModel) else None
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _number(error: ErrorDetails) -> str:
    value = error["input"]
    if isinstance(value, str) and value.strip().isdecimal():
        return "write it without quotes"
    seconds = str(error["loc"][-1]).endswith("Seconds")
    return "write seconds, such as 3600" if seconds else "write one such as 3"


def _quoted(error: ErrorDetails) -> str:
    value = error["input"]
    if isinstance(value, bool):
        return "put it in quotes (YAML reads yes, no, on and off as true and false)"
    if isinstance(value, (int, float)):
        return "put it in quotes"
    return "write a text"


def _listed(error: ErrorDetails) -> str:
    value = error["input"]
    if isinstance(value, (str, int, float)):
        return f"write [{value}]" if len(str(value)) <= LONGEST_SHOWN else "write it in [ ]"
    return "begin each item with '- '"


def _mapped(error: ErrorDetails) -> str:
    if is_list(error["input"]):
        return "write its fields without '- '"
    return "write its fields below it, as `name: value`"


_WANTED: dict[str, tuple[str, Callable[[ErrorDetails], str]]] = {
    "string_type": ("a text", _quoted),
    "int_type": ("a whole number", _number),
    "bool_type": ("true or false", lambda _: "write true or false, without quotes"),
    "list_type": ("a list", _listed),
    "dict_type": ("a mapping", _mapped),
    "model_type": ("a mapping", _mapped),
}
"""Errors of type: what was wanted, and what to do."""


def _size(value: object) -> int:
    return len(value) if isinstance(value, str) or is_mapping(value) or is_list(value) else 0


_LIMITS: dict[str, Callable[[object, Mapping[str, object]], str]] = {
    "missing": lambda _, __: "is missing: add it",
    "greater_than_equal": lambda v, c: f"is {v}: use at least {c['ge']}",
    "less_than_equal": lambda v, c: f"is {v}: use at most {c['le']}",
    "string_too_short": lambda _, __: "is empty: give it a value",
    "too_short": lambda _, __: "is empty: give it at least one item",
    "string_too_long": lambda v, c: f"has {_size(v)} characters: use at most {c['max_length']}",
    "too_long": lambda v, c: f"has {_size(v)} items: use at most {c['max_length']}",
    "literal_error": lambda v, c: f"is {shown(v)}: use {c['expected']}",
    "string_pattern_mismatch": lambda v, c: f"is {shown(v)}: {PATTERN_HINTS[str(c['pattern'])]}",
}
"""Errors of a value that has the right type."""
