"""The list of jobs."""

from __future__ import annotations

import pytest

from enso_operator.http_api.web.views.job_list import PER_PAGE, Query, Row, job_list
from tests.support.api import Api

pytestmark = pytest.mark.anyio


def test_an_address_is_read_as_it_was_written() -> None:
    for query in (Query(), Query("Failed", "shot 010&", 3)):
        pairs = dict(_pairs(query.address()))
        assert Query.of(pairs) == query


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "²", "9" * 30])
def test_any_page_number_shows_a_page(page: str) -> None:
    shown = job_list([Row("one", "Failed")], Query.of({"page": page}))
    assert [row.name for row in shown.rows] == ["one"]


def test_states_are_counted_among_what_the_text_finds() -> None:
    rows = [Row("Shot-1", "Failed"), Row("shot-2", "Running"), Row("other", "Failed")]
    shown = job_list(rows, Query(state="Failed", text="shot"))
    assert [row.name for row in shown.rows] == ["Shot-1"]
    counts = [(choice.state, choice.count, choice.is_chosen) for choice in shown.choices]
    assert counts == [("", 2, False), ("Failed", 1, True), ("Running", 1, False)]


def test_many_jobs_are_shown_in_pages() -> None:
    rows = [Row(f"job-{number}", "Succeeded") for number in range(2 * PER_PAGE + 1)]
    shown = job_list(rows, Query(number=2))
    assert (shown.first, shown.found, len(shown.rows)) == (PER_PAGE + 1, 201, PER_PAGE)
    assert shown.rows[0].name == f"job-{PER_PAGE}"
    assert (shown.earlier, shown.later) == ("/?", "/?page=3")
    assert len(job_list(rows, Query(number=3)).rows) == 1


async def test_the_page_shows_jobs_the_newest_first(api: Api) -> None:
    assert "There are no jobs yet." in (await api.get("/")).text
    first, second = await api.add(["say", {}]), await api.add(["say", {}])
    page = (await api.get("/")).text
    assert page.index(f'href="/jobs/{second}"') < page.index(f'href="/jobs/{first}"')
    assert "No job is like this." in (await api.get("/?state=Failed")).text


async def test_what_somebody_searched_for_stays_text(api: Api) -> None:
    page = (await api.get("/?text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%1b")).text
    assert "<script>alert" not in page
    assert "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\x1b" in page


def _pairs(address: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl, urlsplit  # noqa: PLC0415

    return parse_qsl(urlsplit(address).query)
