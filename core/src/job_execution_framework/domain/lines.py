"""What a line is, wherever output is counted, kept or shown: it ends with LF, CRLF or CR.

With CR a program returns to the line's start, to write a progress bar over what stands there.
"""

from __future__ import annotations

import re

END = re.compile(rb"\r\n|\n|\r")
_END = re.compile(r"\r\n|\n|\r")


def lines_of(text: str) -> list[str]:
    """Return the lines of a text; the last one is what stands behind the last end of a line."""
    return _END.split(text)


def ends_in(data: bytes, before: bytes) -> int:
    """Count the ends of lines in what came after `before`, of which the last byte is enough."""
    returns = data.count(b"\r")
    pairs = data.count(b"\r\n") if returns else 0
    is_torn = before.endswith(b"\r") and data.startswith(b"\n")
    return data.count(b"\n") + returns - pairs - is_torn
