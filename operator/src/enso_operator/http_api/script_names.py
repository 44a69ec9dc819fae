"""Which names of scripts a job may give over HTTP, and the sentence for all others."""

from __future__ import annotations

import re

NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}"
"""A regular expression for names of scripts."""
ALLOWED = (
    "at most 63 ASCII letters (a–z, A–Z), digits, '_', '-' and '.', "  # noqa: RUF001  # a range
    "beginning with a letter, a digit or '_'"
)


def is_allowed(name: str) -> bool:
    """Whether a job may name a script so."""
    return re.fullmatch(NAME, name) is not None


def why_not(name: str) -> str:
    """Return why no job can name a script of the library, as the end of a sentence; or ''."""
    return "" if is_allowed(name) else f"no job can name it: rename it, with {ALLOWED}"
