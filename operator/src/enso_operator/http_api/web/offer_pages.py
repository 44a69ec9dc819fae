"""The pages of what there is to run: the script library, and the templates."""

from __future__ import annotations

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.views.offers import offer_list
from enso_operator.http_api.web.views.query import Query


class OfferPages:
    """Answers with them."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    async def library(self, request: Request, viewer: Viewer) -> Response:
        """Show the scripts that jobs may name."""
        query, offers = Query.of(request.query_params.multi_items()), await viewer.jobs.library()
        shown = await asyncio.to_thread(offer_list, "Library", offers, query)
        return await self._templates.page(request, viewer, "offers.html", shown)

    async def templates(self, request: Request, viewer: Viewer) -> Response:
        """Show the templates."""
        query, offers = Query.of(request.query_params.multi_items()), await viewer.jobs.templates()
        rights = await viewer.jobs.rights()
        missing = rights.add or rights.execute
        templates = partial(offer_list, starts_at="/templates", missing=missing)
        shown = await asyncio.to_thread(templates, "Templates", offers, query)
        return await self._templates.page(request, viewer, "offers.html", shown)
