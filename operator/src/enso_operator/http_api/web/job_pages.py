"""The pages of one job."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.web.live import Live, Subject, seen_by
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.views.events import event_list
from enso_operator.http_api.web.views.failure import with_defaults
from enso_operator.http_api.web.views.job_page import JobPage, job_page
from enso_operator.http_api.web.views.manifest import manifest_page
from enso_operator.http_api.web.views.parts import Parts, parts_of_job
from enso_operator.http_api.web.views.query import Query
from enso_operator.http_api.web.views.requests import requests_in
from enso_operator.http_api.web.views.seen import Shown


class JobPages:
    """Answers about one job."""

    def __init__(self, templates: Templates, live: Live) -> None:
        self._templates, self._live = templates, live

    async def show(self, request: Request, viewer: Viewer) -> Response:
        """Show the job."""
        name = request.path_params["name"]
        query = Query(namespace=request.query_params.get("namespace", ""))
        shown = await _job_at(viewer, name, query.namespace, _origin(request))
        address = query.address(f"/jobs/{name}/live", seen=Shown(parts_of_job(shown)).seen)
        return await self._templates.page(request, viewer, "job.html", shown, live=address)

    async def stream(self, request: Request, viewer: Viewer) -> Response:
        """Tell what changes of the job."""
        name, namespace = request.path_params["name"], request.query_params.get("namespace", "")
        origin = _origin(request)
        await viewer.jobs.get(name)  # raises where there is none

        async def look() -> Parts:
            return parts_of_job(await _job_at(viewer, name, namespace, origin))

        key = (viewer.key, "job", namespace, name, origin)
        subject = Subject(key, look, partial(viewer.jobs.changes, name))
        return self._live.stream(subject, seen_by(request))

    async def manifest(self, request: Request, viewer: Viewer) -> Response:
        """Show how the job is defined."""
        name = request.path_params["name"]
        query = Query(namespace=request.query_params.get("namespace", ""))
        manifests = await viewer.jobs.manifests(name)
        address = query.address(f"/jobs/{name}")
        shown = await asyncio.to_thread(manifest_page, name, address, manifests)
        return await self._templates.page(request, viewer, "manifest.html", shown)

    async def events(self, request: Request, viewer: Viewer) -> Response:
        """Show everything that happened to the job."""
        snapshot = await viewer.jobs.get(request.path_params["name"])
        shown = await asyncio.to_thread(event_list, snapshot)
        return await self._templates.page(request, viewer, "events.html", shown)


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


async def _job_at(viewer: Viewer, name: str, namespace: str, origin: str) -> JobPage:
    snapshot, rights = await viewer.jobs.get(name), await viewer.jobs.rights()
    asked = await viewer.jobs.asked(name)
    shown = await asyncio.to_thread(job_page, snapshot, time.time(), namespace, rights)
    shown = replace(shown, origin=origin)
    if shown.failure and snapshot.job:
        defaults = await viewer.jobs.defaults(snapshot.job)
        shown = replace(shown, failure=with_defaults(shown.failure, defaults))
    return replace(shown, requests=requests_in(asked, snapshot.job)) if asked else shown
