"""The routes of the pages, for people with a browser; `app` adds them beside those of curl."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.web.action_pages import ActionPages
from enso_operator.http_api.web.argument_pages import show_arguments
from enso_operator.http_api.web.cancel_pages import CancelPages
from enso_operator.http_api.web.job_pages import JobPages
from enso_operator.http_api.web.list_pages import ListPages
from enso_operator.http_api.web.live import Live
from enso_operator.http_api.web.offer_pages import OfferPages
from enso_operator.http_api.web.output import OutputPages
from enso_operator.http_api.web.page_route import PageRoute
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.resume_pages import ResumePages
from enso_operator.http_api.web.start_pages import StartPages
from enso_operator.http_api.web.static_files import StaticFiles

Show = Callable[[Request, Viewer], Awaitable[Response]]
"""Answers the request of somebody for a page."""


def add_pages(app: FastAPI) -> Templates:
    """Add the pages to the application; return the templates, for pages of others."""
    static = StaticFiles()
    templates = Templates(static)

    def add(path: str, show: Show, *methods: str) -> None:
        async def answer(request: Request) -> Response:
            viewer: Viewer = request.state.viewer
            if namespace := request.query_params.get("namespace"):
                viewer = replace(viewer, jobs=viewer.jobs.within(namespace))
            return await show(request, viewer)

        app.router.routes.append(PageRoute(path, answer, methods=methods or ("GET",)))

    app.state.live = live = Live(templates)
    jobs, job = ListPages(templates, live), JobPages(templates, live)
    output, actions = OutputPages(templates, live), ActionPages(templates)
    add("/", jobs.show)
    add("/namespaces", jobs.namespaces)
    add("/live", jobs.stream)
    add("/jobs/{name}", job.show)
    add("/jobs/{name}/live", job.stream)
    add("/jobs/{name}/events", job.events)
    add("/jobs/{name}/manifest", job.manifest)
    attempt = "/jobs/{name}/scripts/{script}/attempts/{number:attempt}"
    add(attempt, output.show)
    add("/jobs/{name}/scripts/{script}/arguments", show_arguments)
    add(f"{attempt}/output", output.text)
    add(f"{attempt}/lines", output.lines)
    add(f"{attempt}/live", output.stream)
    resume = ResumePages(templates)
    add("/jobs/{name}/resume", resume.show)
    add("/jobs/{name}/resume", resume.resume, "POST")
    add("/jobs/{name}/cancel", CancelPages(templates).show)
    add("/jobs/{name}/{verb}", actions.act, "POST")
    add("/jobs/{name}/{verb}", actions.lead_back)
    offers, start = OfferPages(templates), StartPages(templates)
    add("/library", offers.library)
    add("/templates", offers.templates)
    add("/templates/{name}", start.show)
    add("/templates/{name}", start.start, "POST")
    app.router.routes.append(PageRoute("/static/{name}", static.serve))
    app.router.routes.append(PageRoute("/favicon.ico", static.icon))
    return templates
