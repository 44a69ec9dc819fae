"""Progress as one line: what a session's supervisor keeps in a file, and its Pod's log repeats.

The line is no record, and begins like none, so that releases which do not know it pass over it.
"""

from __future__ import annotations

import json
from dataclasses import replace

from job_execution_framework.domain.progress import Progress, percent_of, text_of
from job_execution_framework.service_layer import bounded_json
from job_execution_framework.service_layer.codec import from_document, to_document
from job_execution_framework.service_layer.record_line import (
    LONGEST_PROGRESS_BYTES,
    PROGRESS_BEGINS,
)

VERSION = 1


def to_line(progress: Progress) -> bytes:
    """Return the line, with its newline."""
    document = {"v": VERSION, **to_document(progress)}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return PROGRESS_BEGINS + text.encode("utf-8", "backslashreplace") + b"\n"


def from_line(line: bytes) -> Progress | None:
    """Read a line; None where it is none of this version. Scripts may write anything there."""
    if not line.startswith(PROGRESS_BEGINS) or len(line) > LONGEST_PROGRESS_BYTES:
        return None
    try:
        document = bounded_json.loads(line.removeprefix(PROGRESS_BEGINS))
        if document["v"] != VERSION:
            return None
        read = from_document(Progress, document)
    except (ValueError, KeyError, TypeError):
        return None
    percent = None if read.percent is None else percent_of(str(read.percent))
    return replace(read, percent=percent, message=text_of(read.message))
