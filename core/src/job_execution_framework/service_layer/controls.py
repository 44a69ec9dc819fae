"""A `SessionControl` as JSON, in which form the coordinator sends it to a session.

Written by the adapters of sessions (`enso_operator.sessions`), read by the supervisor.
"""

from __future__ import annotations

import json

from job_execution_framework.domain.control import SessionControl
from job_execution_framework.domain.errors import Unreadable
from job_execution_framework.service_layer import bounded_json
from job_execution_framework.service_layer.codec import from_document, to_document

VERSION = 1


def to_json(control: SessionControl) -> str:
    """Return the control as one line of JSON, with the version of the format in ``v``."""
    return json.dumps({"v": VERSION, **to_document(control)})


def from_json(text: str) -> SessionControl:
    """Read a control. Raises Unreadable, with a sentence, for another version or bad JSON."""
    try:
        document = bounded_json.loads(text)
        if (version := document["v"]) != VERSION:
            raise Unreadable(f"a control of version {version}, not {VERSION}")
        return from_document(SessionControl, document)
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"not a session's control: {text[:80]!r}: {error}") from error
