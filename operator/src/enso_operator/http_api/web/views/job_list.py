"""The list of jobs: which of them an address asks for, in which order, on which page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from job_execution_framework.domain.transitions import JobState

PER_PAGE = 100
STATES = tuple(
    str(state)
    for state in (
        JobState.FAILED,
        JobState.RUNNING,
        JobState.WAITING,
        JobState.SUSPENDED,
        JobState.SUCCEEDED,
        JobState.CANCELLED,
    )
)
"""In the order in which people ask for them."""


@dataclass(frozen=True)
class Row:
    """A job, as a line of the list."""

    name: str
    state: str


@dataclass(frozen=True)
class Query:
    """What an address asks for; each field is a part of it, "" for everything."""

    state: str = ""
    text: str = ""
    number: int = 1

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Query:
        """Read the address; what makes no sense asks for nothing."""
        number = parameters.get("page", "")
        return cls(
            state=parameters.get("state", ""),
            text=parameters.get("text", "").strip(),
            number=max(int(number), 1) if number.isascii() and number.isdigit() else 1,
        )

    def address(self) -> str:
        """Return the address of this query."""
        page = str(self.number) if self.number > 1 else ""
        parts = {"state": self.state, "text": self.text, "page": page}
        return "/?" + urlencode({name: value for name, value in parts.items() if value})

    def takes(self, row: Row) -> bool:
        """Whether a job is one that the query asks for, whatever its state."""
        return self.text.casefold() in row.name.casefold()


@dataclass(frozen=True)
class Choice:
    """A state to choose, with the number of jobs that are in it."""

    state: str
    count: int
    address: str
    is_chosen: bool


@dataclass(frozen=True)
class JobList:
    """What the page shows."""

    query: Query
    choices: tuple[Choice, ...]
    rows: tuple[Row, ...]
    found: int
    first: int
    """Number of the first row of this page among those found, from 1; 0 where there are none."""
    earlier: str
    """Addresses of the neighbouring pages; "" where there is none."""
    later: str
    is_filtered: bool


def job_list(rows: Iterable[Row], query: Query) -> JobList:
    """Return the page that `query` asks for, of rows in the order in which they are shown."""
    taken = [row for row in rows if query.takes(row)]
    counts = Counter(row.state for row in taken)
    found = [row for row in taken if not query.state or row.state == query.state]
    last = max(1, -(-len(found) // PER_PAGE))
    number = min(query.number, last)
    begin = (number - 1) * PER_PAGE
    return JobList(
        query,
        tuple(_choices(query, counts)),
        tuple(found[begin : begin + PER_PAGE]),
        found=len(found),
        first=begin + 1 if found else 0,
        earlier=replace(query, number=number - 1).address() if number > 1 else "",
        later=replace(query, number=number + 1).address() if number < last else "",
        is_filtered=bool(query.state or query.text),
    )


def _choices(query: Query, counts: Counter[str]) -> Iterable[Choice]:
    anew = replace(query, number=1)
    yield Choice("", counts.total(), replace(anew, state="").address(), not query.state)
    others = sorted(counts.keys() - set(STATES))
    for state in (*STATES, *others):
        if counts[state] or state == query.state:
            address = replace(anew, state=state).address()
            yield Choice(state, counts[state], address, state == query.state)
