"""What somebody has seen of a page, as a text that their browser keeps.

Whoever asks again sends it and is sent what changed since; about those who ask nothing is kept.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cached_property

from enso_operator.http_api.web.views.parts import Parts, outermost

MOST_PARTS = 500
"""Of a page of more the text tells only whether anything changed: it is sent in a header."""
_LENGTH = 5
"""Letters of a mark: of a billion parts that changed one is taken for one that was seen."""


@dataclass(frozen=True)
class Shown:
    """What a page shows at a moment."""

    parts: Parts

    @cached_property
    def _marks(self) -> dict[str, str]:
        """A mark for each part, which is another one where it looks different."""
        if len(self.parts) > MOST_PARTS:
            keys = [(name, part.key) for name, part in self.parts.items()]
            return dict.fromkeys(self.parts, _mark(keys))
        return {name: _mark((name, part.key)) for name, part in self.parts.items()}

    @cached_property
    def seen(self) -> str:
        """What somebody has who sees it."""
        return "".join(dict.fromkeys(self._marks.values()))

    def since(self, seen: str) -> list[str]:
        """Return the ids of the parts to send to somebody who has seen this."""
        if seen == self.seen:
            return []
        known = {seen[start : start + _LENGTH] for start in range(0, len(seen), _LENGTH)}
        ids = [name for name, mark in self._marks.items() if mark not in known]
        return outermost(self.parts, ids)


def _mark(keys: object) -> str:
    told = repr(keys).encode("utf-8", "backslashreplace")
    return urlsafe_b64encode(hashlib.sha256(told).digest()).decode()[:_LENGTH]
