"""The form that starts a run of a template."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from enso_operator.http_api.auth.forms import form_of
from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.offers import Offer
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.views.fields import Field, fields_of
from enso_operator.http_api.web.views.query import Query
from job_execution_framework.domain.errors import InvalidJob, JobNotFound


@dataclass(frozen=True)
class StartForm:
    """What the form shows that starts a run."""

    offer: Offer
    fields: tuple[Field, ...]
    address: str
    why_not: str = ""
    """Why the values that were sent make no run."""
    missing: str = ""
    """Which right somebody lacks who may start none."""


class StartPages:
    """Answers with it, and starts the run."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    async def show(self, request: Request, viewer: Viewer) -> Response:
        """Show the form that starts a run."""
        offer, rights = await _template(request, viewer), await viewer.jobs.rights()
        missing = rights.add or rights.execute
        address = _address(request, offer.name)
        shown = StartForm(offer, _fields(offer), address, missing=missing)
        return await self._templates.page(request, viewer, "start.html", shown)

    async def start(self, request: Request, viewer: Viewer) -> Response:
        """Add a run with these values, and let it go."""
        form = await form_of(request)
        offer = await _template(request, viewer)
        texts = {key: value for key, value in form.multi_items() if isinstance(value, str)}
        fields = tuple(field.filled(texts) for field in _fields(offer))
        params = {field.name: field.value for field in fields if not field.is_absent}
        try:
            job = await viewer.jobs.add_run(offer.name, params)
        except InvalidJob as error:
            shown = StartForm(offer, fields, _address(request, offer.name), str(error))
            return await self._templates.page(request, viewer, "start.html", shown, status=422)
        await viewer.jobs.execute(job)
        return RedirectResponse(_query(request).address(f"/jobs/{job}"), 303)


def _fields(offer: Offer) -> tuple[Field, ...]:
    return fields_of("param:", offer.takes, {})


async def _template(request: Request, viewer: Viewer) -> Offer:
    name = request.path_params["name"]
    found = [offer for offer in await viewer.jobs.templates() if offer.name == name]
    if not found:
        raise JobNotFound(f"there is no template {name!r} here")
    return found[0]


def _query(request: Request) -> Query:
    return Query(namespace=request.query_params.get("namespace", ""))


def _address(request: Request, name: str) -> str:
    return _query(request).address(f"/templates/{name}")
