"""How one job stands: on one line, and its scripts as a table. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents, times
from enso_operator.cli.jobs.table import Column, Screen, table

_COLUMNS = (
    Column("#"),
    Column("SCRIPT", 12),
    Column("STATE"),
    Column("ATTEMPT"),
    Column("STARTED", 8),
    Column("TOOK"),
    Column("REASON", 9),
    Column("MESSAGE", 12),
)


def of(document: Document) -> list[Document]:
    """Return the scripts as the job's spec has them."""
    found: list[Document] = document.get("spec", {}).get("scripts") or []
    return found


def rows(document: Document) -> list[Document]:
    """Return how each script stands, in the job's order; before an operator looked, too."""
    known = {row["name"]: row for row in documents.status(document).get("scripts") or ()}
    untouched = {"state": "NotStarted", "attempt": 0}
    names = [str(script["name"]) for script in of(document)] or [*known]
    return [known.get(name) or {"name": name, **untouched} for name in names]


def headline(document: Document, screen: Screen) -> str:
    """Return how the job stands, on one line."""
    state, status = documents.state(document), documents.status(document)
    done = str(status.get("done") or f"0/{len(of(document))}").replace("/", " of ")
    line = f"{documents.name_of(document)}: {screen.paint(state, state)}, {done} scripts done"
    if not status.get("conditions"):
        return f"{line}; no operator has looked at it yet"
    if documents.is_finished(document):
        return line
    return f"{line}; {documents.condition(document, 'Succeeded').get('message')}"


def window(document: Document, now: datetime, screen: Screen) -> tuple[list[str], int]:
    """Return the lines of the table, and the number of the one that people look for."""
    lines = rendered(document, now, screen)
    at = documents.status(document).get("script")
    found = (number for number, line in enumerate(lines) if at and at[:11] in line)
    return lines, next(found, 1)


def rendered(document: Document, now: datetime, screen: Screen) -> list[str]:
    """Return the lines of the table; earlier attempts of a script stand below its latest."""
    cells = [
        line
        for number, row in enumerate(rows(document), start=1)
        for line in _lines(number, row, now)
    ]
    is_used = [any(line[column] for line in cells) for column in range(len(_COLUMNS))]
    columns = [column for column, used in zip(_COLUMNS, is_used, strict=True) if used]
    kept = [[cell for cell, used in zip(line, is_used, strict=True) if used] for line in cells]
    return table(columns, kept, screen)


def _lines(number: int, row: Document, now: datetime) -> Iterator[list[str]]:
    yield [str(number), str(row["name"]), *_attempt(row, now)]
    for earlier in reversed(row.get("earlier") or ()):
        yield ["", "", *_attempt(earlier, now)]


def _attempt(attempt: Document, now: datetime) -> list[str]:
    began = documents.time_of(attempt.get("startTime"))
    ended = documents.time_of(attempt.get("completionTime"))
    state = str(attempt.get("state"))
    runs = state == "Running" and began
    until = ended or (now if runs else None)
    reason = str(attempt.get("reason") or "")
    code = attempt.get("exitCode")
    return [
        state,
        str(attempt.get("attempt") or ""),
        _clock(began, now) if began else "",
        times.age((until - began).total_seconds()) if began and until else "",
        f"{reason} ({code})" if code and reason == "ExitCode" else reason,
        " ".join(str(attempt.get("message") or "").split()),
    ]


def _clock(at: datetime, now: datetime) -> str:
    """Return a time of day, with the date where that was not today."""
    local = at.astimezone()
    is_today = local.date() == now.astimezone().date()
    return f"{local:%H:%M:%S}" if is_today else f"{local:%m-%d %H:%M}"
