"""Addresses that are as long as a server takes them: they break nothing, and cost little."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from enso_operator.http_api.offers import Offer
from enso_operator.http_api.rows import JobRow, Rows
from enso_operator.http_api.web import offer_pages
from enso_operator.http_api.web.views.job_list import job_list
from enso_operator.http_api.web.views.offers import OfferList, offer_list
from enso_operator.http_api.web.views.query import LONGEST_PART, LONGEST_TEXT, MOST_LABELS, Query
from tests.support.api import Api

pytestmark = pytest.mark.anyio
DIGITS = "9" * 5000
LONG = "a b " * 10_000


@pytest.mark.parametrize("path", ["/?page=", "/library?page="])
async def test_no_number_of_a_page_is_too_long(api: Api, path: str) -> None:
    assert (await api.get(path + DIGITS)).status_code == 200


@pytest.mark.parametrize("end", ["", "/output"])
async def test_an_attempt_with_a_number_too_long_is_not_there(api: Api, end: str) -> None:
    jobid = await api.add(["say", {}])
    answer = await api.get(f"/jobs/{jobid}/scripts/say/attempts/{DIGITS}{end}")
    assert answer.status_code == 404


def test_what_is_looked_for_is_bounded_and_each_word_is_looked_for_once() -> None:
    query = Query.of([("text", LONG), *(("label", LONG) for _ in range(100))])
    assert query.words == ("a", "b")
    assert len(query.text) <= LONGEST_TEXT
    assert [len(label) <= LONGEST_PART for label in query.labels] == [True] * MOST_LABELS


def test_no_address_makes_a_page_much_longer_than_another() -> None:
    labels = {f"example.com/label-{number}": "x" for number in range(10)}
    rows = Rows.of([JobRow(f"job-{n}", "", 0, "Failed", labels=labels) for n in range(100)])
    names = ("text", "reason", "template", "namespace")
    query = Query.of([("state", "Failed"), *((name, "é" * 20_000) for name in names)])

    shown = job_list(rows, query)
    assert shown.lines == ()
    assert max(len(choice.address) for choice in shown.states) < 6 * 5 * LONGEST_PART

    shown = job_list(rows, Query.of([("text", "job " * 10_000)]))
    links = [label.address for line in shown.lines for label in line.labels]
    assert len(links) == 1000
    assert max(map(len, links)) < 2 * LONGEST_TEXT


@pytest.mark.parametrize("path", ["/library", "/templates"])
async def test_a_search_of_what_can_be_run_holds_up_nobody_else(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched_in: list[threading.Thread] = []

    def searched(title: str, offers: Sequence[Offer], query: Query, **where: str) -> OfferList:
        searched_in.append(threading.current_thread())
        return offer_list(title, offers, query, **where)

    monkeypatch.setattr(offer_pages, "offer_list", searched)
    assert (await api.get(path)).status_code == 200
    assert searched_in != []
    assert threading.current_thread() not in searched_in
