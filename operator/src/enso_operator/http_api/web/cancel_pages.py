"""The page that asks whether a job is really to be cancelled; `action_pages` then cancels it."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.views.cancel_page import cancel_page


class CancelPages:
    """Answers to whoever thinks of cancelling a job."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    async def show(self, request: Request, viewer: Viewer) -> Response:
        """Show what a cancel would mean."""
        name, namespace = request.path_params["name"], request.query_params.get("namespace", "")
        snapshot, rights = await viewer.jobs.get(name), await viewer.jobs.rights()
        shown = await asyncio.to_thread(cancel_page, snapshot, namespace, rights)
        status = 409 if shown.why_not else 200
        return await self._templates.page(request, viewer, "cancel.html", shown, status=status)
