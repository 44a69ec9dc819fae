"""What a line of output is, wherever it is counted, kept or shown: it ends with LF, CRLF or CR.

Programs write CR to go back to the start of a line and overwrite it, as progress bars do.
"""

from __future__ import annotations

import re

END = re.compile(rb"\r\n|\n|\r")
_END = re.compile(r"\r\n|\n|\r")


def lines_of(text: str) -> list[str]:
    """Return the lines of a text; the last one is what follows the last end of a line."""
    return _END.split(text)


def ends_in(data: bytes, before: bytes) -> int:
    """Count the ends of lines in `data`, which follows `before`; they may share a CRLF."""
    returns = data.count(b"\r")
    pairs = data.count(b"\r\n") if returns else 0
    is_split = before.endswith(b"\r") and data.startswith(b"\n")
    return data.count(b"\n") + returns - pairs - is_split
