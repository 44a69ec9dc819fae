"""The form that starts a run of a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from enso_operator.http_api.auth.forms import form_of
from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.offers import Offer
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.views.fields import Field, fields_of
from enso_operator.http_api.web.views.offers import ShownOffer, shown_offer
from enso_operator.http_api.web.views.query import Query
from enso_operator.http_api.web.views.wrong_values import refused, why_broken
from job_execution_framework.domain.arguments import problems
from job_execution_framework.domain.errors import InvalidJob, JobNotFound


@dataclass(frozen=True)
class StartForm:
    """What the form shows that starts a run."""

    offer: Offer
    fields: tuple[Field, ...]
    namespace: str
    """That of the address; "" where it names none."""
    why_not: tuple[str, ...] = ()
    """Why the values that were sent make no run, beside what their fields say."""
    missing: str = ""
    """Which right somebody lacks who may start none."""

    @property
    def shown(self) -> ShownOffer:
        """The template, with its scripts, and why they cannot run."""
        return shown_offer(self.offer, self.namespace, starts_at="/templates")

    @property
    def to_mend(self) -> tuple[tuple[str, str], ...]:
        """The fields in which something is wrong, each with its name."""
        return tuple((field.id, field.name) for field in self.fields if field.wrong)


class StartPages:
    """Answers with it, and starts the run."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    async def show(self, request: Request, viewer: Viewer) -> Response:
        """Show the form that starts a run."""
        offer, rights = await _template(request, viewer), await viewer.jobs.rights()
        missing = rights.add or rights.execute
        shown = StartForm(offer, _fields(offer), _query(request).namespace, missing=missing)
        return await self._templates.page(request, viewer, "start.html", shown)

    async def start(self, request: Request, viewer: Viewer) -> Response:
        """Add a run with these values, and let it go."""
        form = await form_of(request)
        offer = await _template(request, viewer)
        texts = {key: value for key, value in form.multi_items() if isinstance(value, str)}
        fields = tuple(field.filled(texts) for field in _fields(offer))
        # An untouched default is left to the template.
        params = {
            field.name: field.value for field in fields if field.is_changed and not field.is_absent
        }
        shown = StartForm(offer, _marked(offer, fields, params), _query(request).namespace)
        if shown.to_mend:
            return await self._templates.page(request, viewer, "start.html", shown, status=422)
        try:
            job = await viewer.jobs.add_run(offer.name, params)
        except InvalidJob as error:
            shown = replace(shown, why_not=error.sentences)
            return await self._templates.page(request, viewer, "start.html", shown, status=422)
        await viewer.jobs.execute(job)
        return RedirectResponse(_query(request).address(f"/jobs/{job}"), 303)


def _fields(offer: Offer) -> tuple[Field, ...]:
    return fields_of("param:", offer.takes, {})


def _marked(
    offer: Offer, fields: tuple[Field, ...], params: Mapping[str, object]
) -> tuple[Field, ...]:
    """Return the fields, each with what the template has against its value."""
    takes = offer.takes
    found = {one.parameter: one for one in problems(offer.name, takes, params)} if takes else {}
    return tuple(
        refused(field, found[field.name])
        if field.name in found
        else replace(field, wrong=why_broken(field))
        for field in fields
    )


async def _template(request: Request, viewer: Viewer) -> Offer:
    name = request.path_params["name"]
    found = [offer for offer in await viewer.jobs.templates() if offer.name == name]
    if not found:
        raise JobNotFound(f"there is no template {name!r} here")
    return found[0]


def _query(request: Request) -> Query:
    return Query(namespace=request.query_params.get("namespace", ""))
