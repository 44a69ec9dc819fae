"""The list of jobs, as its page shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from enso_operator.http_api.rows import JobRow, Rows
from enso_operator.http_api.web.views.query import SORTS, STATES, Query, reasons_of
from job_execution_framework.domain.transitions import JobState

PER_PAGE = 100
MOST_REASONS = 50
"""Reasons, and types of exceptions, to choose from."""
HEADINGS = {
    "state": "State",
    "name": "Job",
    "script": "Script",
    "reason": "Reason",
    "created": "Created",
}


@dataclass(frozen=True)
class Choice:
    """Something to choose, with the number of jobs that it leaves."""

    name: str
    count: int
    address: str
    is_chosen: bool


@dataclass(frozen=True)
class Heading:
    """The heading of a column by which the list can be sorted."""

    name: str
    address: str
    order: str
    """``ascending`` or ``descending``, as `aria-sort` has it; "" where it is not sorted by it."""


@dataclass(frozen=True)
class Token:
    """A part of the query, which can be taken away."""

    name: str
    value: str
    address: str
    """That of the query without it."""


@dataclass(frozen=True)
class ShownLabel:
    """A label of a job."""

    text: str
    address: str
    """That of the jobs with the same label."""


@dataclass(frozen=True)
class Line:
    """A job, as a line of the list."""

    row: JobRow
    element: str
    """The id of its element."""
    address: str
    done: str
    """How many of its scripts are done, and how many of them were skipped, where that is known."""
    word: str
    """The word that stands for its state; "" where that is the state itself."""
    finer: str
    """What stands behind it, a word that is finer; "" where its reason says the same."""
    share: float | None
    """Which part of its scripts is done and was not skipped, from 0 to 100."""
    labels: tuple[ShownLabel, ...]


@dataclass(frozen=True)
class JobList:
    """What the page shows."""

    query: Query
    states: tuple[Choice, ...]
    reasons: tuple[Choice, ...]
    tokens: tuple[Token, ...]
    headings: tuple[Heading, ...]
    lines: tuple[Line, ...]
    found: int
    first: int
    """Number of the first line of this page among those found, from 1; 0 where there are none."""
    earlier: str
    """Addresses of the neighbouring pages; "" where there is none."""
    later: str
    is_complete: bool
    has_labels: bool


def job_list(rows: Rows, query: Query) -> JobList:
    """Return the page that `query` asks for."""
    taken = [row for row in rows.rows if query.takes(row)]
    counts = Counter(row.state for row in taken)
    found = [row for row in taken if not query.state or row.state == query.state]
    last = max(1, -(-len(found) // PER_PAGE))
    number = min(query.number, last)
    begin = (number - 1) * PER_PAGE
    lines = tuple(_line(row, query) for row in query.sorted(found)[begin : begin + PER_PAGE])
    return JobList(
        query,
        states=tuple(_states(query, counts)),
        reasons=tuple(_reasons(query, rows)),
        tokens=tuple(_tokens(query)),
        headings=tuple(_heading(query, column) for column in HEADINGS),
        lines=lines,
        found=len(found),
        first=begin + 1 if found else 0,
        earlier=replace(query, number=number - 1).address() if number > 1 else "",
        later=replace(query, number=number + 1).address() if number < last else "",
        is_complete=rows.is_complete,
        has_labels=any(line.labels for line in lines),
    )


def address_of(name: str, namespace: str) -> str:
    """Return the address of a job's page."""
    return Query(namespace=namespace).address(f"/jobs/{name}")


def _line(row: JobRow, query: Query) -> Line:
    done, slash, total = row.done.partition("/")
    is_count = slash and done.isdigit() and total.isdigit() and int(total)
    is_waiting = row.state == JobState.WAITING  # for what, the finer word says
    labels = [*([("template", row.template)] if row.template else []), *sorted(row.labels.items())]
    return Line(
        row,
        f"job-{row.namespace}-{row.name}",
        address_of(row.name, row.namespace),
        f"{int(done) - row.skipped}/{total}, {row.skipped} skipped"
        if is_count and row.skipped
        else row.done,
        row.finer if is_waiting else "",
        "" if is_waiting or row.finer == row.reason else row.finer,
        round(100 * (int(done) - row.skipped) / int(total), 1) if is_count else None,
        tuple(
            ShownLabel(value, query.but(template=value).address())
            if key == "template"
            else ShownLabel(
                f"{key}={value}",
                query.but(labels=_with(query.labels, f"{key}={value}")).address(),
            )
            for key, value in labels
        ),
    )


def _with(labels: tuple[str, ...], label: str) -> tuple[str, ...]:
    return labels if label in labels else (*labels, label)


def _states(query: Query, counts: Counter[str]) -> Iterator[Choice]:
    yield Choice("", counts.total(), query.but(state="").address(), not query.state)
    for state in STATES:
        if counts[state] or state == query.state:
            address = query.but(state=state).address()
            yield Choice(state, counts[state], address, state == query.state)


def _reasons(query: Query, rows: Rows) -> Iterator[Choice]:
    counts = Counter(reason for row in rows.rows for reason in reasons_of(row))
    shown = dict(counts.most_common(MOST_REASONS))
    if query.reason:  # it stays chosen, also where no job has it any more
        shown[query.reason] = counts[query.reason]
    for reason, count in shown.items():
        address = query.but(reason=reason).address()
        yield Choice(reason, count, address, reason == query.reason)


def _tokens(query: Query) -> Iterator[Token]:
    for name in ("text", "reason", "template"):
        if value := getattr(query, name):
            yield Token(name, value, query.but(**{name: ""}).address())
    for label in query.labels:
        others = tuple(other for other in query.labels if other != label)
        yield Token("label", label, query.but(labels=others).address())


def _heading(query: Query, column: str) -> Heading:
    is_chosen = query.sort == column
    turned = is_chosen and not query.is_reversed
    address = query.but(sort=column, is_reversed=turned).address()
    is_ascending = query.is_reversed == (column == SORTS[0])  # the newest first is descending
    order = "ascending" if is_ascending else "descending"
    return Heading(HEADINGS[column], address, order if is_chosen else "")
