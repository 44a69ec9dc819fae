"""Who looks at a page, and what that person may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from enso_operator.http_api.port import Jobs


@dataclass(frozen=True)
class Viewer:
    """Who looks."""

    jobs: Jobs
    """The jobs as this person may see them, and act on them."""
    name: str = ""
    """The name to greet; "" where nobody signs in."""


ViewerOf = Callable[[Request], Viewer]
"""Says who sends a request; may raise what the port raises."""
