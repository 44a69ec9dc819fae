"""What there is to run, as its pages show it: scripts of the library, or templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from enso_operator.http_api.offers import MOST_OFFERS, Offer
from enso_operator.http_api.web.views.query import Query
from job_execution_framework.domain.parameters import ABSENT, Parameter, shown


@dataclass(frozen=True)
class ShownParameter:
    """A parameter of a script or a template."""

    name: str
    takes: str
    """Which values it takes, in words."""
    is_required: bool
    default: str
    """As JSON; "" where there is none, or it is not known."""
    description: str


@dataclass(frozen=True)
class ShownOffer:
    """A script of the library, or a template."""

    name: str
    description: str
    problem: str
    parameters: tuple[ShownParameter, ...]
    is_known: bool
    """Whether it is known what it takes."""
    takes_others: bool
    address: str
    """That of the page to start it; "" where it has none."""


@dataclass(frozen=True)
class OfferList:
    """What the page shows."""

    title: str
    text: str
    """Part of a name, or of a description, to which it is limited."""
    namespace: str
    """That of the address; "" where it names none."""
    offers: tuple[ShownOffer, ...]
    is_complete: bool


def offer_list(
    title: str, offers: Sequence[Offer], query: Query, *, starts_at: str = ""
) -> OfferList:
    """Return those whose names or descriptions have the words of the query."""
    found = (offer for offer in offers if _has(offer, query.words))
    place = Query(namespace=query.namespace)
    return OfferList(
        title,
        query.text,
        query.namespace,
        tuple(
            _offer(offer, place.address(f"{starts_at}/{quote(offer.name)}") if starts_at else "")
            for offer in found
        ),
        is_complete=len(offers) < MOST_OFFERS,
    )


def _has(offer: Offer, words: Sequence[str]) -> bool:
    text = f"{offer.name} {offer.description}".casefold() if words else ""
    return all(word in text for word in words)


def _offer(offer: Offer, address: str) -> ShownOffer:
    takes = offer.takes
    return ShownOffer(
        offer.name,
        offer.description,
        offer.problem,
        tuple(map(_parameter, takes.listed)) if takes else (),
        is_known=takes is not None,
        takes_others=takes is not None and takes.takes_others,
        address="" if offer.problem else address,
    )


def _parameter(parameter: Parameter) -> ShownParameter:
    return ShownParameter(
        parameter.name,
        parameter.takes,
        parameter.required,
        "" if parameter.default is ABSENT else shown(parameter.default),
        parameter.description,
    )
