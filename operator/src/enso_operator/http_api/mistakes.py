"""Sentences about validation errors of request bodies; `app` calls `sentence_of`.

A sentence never repeats a value of the body, which may hold secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from enso_operator.api.fields import PATTERN_HINTS

RULE = "rule"
"""The type of our own errors about several fields; their message is the whole sentence."""


def sentence_of(error: Mapping[str, Any], example: str) -> str:
    """Return what is wrong with the body, and in which field; `example` is a valid body."""
    kind, place = str(error["type"]), tuple(error["loc"])[1:]
    if kind == "json_invalid":
        return f"the body is not JSON: {error['ctx']['error']} at character {place[0]}"
    if kind == RULE:
        return str(error["msg"])
    if not place:
        return f"the body must be a JSON object, such as {example}"
    parts = [part for part in place if part != "[key]"]  # with which pydantic marks an invalid key
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return f"{where.removeprefix('.')}: {_problem(error, kind, place)}"


def _problem(error: Mapping[str, Any], kind: str, place: tuple[object, ...]) -> str:
    if place[0] == "instructions" and (sentence := _INSTRUCTIONS_SENTENCES.get((kind, len(place)))):
        return sentence
    to_sentence = _SENTENCES.get(kind)
    return to_sentence(error.get("ctx", {})) if to_sentence else str(error["msg"])


_PAIR = "must be a pair, [the script's name, an object with its parameters]"
_OBJECT = "must be an object with the script's parameters"
_INSTRUCTIONS_SENTENCES = {
    ("list_type", 1): f"must be a list; each of its items {_PAIR}",
    ("too_short", 1): "must hold at least one instruction",
    ("too_long", 1): "must hold at most 100 instructions",
    ("tuple_type", 2): _PAIR,
    ("too_long", 2): _PAIR,
    ("missing", 3): _OBJECT,
    ("dict_type", 3): _OBJECT,
    ("string_type", 3): "must be a string, the script's name in the library",
}
"""Sentences for the body of add-job, by type of the error and by its depth in the body."""
_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "is missing",
    "extra_forbidden": lambda _: "is not a field of this body",
    "string_type": lambda _: "must be a string",
    "string_unicode": lambda _: "must be valid Unicode",
    "int_type": lambda _: "must be a whole number",
    "list_type": lambda _: "must be a list",
    "dict_type": lambda _: "must be an object",
    "model_type": lambda _: "must be an object",
    "string_too_short": lambda _: "must not be empty",
    "too_short": lambda _: "must not be empty",
    "string_too_long": lambda bound: f"must have at most {bound['max_length']} characters",
    "too_long": lambda bound: f"must have at most {bound['max_length']} items",
    "greater_than_equal": lambda bound: f"must be at least {bound['ge']}",
    "less_than_equal": lambda bound: f"must be at most {bound['le']}",
    "literal_error": lambda bound: f"must be {bound['expected']}",
    "string_pattern_mismatch": lambda form: PATTERN_HINTS[str(form["pattern"])],
}
"""Sentences for all other bodies, by type of the error; the parameter is pydantic's `ctx`."""
