"""Values as the texts of form fields, and back.

A browser sends a field that nobody touched back as it was shown, and characters that cannot be seen
are shown as escapes. So a text that has some stands as JSON in its field, whose escapes mean them.
"""

from __future__ import annotations

import json
from collections.abc import Container

from enso_operator.http_api.requests import checked_parameters
from enso_operator.manifests.yaml_reader import DocumentError, reject_duplicate_keys
from job_execution_framework.domain.cause import escaped
from job_execution_framework.service_layer import bounded_json

NULLS = "null", '"null"'
EMPTY = '""'
_BEGINS = ("[", "{", '"')
"""How JSON begins that people miswrite; a text that begins so stands in quotes."""


def as_json(value: object) -> str:
    """Return the value as JSON in one line, of characters that can be seen."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if escaped(text) == text else json.dumps(value, default=repr)


def as_text(value: str, means_json: Container[str] = ()) -> str:
    """Return a text as it is, its lines as forms have them; or as JSON where it must be.

    That is where something in it cannot be seen, and where the field means something else by it:
    as one of those that mean JSON, or as an empty field where ``""`` is the empty text.
    """
    text = lines(value)
    is_clear = escaped(text) == text and text not in means_json
    is_none = not text and EMPTY in means_json
    return text if is_clear and not is_none else as_json(value)


def as_any(value: object) -> str:
    """Return a value of any type: a text as it is, where it means nothing else; or as JSON."""
    if isinstance(value, str) and value and as_text(value) == from_json(value) == value:
        return as_json(value) if why_broken(value) else value
    return as_json(value)


def lines(text: str) -> str:
    """Return the text with the line ends that browsers are told to make of all others."""
    return text.replace("\r\n", "\n")


def from_json(text: str) -> object:
    """Return the value that this JSON means, by the rules of the API; else the text itself."""
    try:
        return _read(text)
    except (ValueError, RecursionError, DocumentError):
        return text


def why_no_json(text: str) -> str:
    """Return why a text is no JSON, and where; "" where it is."""
    try:
        _read(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, " if "\n" in text else ""
        return f"{error.msg[:1].lower()}{error.msg[1:]} at {place}column {error.colno}"
    except (ValueError, RecursionError, DocumentError) as error:
        return str(error)
    return ""


def why_broken(text: str) -> str:
    """Return why a text that begins as JSON does is none; "" of any other text."""
    return why_no_json(text) if text.lstrip()[:1] in _BEGINS else ""


def _read(text: str) -> object:
    value = bounded_json.loads(
        text, object_pairs_hook=reject_duplicate_keys, parse_constant=_no_constant
    )
    checked_parameters({"": value})
    return value


def from_text(text: str, means_json: Container[str] = (), *, is_quoted: bool = False) -> object:
    """Return what a text means; where it stood as JSON, a text in quotes is JSON, too."""
    if text in means_json:
        return from_json(text)
    if is_quoted and isinstance(value := from_json(text), str):
        return value
    return text


def label(value: object) -> str:
    """Return a choice as people read it."""
    return value if isinstance(value, str) and value else as_json(value)


def labels(values: tuple[object, ...]) -> tuple[str, ...]:
    """Return a label for each value, as JSON where two would be the same."""
    texts = tuple(map(label, values))
    return texts if len({*texts}) == len(texts) else tuple(map(as_json, values))


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number that JSON has")
