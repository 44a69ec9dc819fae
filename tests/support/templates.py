"""EnsoJobTemplates and their runs as documents."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.support.resources import Document, job

SHOT: Document = {"name": "shot", "type": "string", "required": True}
FRAMES: Document = {"name": "frames", "type": "integer", "default": 24, "minimum": 1}


def template(
    *scripts: Document, parameters: list[Document] | None = None, **spec: object
) -> Document:
    """A template of these scripts; without any, one that opens a shot and simulates it."""
    listed = [*scripts] or [
        {"name": "open", "source": "x", "args": {"path": "/shots/$(params.shot)/a.hip"}},
        {"name": "simulate", "source": "x", "args": {"frames": "$(params.frames)"}},
    ]
    held = {
        "parameters": deepcopy([SHOT, FRAMES] if parameters is None else parameters),
        "job": {"scripts": listed, **spec},
    }
    return job(held, "publish") | {"kind": "EnsoJobTemplate"}


def run(name: str = "shot", **params: Any) -> Document:  # noqa: ANN401  # any JSON
    """A run of that template."""
    return job({"templateRef": {"name": "publish"}, "params": params}, name)
