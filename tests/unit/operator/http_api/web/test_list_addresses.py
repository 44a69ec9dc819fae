"""Addresses of the list of jobs that ask for what there is not."""

from __future__ import annotations

from html import unescape

import pytest

from enso_operator.http_api.web.views.query import SORTS, STATES
from tests.support.api import Api

pytestmark = pytest.mark.anyio

STATE = (
    "there is no state 'Foo': state= is one of "
    "Failed, Running, Waiting, Suspended, Succeeded or Cancelled"
)
SORT = (
    "jobs are not sorted by 'labels': sort= is one of created, name, state, script or reason, "
    "or one of them behind '-', which turns the order around"
)


@pytest.mark.parametrize("path", ["/", "/live"])
@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("state=Foo", STATE),
        ("sort=labels", SORT),
        ("sort=-labels", SORT.replace("'labels'", "'-labels'")),
        ("sort=-", SORT.replace("'labels'", "'-'")),
    ],
)
async def test_an_unknown_one_is_refused_with_what_there_is(
    api: Api, path: str, asked: str, sentence: str
) -> None:
    page = await api.get(f"{path}?{asked}")
    assert page.status_code == 400
    assert sentence in unescape(page.text)
    assert "Not understood" in page.text
    answer = await api.get(f"{path}?{asked}", Accept="application/json")
    assert (answer.status_code, answer.json()) == (400, {"error": sentence})


async def test_what_there_is_is_taken(api: Api) -> None:
    for state in STATES:
        assert (await api.get(f"/?state={state}")).status_code == 200
    for sort in SORTS:
        assert (await api.get(f"/?sort=-{sort}")).status_code == 200
