"""Code blocks of the pages in docs/, which tests run unchanged."""

from __future__ import annotations

import re

from dev.checkout import CHECKOUT


def page(name: str) -> str:
    """Return the text of a page of docs/."""
    return (CHECKOUT / "docs" / name).read_text("utf-8")


def snippet(name: str, text: str) -> str:
    """Return the only block of code on a page of docs/ that contains this text."""
    blocks: list[str] = re.findall(r"^```\w+\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
    (match,) = [block for block in blocks if text in block]
    return match
