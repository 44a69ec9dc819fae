"""What the address of the list of jobs asks for: which of them, in which order, on which page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlencode

from enso_operator.http_api.rows import JobRow
from job_execution_framework.domain.transitions import JobState

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
MOST_LABELS = 8
"""Labels that one address asks for."""
LONGEST_TEXT = 200
"""Characters of the words that are looked for; what is behind them is left out."""
LONGEST_PART = 400
"""Characters of each other part: the longest label has 381."""
MOST_DIGITS = 9
"""Digits of the number of a page; a longer one asks for nothing."""
SORTS = ("created", "name", "state", "script", "reason")
"""What jobs are sorted by; the first, newest first, where an address says nothing."""


class BadAddress(Exception):  # as Busy: what it is
    """An address asks for what there is not; the message says what there is."""


@dataclass(frozen=True)
class Query:
    """What an address asks for; each field is a part of it, "" for everything."""

    state: str = ""
    text: str = ""
    reason: str = ""
    template: str = ""
    labels: tuple[str, ...] = ()
    """Each as ``key=value``, or a key alone."""
    sort: str = SORTS[0]
    is_reversed: bool = False
    number: int = 1
    namespace: str = ""

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Read the address; raise BadAddress for a state or an order that there is not."""
        listed = [(name, value.strip()[:LONGEST_PART]) for name, value in pairs]
        given: Mapping[str, str] = dict(listed)
        number, sort = given.get("page", ""), given.get("sort", "")
        column, state = sort.removeprefix("-"), given.get("state", "")
        if state and state not in STATES:
            raise BadAddress(f"there is no state {state!r}: state= is one of {_or(STATES)}")
        if sort and column not in SORTS:
            orders = f"{_or(SORTS)}, or one of them behind '-', which turns the order around"
            raise BadAddress(f"jobs are not sorted by {sort!r}: sort= is one of {orders}")
        return cls(
            state=state,
            text=given.get("text", "")[:LONGEST_TEXT].strip(),
            reason=given.get("reason", ""),
            template=given.get("template", ""),
            labels=tuple(value for name, value in listed if name == "label" and value)[
                :MOST_LABELS
            ],
            sort=column or SORTS[0],
            is_reversed=sort.startswith("-"),
            number=max(int(number), 1) if _is_number(number) else 1,
            namespace=given.get("namespace", ""),
        )

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of its text, each once, as casefolded texts have them."""
        return tuple(dict.fromkeys(self.text.casefold().split()))

    def but(self, **fields: Any) -> Self:  # noqa: ANN401  # the fields of this class
        """Return this query with other fields, from its first page on."""
        return replace(self, **{"number": 1, **fields})

    def parts(self, *without: str) -> list[tuple[str, str]]:
        """Return the parts of its address, but for those named; what says nothing is left out."""
        is_sorted = self.sort != SORTS[0] or self.is_reversed
        parts = [
            ("namespace", self.namespace),
            ("state", self.state),
            ("text", self.text),
            ("reason", self.reason),
            ("template", self.template),
            *(("label", label) for label in self.labels),
            ("sort", f"{'-' if self.is_reversed else ''}{self.sort}" if is_sorted else ""),
            ("page", str(self.number) if self.number > 1 else ""),
        ]
        return [(name, value) for name, value in parts if value and name not in without]

    def address(self, path: str = "/", **more: str) -> str:
        """Return the address of this query, with `more` parts."""
        parts = urlencode([*self.parts(), *more.items()])
        return f"{path}?{parts}" if parts else path

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.state or self.text or self.reason or self.template or self.labels)

    def takes(self, row: JobRow) -> bool:
        """Whether a job is one that the query asks for, whatever its state."""
        if self.reason and self.reason not in reasons_of(row):
            return False
        if self.template and row.template != self.template:
            return False
        if not all(_has(row.labels, label) for label in self.labels):
            return False
        if not self.words:
            return True
        labels = (f"{key}={value}" for key, value in row.labels.items())
        texts = (row.name, row.script, row.reason, row.error, row.template, *labels)
        text = " ".join(texts).casefold()
        return all(word in text for word in self.words)

    def sorted(self, rows: list[JobRow]) -> list[JobRow]:
        """Return the rows in the order that it asks for; those that are equal the newest first.

        `rows` are the newest first.
        """
        if self.sort == SORTS[0]:
            return rows[::-1] if self.is_reversed else rows
        # What has no value stands at the end, whichever way.
        filled = [row for row in rows if getattr(row, self.sort)]
        filled.sort(
            key=lambda row: str(getattr(row, self.sort)).casefold(), reverse=self.is_reversed
        )
        return [*filled, *(row for row in rows if not getattr(row, self.sort))]


def reasons_of(row: JobRow) -> tuple[str, ...]:
    """Return what `reason=` finds a job by: its reason, and the type of its exception."""
    return tuple(dict.fromkeys(filter(None, (row.reason, row.error))))


def _or(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _is_number(text: str) -> bool:
    return len(text) <= MOST_DIGITS and text.isascii() and text.isdigit()


def _has(labels: Mapping[str, str], wanted: str) -> bool:
    key, is_pair, value = wanted.partition("=")
    return labels.get(key) == value if is_pair else key in labels
