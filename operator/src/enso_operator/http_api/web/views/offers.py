"""What there is to run, as its pages show it: scripts of the library, or templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from enso_operator.http_api.offers import MOST_OFFERS, Offer, TemplateScript, Verdict
from enso_operator.http_api.web.views.query import Query
from job_execution_framework.domain.cause import printable
from job_execution_framework.domain.parameters import ABSENT, LONGEST_SHOWN, Parameter, shown


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
class ShownTemplateScript:
    """A script of a template."""

    number: str
    """``3``; of a finally script ``f1``."""
    name: str
    runs: str
    address: str
    """That of what it runs, in the library; "" where that is not there."""
    gets: tuple[tuple[str, str], ...]
    """Its arguments as they are written, each with its name."""
    verdict: Verdict
    """What is known against it."""


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
    scripts: tuple[ShownTemplateScript, ...] = ()
    why_not: str = ""
    """Why a run of it is refused, as far as that is known."""
    would_fail: str = ""
    """Why a run of it would fail as things are now, as far as that is known."""


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
    missing: str = ""
    """The right that somebody lacks who may start none of them."""


def offer_list(
    title: str, offers: Sequence[Offer], query: Query, *, starts_at: str = "", missing: str = ""
) -> OfferList:
    """Return those whose names, descriptions or scripts have the words of the query."""
    found = (offer for offer in offers if _has(offer, query.words))
    return OfferList(
        title,
        query.text,
        query.namespace,
        tuple(shown_offer(offer, query.namespace, starts_at=starts_at) for offer in found),
        is_complete=len(offers) < MOST_OFFERS,
        missing=missing,
    )


def _has(offer: Offer, words: Sequence[str]) -> bool:
    if not words:
        return True
    scripts = (f"{script.name} {script.runs}" for script in offer.scripts)
    text = " ".join((offer.name, offer.description, *scripts)).casefold()
    return all(word in text for word in words)


def shown_offer(offer: Offer, namespace: str, *, starts_at: str = "") -> ShownOffer:
    """Return what is shown of a script of the library, or of a template."""
    takes, place = offer.takes, Query(namespace=namespace)
    finals = sum(script.is_final for script in offer.scripts)
    first_final = len(offer.scripts) - finals
    return ShownOffer(
        offer.name,
        offer.description,
        offer.problem,
        tuple(map(_parameter, takes.listed)) if takes else (),
        is_known=takes is not None,
        takes_others=takes is not None and takes.takes_others,
        address=place.address(f"{starts_at}/{quote(offer.name)}") if starts_at else "",
        scripts=tuple(
            _script(script, _number(index, first_final), place)
            for index, script in enumerate(offer.scripts)
        ),
        why_not=offer.why_not,
        would_fail=offer.would_fail,
    )


def _number(index: int, first_final: int) -> str:
    return str(index + 1) if index < first_final else f"f{index - first_final + 1}"


def _script(script: TemplateScript, number: str, place: Query) -> ShownTemplateScript:
    address = f"{place.address('/library')}#offer-{quote(script.library)}"
    return ShownTemplateScript(
        number,
        script.name,
        script.runs,
        address if script.library and script.verdict == Verdict() else "",
        tuple((name, _written(value)) for name, value in script.gets.items()),
        script.verdict,
    )


def _written(value: object) -> str:
    """Return a value as its author wrote it, cut where it is long."""
    return printable(value, LONGEST_SHOWN) if isinstance(value, str) else shown(value)


def _parameter(parameter: Parameter) -> ShownParameter:
    return ShownParameter(
        parameter.name,
        parameter.takes,
        parameter.required,
        "" if parameter.default is ABSENT else shown(parameter.default),
        parameter.description,
    )
