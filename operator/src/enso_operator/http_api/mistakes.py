"""What is wrong with a request's body, as a sentence that repeats no value of it.

`app` makes the sentence of what FastAPI and pydantic found; a body may hold what nobody may read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from enso_operator.api.fields import PATTERN_HINTS

RULE = "rule"
"""The type of an error of ours about several fields; its message is the whole sentence."""


def sentence_of(error: Mapping[str, Any], example: str) -> str:
    """Say what is wrong with a body like `example`, and where."""
    kind, place = str(error["type"]), tuple(error["loc"])[1:]
    if kind == "json_invalid":
        return f"the body is not JSON: {error['ctx']['error']} at character {place[0]}"
    if kind == RULE:
        return str(error["msg"])
    if not place:
        return f"the body must be a JSON object, such as {example}"
    parts = [part for part in place if part != "[key]"]  # pydantic's mark of a wrong key
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return f"{where.removeprefix('.')}: {_what(error, kind, place)}"


def _what(error: Mapping[str, Any], kind: str, place: tuple[object, ...]) -> str:
    if place[0] == "instructions" and (sentence := _OF_INSTRUCTIONS.get((kind, len(place)))):
        return sentence
    say = _SENTENCES.get(kind)
    return say(error.get("ctx", {})) if say else str(error["msg"])


_PAIR = "must be a pair, [the script's name, an object with its parameters]"
_OBJECT = "must be an object with the script's parameters"
_OF_INSTRUCTIONS = {
    ("list_type", 1): f"must be a list; each of its items {_PAIR}",
    ("too_short", 1): "must hold at least one instruction",
    ("too_long", 1): "must hold at most 100 instructions",
    ("tuple_type", 2): _PAIR,
    ("too_long", 2): _PAIR,
    ("missing", 3): _OBJECT,
    ("dict_type", 3): _OBJECT,
    ("string_type", 3): "must be a string, the script's name in the library",
}
"""Of add-job's body, by the type of the error and by how deep in the body it is."""
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
"""Of all others, by the type of the error."""
