"""How the value of a secret may stand in a text: as it is, escaped, or encoded."""

from __future__ import annotations

import json
import re
from binascii import b2a_base64
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""Characters from which on a value is looked for within a text. Hiding a shorter one wherever it
stands would take ordinary words apart, and so tell it."""
_UNQUOTED = "", "/", "!'()*", "!#$%&'()*+,/:;=?@[]~"
"""What is left as it is in a URL: by Python's defaults, by browsers, by `requests`."""
_BOTH_QUOTES = "'\""
"""Which of them Python escapes depends on whatever else stands in a text."""
_URLSAFE = str.maketrans("+/", "-_")


def spellings(value: object) -> Iterator[str]:
    """Yield the texts that tell a secret's value, each of at least SHORTEST characters.

    None for what tells nothing (None, True and False), is shorter, or cannot be said at all.
    """
    text = text_of(value).strip()
    if len(text) < SHORTEST:
        return
    yield from _escaped(text)
    data = value.strip() if isinstance(value, bytes) else text.encode("utf-8", "backslashreplace")
    yield from _base64(data)
    yield from _in_urls(data)
    for line in text.splitlines():
        if len(line.strip()) >= SHORTEST:  # "}" is no secret
            yield from _escaped(line.strip())


def short_spellings(value: object) -> Iterator[str]:
    """Yield the texts that are a value too short to be looked for within others."""
    text = text_of(value).strip()
    if 0 < len(text) < SHORTEST:
        yield from (text, repr(text), json.dumps(text), json.dumps(text, ensure_ascii=False))


def text_of(value: object) -> str:
    """Return the value as text; nothing where it tells nothing or cannot be said."""
    if value is None or isinstance(value, bool):
        return ""
    try:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    except Exception:  # noqa: BLE001  # what cannot be said stands in no text
        return ""


def _escaped(text: str) -> Iterator[str]:
    """Yield a text as it is, and as Python and JSON show it."""
    encodable = text.encode("utf-8", "backslashreplace")
    yield from (text, encodable.decode())
    yield repr(text)[1:-1]
    yield repr(text + _BOTH_QUOTES)[1 : -len(repr(_BOTH_QUOTES)) + 1]
    yield repr(encodable)[2:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]


def _base64(data: bytes) -> Iterator[str]:
    """Yield what stands in the base64 of anything that contains `data`.

    Three bytes make four characters, so there are three forms, by what stands before it. The first
    and last character may depend on their neighbours, too, and are then left out.
    """
    alone = b2a_base64(data, newline=False).decode().rstrip("=")
    forms = [alone]
    for before in range(3):
        encoded = b2a_base64(bytes(before) + data, newline=False).decode()
        forms.append(encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6])
    for form in forms:
        yield from (form, form.translate(_URLSAFE))


def _in_urls(data: bytes) -> Iterator[str]:
    """Yield a text as it stands in a URL or a form."""
    for form in (quote_plus(data), *(quote(data, safe) for safe in _UNQUOTED)):
        yield from (form, re.sub(r"%..", lambda code: code[0].lower(), form))
