"""What of a plan is read before all else, while most of this package is not even imported.

`runtime.head_start` reads it, and `plan` when it reads the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

USUAL_INTERPRETER = ("python3",)
"""That of a session which names none; `domain.script` says the same."""


def interpreter(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the session's interpreter, as argv."""
    return tuple(document["session"].get("interpreter", USUAL_INTERPRETER))


def secrets(document: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    """Yield the script, the path and the variable of each secret that a plan names."""
    for script, names in document["secrets"].items():
        for parameter, variable in names.items():
            yield script, (parameter,), variable
    for script, path, variable in document.get("deep_secrets", ()):
        yield script, tuple(path), variable
