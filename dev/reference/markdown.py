"""Markdown for the pages of the reference: tables, and texts that must stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`+[^`]*`+)")
"""Nothing is escaped in code, but what would end the cell of a table."""


def text(plain: str) -> str:
    """Return a sentence with what Markdown would take for its own escaped, but not its code."""
    parts = _CODE.split(" ".join(plain.split()))
    return "".join(
        part if part.startswith("`") else re.sub(r"([\\<>*\[\]]|(?<!\w)_|_(?!\w))", r"\\\1", part)
        for part in parts
    )


def code(plain: object) -> str:
    """Return a text as code, whatever it holds."""
    said = str(plain)
    fence = "``" if "`" in said else "`"
    return f"{fence}{said}{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, and an empty line after it."""
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells) + "\n"
