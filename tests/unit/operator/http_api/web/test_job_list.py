"""The list of jobs: what an address asks for, and what the page shows."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from enso_operator.http_api.rows import JobRow, Rows
from enso_operator.http_api.web.views.job_list import PER_PAGE, JobList, job_list
from enso_operator.http_api.web.views.query import SORTS, Query
from tests.support.api import Api

pytestmark = pytest.mark.anyio


def _row(name: str, state: str = "Running", created: float = 0, **fields: object) -> JobRow:
    return JobRow(name, "", created, state, **fields)  # type: ignore[arg-type]  # of the test


def _shown(rows: list[JobRow], **query: object) -> JobList:
    return job_list(Rows.of(rows), Query(**query))  # type: ignore[arg-type]  # of the test


def _names(shown: JobList) -> list[str]:
    return [line.row.name for line in shown.lines]


def _query_at(address: str) -> Query:
    return Query.of(parse_qsl(urlsplit(address).query))


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(state="Failed", text="shot 010&x=é", number=3),
        Query(labels=("show=heron", "dept"), template="publish", reason="OutOfMemory"),
        Query(sort="name", is_reversed=True, namespace="studio"),
        Query(is_reversed=True),
    ],
)
def test_an_address_is_read_as_it_was_written(query: Query) -> None:
    assert _query_at(query.address()) == query


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "²", "9" * 30])
def test_any_page_number_shows_a_page(page: str) -> None:
    shown = job_list(Rows.of([_row("one")]), Query.of([("page", page)]))
    assert _names(shown) == ["one"]


def test_what_makes_no_sense_asks_for_nothing() -> None:
    pairs = [("sort", ""), ("state", " "), ("colour", "red"), ("label", " "), ("text", "  ")]
    assert Query.of(pairs) == Query()


def test_scripts_that_were_skipped_are_not_told_as_done() -> None:
    rows = [_row("one", done="3/3", skipped=1), _row("two", done="2/3"), _row("new")]
    assert {line.row.name: line.done for line in _shown(rows).lines} == {
        "one": "2/3, 1 skipped",
        "two": "2/3",
        "new": "",
    }


def test_states_are_counted_among_what_the_rest_finds() -> None:
    rows = [_row("Shot-1", "Failed"), _row("shot-2"), _row("other", "Failed")]
    shown = _shown(rows, state="Failed", text="shot")
    assert _names(shown) == ["Shot-1"]
    counts = [(choice.name, choice.count, choice.is_chosen) for choice in shown.states]
    assert counts == [("", 2, False), ("Failed", 1, True), ("Running", 1, False)]


def test_jobs_are_found_by_label_reason_template_and_text() -> None:
    rows = [
        _row("a", script="simulate", labels={"show": "heron"}, template="publish"),
        _row("b", reason="Timeout", labels={"show": "kestrel", "dept": "fx"}),
        _row("c", reason="Exception", error="ValueError"),
    ]
    for query, found in (
        ({"labels": ("show=heron",)}, ["a"]),
        ({"labels": ("show",)}, ["a", "b"]),
        ({"labels": ("show=kestrel", "dept=fx")}, ["b"]),
        ({"labels": ("show=kestrel", "dept=comp")}, []),
        ({"reason": "Timeout"}, ["b"]),
        ({"reason": "Exception"}, ["c"]),
        ({"reason": "ValueError"}, ["c"]),
        ({"template": "publish"}, ["a"]),
        ({"text": "SIMU"}, ["a"]),
        ({"text": "simulate publish"}, ["a"]),
        ({"text": "timeout"}, ["b"]),
        ({"text": "valueerror"}, ["c"]),
        ({"text": "heron"}, ["a"]),
        ({"text": "show=kestrel dept=fx timeout"}, ["b"]),
        ({"text": "heron timeout"}, []),
    ):
        assert _names(_shown(rows, **query)) == found


def test_what_limits_the_list_can_be_taken_away() -> None:
    shown = _shown([_row("a")], text="x", labels=("show=heron", "dept=fx"), state="Failed")
    tokens = {(token.name, token.value): _query_at(token.address) for token in shown.tokens}
    assert tokens == {
        ("text", "x"): Query(state="Failed", labels=("show=heron", "dept=fx")),
        ("label", "show=heron"): Query(state="Failed", text="x", labels=("dept=fx",)),
        ("label", "dept=fx"): Query(state="Failed", text="x", labels=("show=heron",)),
    }


def test_a_column_is_sorted_and_what_is_empty_comes_last() -> None:
    rows = [
        _row("b", created=1, reason="Timeout"),
        _row("a", created=2),
        _row("C", created=3, reason="Exception"),
    ]
    assert _names(_shown(rows)) == ["C", "a", "b"]
    assert _names(_shown(rows, is_reversed=True)) == ["b", "a", "C"]
    assert _names(_shown(rows, sort="name")) == ["a", "b", "C"]
    assert _names(_shown(rows, sort="reason")) == ["C", "b", "a"]
    assert _names(_shown(rows, sort="reason", is_reversed=True)) == ["b", "C", "a"]


def test_a_heading_sorts_and_then_turns_around() -> None:
    def orders(shown: JobList) -> dict[str, str]:
        return {heading.name: heading.order for heading in shown.headings if heading.order}

    plain = _shown([_row("a")])
    assert orders(plain) == {"Created": "descending"}
    by_name = next(heading for heading in plain.headings if heading.name == "Job")
    assert _query_at(by_name.address) == Query(sort="name")
    sorted_by_name = _shown([_row("a")], sort="name")
    assert orders(sorted_by_name) == {"Job": "ascending"}
    again = next(heading for heading in sorted_by_name.headings if heading.name == "Job")
    assert _query_at(again.address) == Query(sort="name", is_reversed=True)
    assert len(plain.headings) == len(SORTS)


def test_many_jobs_are_shown_in_pages() -> None:
    rows = [_row(f"job-{number:03}", created=-number) for number in range(2 * PER_PAGE + 1)]
    shown = _shown(rows, number=2)
    assert (shown.first, shown.found, len(shown.lines)) == (PER_PAGE + 1, 201, PER_PAGE)
    assert shown.lines[0].row.name == f"job-{PER_PAGE}"
    assert (shown.earlier, shown.later) == ("/", "/?page=3")
    assert len(_shown(rows, number=3).lines) == 1


def test_a_line_tells_how_much_is_done() -> None:
    lines = _shown([_row("a", done="1/4"), _row("b"), _row("c", done="0/0")]).lines
    assert [line.share for line in lines] == [25, None, None]


def test_the_jobs_of_a_namespace_lead_to_their_pages_there() -> None:
    row = JobRow("shot", "studio", 0, "Running")
    (line,) = job_list(Rows.of([row]), Query()).lines
    assert line.address == "/jobs/shot?namespace=studio"


async def test_the_page_shows_jobs_the_newest_first(api: Api) -> None:
    assert "There are no jobs yet." in (await api.get("/")).text
    first, second = await api.add(["say", {}]), await api.add(["say", {}])
    page = (await api.get("/")).text
    assert page.index(f'href="/jobs/{second}"') < page.index(f'href="/jobs/{first}"')
    assert "0/1" in page
    assert "No job matches." in (await api.get("/?state=Failed")).text


async def test_what_somebody_searched_for_stays_text(api: Api) -> None:
    evil = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%1b"
    for part in ("text", "reason", "label", "state", "template", "namespace"):
        page = (await api.get(f"/?{part}={evil}")).text
        assert "<script>alert" not in page
        assert "\x1b" not in page
    page = (await api.get(f"/?text={evil}")).text
    assert "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\x1b" in page
