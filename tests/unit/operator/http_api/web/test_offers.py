"""The pages of what there is to run."""

from __future__ import annotations

import pytest

from enso_operator.http_api.offers import Offer
from enso_operator.http_api.web.views.offers import offer_list
from enso_operator.http_api.web.views.query import Query
from job_execution_framework.domain.parameters import Parameter, Parameters, Type
from tests.support.api import Api

pytestmark = pytest.mark.anyio
SHOT = Parameter("shot", Type.STRING, required=True, description="Its number.")
FRAMES = Parameter("frames", Type.INTEGER, default=240, minimum=1, maximum=1000)
OFFERS = (
    Offer("publish", "Publishes a shot.", Parameters((SHOT, FRAMES))),
    Offer("save", "Saves.", Parameters(takes_others=True)),
    Offer("broken", problem="it has no main"),
)


def test_parameters_are_shown_in_words() -> None:
    publish, save, broken = offer_list("Library", OFFERS, Query()).offers
    shot, frames = publish.parameters
    assert (shot.is_required, shot.takes, shot.default) == (True, "a string", "")
    assert (frames.takes, frames.default) == ("an integer from 1 to 1000", "240")
    assert (save.parameters, save.is_known, save.takes_others) == ((), True, True)
    assert (broken.is_known, broken.problem, broken.address) == (False, "it has no main", "")


def test_what_can_be_started_has_an_address_in_its_namespace() -> None:
    shown = offer_list("Templates", OFFERS, Query(namespace="studio"), starts_at="/templates")
    addresses = [offer.address for offer in shown.offers]
    assert addresses == [
        "/templates/publish?namespace=studio",
        "/templates/save?namespace=studio",
        "/templates/broken?namespace=studio",
    ]
    assert [offer.why_not for offer in shown.offers] == ["", "", "it has no main"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SHOT publish", ["publish"]),
        ("save", ["save"]),
        ("x", []),
        ("", ["publish", "save", "broken"]),
    ],
)
def test_they_are_found_by_words(text: str, names: list[str]) -> None:
    shown = offer_list("Library", OFFERS, Query(text=text))
    assert [offer.name for offer in shown.offers] == names


async def test_the_library_shows_its_scripts(api: Api) -> None:
    page = (await api.get("/library")).text
    assert 'id="offer-typed"' in page
    assert "an integer" in page
    assert "Nothing is like this." in (await api.get("/library?text=nothing-like-it")).text


async def test_without_templates_the_page_says_so(api: Api) -> None:
    assert "There are no templates." in (await api.get("/templates")).text


async def test_jobs_in_memory_have_no_namespaces(api: Api) -> None:
    assert "there are no namespaces" in (await api.get("/namespaces")).text
    answer = await api.get("/?namespace=studio")
    assert answer.status_code == 404
    assert "there is no namespace &#39;studio&#39;" in answer.text
