"""Code that the pages in docs/ show, to be run by tests as it stands there."""

from __future__ import annotations

import re

from dev.checkout import CHECKOUT


def page(name: str) -> str:
    """Return the text of a page of docs/."""
    return (CHECKOUT / "docs" / name).read_text("utf-8")


def snippet(name: str, holding: str) -> str:
    """Return the one block of code on a page of docs/ that holds some words."""
    blocks: list[str] = re.findall(r"^```\w+\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if holding in block]
    return found
