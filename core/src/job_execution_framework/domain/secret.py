"""Parameters that nobody may read back: how they are wrapped, shown and taken out of texts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from job_execution_framework.domain.spellings import short_spellings, spellings, text_of
from job_execution_framework.domain.values import is_list, is_mapping, keys_and_leaves, leaves

HIDDEN = "***"
LONGEST_STRING = 256
"""Characters of one string that an event still shows."""
LONGEST_VALUE = 1024
"""Characters of JSON of one parameter that an event still shows."""
MOST_BITS = 1024
"""Bits of an integer that is still shown: Python refuses to print a very long one."""
MOST_PARAMETERS = 32
"""Parameters that an event still shows."""


class Secret:
    """A parameter's value that reaches the script and nothing else.

    It is shown as ``***`` wherever the framework speaks: events, records, logs, answers, and the
    failure texts that contain it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def reveal(self) -> object:
        """Return the value itself; only what starts a script calls this."""
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
    """Turn anything into JSON without ever failing: a parameter may be any object in process."""
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
    """Takes the values of secrets out of texts that somebody will read.

    It hides what it was told of by then, at a cost that grows with the text and with what it knows.
    """

    def __init__(self, *values: object) -> None:
        self._forms: set[str] = set()
        self._short: set[str] = set()
        self._longest = 0
        self.learn(*values)

    def learn(self, *values: object) -> None:
        """Hide what each Secret in `values` holds, however deep; plain values are no secrets."""
        for piece in _held(values):
            self._forms.update(spellings(piece))
            self._short.update(short_spellings(piece))
        self._longest = max(map(len, self._forms), default=0)

    def hide(self, text: str, *, torn: bool = False) -> str:
        """Return `text` with secrets hidden: cut it after that, not before.

        One that is `torn` lost its end before it came here, perhaps inside of a secret.
        """
        if text.strip() in self._short:
            return HIDDEN
        spans = list(self._spans(text))
        if torn and self._forms:
            spans.append((max(0, len(text) - self._longest + 1), len(text)))
        told, end = list[str](), -1
        for start, stop in sorted(spans):  # what overlaps is hidden together
            if start > end:
                told += [text[max(end, 0) : start], HIDDEN]
            end = max(end, stop)
        return "".join(told) + text[max(end, 0) :]

    def value(self, value: object) -> object:
        """Return a JSON value with secrets hidden in each of its texts and numbers."""
        if isinstance(value, str):
            return self.hide(value)
        if is_mapping(value):
            return {self.hide(str(key)): self.value(item) for key, item in value.items()}
        if is_list(value):
            return [self.value(item) for item in value]
        tells = (text := text_of(value)) != self.hide(text)
        return HIDDEN if tells else value

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where something stands that has to be hidden."""
        for form in self._forms:
            start = text.find(form)
            while start >= 0:
                yield start, start + len(form)
                start = text.find(form, start + len(form))


def _held(value: object) -> Iterator[object]:
    """Yield what the secrets in `value` hold, piece by piece, the keys of mappings, too."""
    for leaf in leaves(value):
        if isinstance(leaf, Secret):
            yield from keys_and_leaves(revealed(leaf))
