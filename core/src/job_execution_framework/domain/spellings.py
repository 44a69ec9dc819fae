"""The forms that a secret may have in a text: as it is, escaped, or encoded. Used by `secret`."""

from __future__ import annotations

import json
import re
from binascii import b2a_base64
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""Characters that a value needs to be hidden inside a text. Shorter ones are part of ordinary
words: hiding them there would reveal them."""
_UNQUOTED = "", "/", "!'()*", "!#$%&'()*+,/:;=?@[]~"
"""Characters that stay as they are in URLs: by Python's defaults, by browsers, by `requests`."""
_BOTH_QUOTES = "'\""
"""Which of them Python escapes depends on the rest of the text."""
_URLSAFE = str.maketrans("+/", "-_")


def spellings(value: object) -> Iterator[str]:
    """Yield the texts that reveal a secret's value, each of at least SHORTEST characters.

    There is none for None, True and False, for shorter values, and for those without a text.
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
    """Yield the whole texts that reveal a value which is too short to be hidden inside others."""
    text = text_of(value).strip()
    if 0 < len(text) < SHORTEST:
        yield from (text, repr(text), json.dumps(text), json.dumps(text, ensure_ascii=False))


def text_of(value: object) -> str:
    """Return the value as text; empty for None, True, False and what has no text."""
    if value is None or isinstance(value, bool):
        return ""
    try:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    except Exception:  # noqa: BLE001  # without a text it can be in none
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
    """Yield what the base64 of anything that contains `data` has in it.

    Three bytes make four characters, so there are three forms, depending on how many bytes come
    before. First and last characters that depend on neighbouring bytes are left out.
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
