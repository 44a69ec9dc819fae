"""What a namespace has to run: its EnsoScripts, those that come with enso, and its templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice

from enso_operator.api.document import Document
from enso_operator.http_api import template_scripts
from enso_operator.http_api.memory_offers import scripts_of
from enso_operator.http_api.offers import MOST_OFFERS, Offer
from enso_operator.http_api.script_names import why_not
from enso_operator.http_api.template_scripts import UNKNOWN, KnownScripts
from enso_operator.kube.client import Forbidden
from enso_operator.kube.library import script_in
from enso_operator.kube.objects import Objects
from enso_operator.manifests.template import parse_template, takes
from job_execution_framework.domain.errors import InvalidJob, ScriptNotFound
from job_execution_framework.domain.script import declared_by
from job_execution_framework.service_layer.library import ScriptLibrary


def scripts_in(scripts: Objects) -> list[Offer]:
    """Return the EnsoScripts by name, and behind them the scripts that come with enso."""
    own = sorted(_offers(scripts, _script), key=lambda offer: offer.name)
    names = {offer.name for offer in own}
    built_in = (
        offer
        for offer in scripts_of(ScriptLibrary([]))
        if offer.name.replace("_", "-") not in names
    )
    return [*own, *built_in]


def templates_in(templates: Objects, scripts: Objects) -> list[Offer]:
    """Return the EnsoJobTemplates by name; of their scripts what one may know of the library."""
    known = UNKNOWN
    with suppress(Forbidden):
        known = KnownScripts.of(scripts_in(scripts))
    return sorted(
        _offers(templates, lambda document: _template(document, known)),
        key=lambda offer: offer.name,
    )


def _offers(objects: Objects, offer: Callable[[Document], Offer]) -> Iterator[Offer]:
    """Yield what each object offers; they are large, so one after the other is read."""
    return map(offer, islice(objects.each(), MOST_OFFERS))


def _script(document: Document) -> Offer:
    name, description = _described(document)
    if why := why_not(name):
        return Offer(name, description, problem=why)
    try:
        return Offer(name, description, declared_by(script_in(document, name)))
    except ScriptNotFound as error:
        return Offer(name, description, problem=str(error))


def _template(document: Document, known: KnownScripts) -> Offer:
    name, description = _described(document)
    try:
        template = parse_template(document)
        listed = template_scripts.scripts_in(template, known)
        return Offer(name, description, takes(template), scripts=listed)
    except InvalidJob as error:
        return Offer(name, description, problem=str(error))


def _described(document: Document) -> tuple[str, str]:
    return str(document["metadata"]["name"]), str(document["spec"].get("description") or "")
