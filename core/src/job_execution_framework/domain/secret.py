"""Secrets among parameters: how they are wrapped, shown as ``***``, and redacted in texts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from job_execution_framework.domain.spellings import short_spellings, spellings, text_of
from job_execution_framework.domain.values import is_list, is_mapping, keys_and_leaves, leaves

HIDDEN = "***"
LONGEST_STRING = 256
"""Characters of one string that events show."""
LONGEST_VALUE = 1024
"""Characters of one parameter, as JSON, that events show."""
MOST_BITS = 1024
"""Bits of an integer that events show: Python refuses to print very long ones."""
MOST_PARAMETERS = 32
"""Parameters that events show."""


class Secret:
    """A parameter's value that reaches the script and nothing else.

    Events, records, logs, answers and failures show ``***`` instead.
    """

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def reveal(self) -> object:
        """Return the value itself. Only code that starts a script calls this."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    __hash__ = None  # type: ignore[assignment]  # its value need not be hashable


def revealed(value: object) -> object:
    """Return `value` with every Secret in it, however deep, replaced by what it holds."""
    if isinstance(value, Secret):
        return revealed(value.reveal())
    if is_mapping(value):
        return {key: revealed(item) for key, item in value.items()}
    if is_list(value):
        items = [revealed(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return value


def shown(parameters: Mapping[str, object]) -> dict[str, object]:
    """Return what events show of `parameters`: secrets hidden, JSON only, bounded in size."""
    seen = {str(key): _shown(value) for key, value in list(parameters.items())[:MOST_PARAMETERS]}
    if left := len(parameters) - len(seen):
        seen["…"] = f"{left} more"
    return seen


def _shown(value: object) -> object:
    try:
        plain = _plain(value)
    except RecursionError:
        return f"<{type(value).__name__}>"  # it contains itself
    text = json.dumps(plain, ensure_ascii=False)
    if isinstance(plain, str) or len(text) <= LONGEST_VALUE:
        return plain
    return f"{text[:LONGEST_STRING]}… ({len(text)} characters)"


def _plain(value: object) -> object:
    """Turn anything into JSON. In process a parameter may be any object, so this must not fail."""
    if isinstance(value, Secret):
        return HIDDEN
    if value is None or (isinstance(value, int) and value.bit_length() <= MOST_BITS):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if is_mapping(value):
        return {str(key): _plain(item) for key, item in list(value.items())[:LONGEST_VALUE]}
    if is_list(value):
        return [_plain(item) for item in value[:LONGEST_VALUE]]
    try:
        text = value if isinstance(value, str) else repr(value)  # an int that long raises here
    except Exception:  # noqa: BLE001  # somebody's __repr__ may raise anything
        text = f"<{type(value).__name__}>"
    text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) <= LONGEST_STRING:
        return text
    return f"{text[:LONGEST_STRING]}… ({len(text)} characters)"


class Redactor:
    """Replaces the values of secrets in texts.

    It hides those that it has learnt. The cost grows with the length of the text and their number.
    """

    def __init__(self, *values: object) -> None:
        self._forms: set[str] = set()
        self._short: set[str] = set()
        self._longest = 0
        self.learn(*values)

    def learn(self, *values: object) -> None:
        """Hide from now on what each Secret in `values` holds, however deep; plain values stay."""
        for piece in _secret_values(values):
            self._forms.update(spellings(piece))
            self._short.update(short_spellings(piece))
        self._longest = max(map(len, self._forms), default=0)

    def hide(self, text: str, *, cut: bool = False) -> str:
        """Return `text` with secrets hidden. Callers shorten a text after this, not before.

        A text that was `cut` before may end inside a secret: its end is hidden, too.
        """
        if text.strip() in self._short:
            return HIDDEN
        spans = list(self._spans(text))
        if cut and self._forms:
            spans.append((max(0, len(text) - self._longest + 1), len(text)))
        parts, end = list[str](), -1
        for start, stop in sorted(spans):  # overlapping ones are hidden as one
            if start > end:
                parts += [text[max(end, 0) : start], HIDDEN]
            end = max(end, stop)
        return "".join(parts) + text[max(end, 0) :]

    def value(self, value: object) -> object:
        """Return a JSON value with secrets hidden in all of its texts and numbers."""
        if isinstance(value, str):
            return self.hide(value)
        if is_mapping(value):
            return {self.hide(str(key)): self.value(item) for key, item in value.items()}
        if is_list(value):
            return [self.value(item) for item in value]
        is_secret = (text := text_of(value)) != self.hide(text)
        return HIDDEN if is_secret else value

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the start and the end of each secret in the text."""
        for form in self._forms:
            start = text.find(form)
            while start >= 0:
                yield start, start + len(form)
                start = text.find(form, start + len(form))


def _secret_values(value: object) -> Iterator[object]:
    """Yield each value, and each key of a mapping, that secrets in `value` hold."""
    for leaf in leaves(value):
        if isinstance(leaf, Secret):
            yield from keys_and_leaves(revealed(leaf))
