"""Who asks, and the jobs as they may see them. Every route gets its jobs from its viewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request

from enso_operator.http_api.port import Jobs
from job_execution_framework.domain.secret import Secret


@dataclass(frozen=True)
class Viewer:
    """One caller, for as long as a request of theirs takes, or longer."""

    jobs: Jobs
    """The jobs, asked for with the caller's own rights where anybody is asked who they are."""
    name: str = ""
    """The caller, as the API server names them; "" where nobody is asked who they are."""
    key: str = ""
    """What tells this caller from others, and tells nobody their credentials."""


class Viewers(Protocol):
    """Knows callers by their credentials."""

    asks: bool
    """Whether callers must say who they are."""
    namespace: str
    """The namespace whose jobs are served, where callers are asked who they are."""

    async def viewer(self, token: Secret | None) -> Viewer:
        """Return the caller with this bearer token; raise NotSignedIn or Unavailable."""
        ...


class Everybody:
    """Implements `Viewers` for --auth=none: whoever can connect has the server's own rights."""

    asks = False
    namespace = ""

    def __init__(self, jobs: Jobs) -> None:
        self._viewer = Viewer(jobs)

    async def viewer(self, token: Secret | None) -> Viewer:
        """Return the one viewer that there is, whatever the credentials."""
        del token
        return self._viewer


async def viewer_of(request: Request) -> Viewer:
    """Return who asks; the middleware `authentication` has found out."""
    viewer: Viewer = request.state.viewer
    return viewer


AskedBy = Annotated[Viewer, Depends(viewer_of)]
"""The type of a route's parameter that is the viewer."""
