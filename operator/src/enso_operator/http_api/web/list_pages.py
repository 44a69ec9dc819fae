"""The page with the list of jobs."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.web.live import Live, Subject, seen_by
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.views.job_list import JobList, job_list
from enso_operator.http_api.web.views.parts import Parts, parts_of_list
from enso_operator.http_api.web.views.query import Query
from enso_operator.http_api.web.views.seen import Shown


class ListPages:
    """Answers about the list."""

    def __init__(self, templates: Templates, live: Live) -> None:
        self._templates, self._live = templates, live

    async def show(self, request: Request, viewer: Viewer) -> Response:
        """Show the jobs, the newest first."""
        query = Query.of(request.query_params.multi_items())
        shown = await _list_at(viewer, query)
        address = query.address("/live", seen=Shown(parts_of_list(shown)).seen)
        return await self._templates.page(request, viewer, "jobs.html", shown, live=address)

    async def namespaces(self, request: Request, viewer: Viewer) -> Response:
        """Show the namespaces to choose from."""
        names = await viewer.jobs.namespaces()
        shown = [(name, Query(namespace=name).address()) for name in names]
        return await self._templates.page(request, viewer, "namespaces.html", shown)

    async def stream(self, request: Request, viewer: Viewer) -> Response:
        """Tell what changes in the list."""
        query = Query.of(request.query_params.multi_items())

        async def look() -> Parts:
            return parts_of_list(await _list_at(viewer, query))

        key = (viewer.key, "jobs", query.address())
        subject = Subject(key, look, viewer.jobs.changes)
        return self._live.stream(subject, seen_by(request))


async def _list_at(viewer: Viewer, query: Query) -> JobList:
    rows = await viewer.jobs.rows()
    return await asyncio.to_thread(job_list, rows, query)
