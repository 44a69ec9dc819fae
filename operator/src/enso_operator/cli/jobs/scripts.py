"""Shows the state of one job: as one line, and its scripts as a table."""

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
    Column("PROGRESS"),
    Column("REASON", 9),
    Column("MESSAGE", 12),
)


def of(document: Document) -> list[Document]:
    """Return the scripts in the job's spec, and behind them its finally scripts."""
    return _listed(document, "scripts") + _listed(document, "finally")


def _listed(document: Document, field: str) -> list[Document]:
    scripts: list[Document] = document.get("spec", {}).get(field) or []
    return scripts


def rows(document: Document) -> list[Document]:
    """Return the row of each script, in the job's order, also before there is a status."""
    rows_by_name = {row["name"]: row for row in documents.status(document).get("scripts") or ()}
    not_started = {"state": "NotStarted", "attempt": 0}
    final = {str(script["name"]) for script in _listed(document, "finally")}
    names = [str(script["name"]) for script in of(document)] or [*rows_by_name]
    return [
        rows_by_name.get(name)
        or {"name": name, **({"final": True} if name in final else {}), **not_started}
        for name in names
    ]


def places(rows: list[Document]) -> list[str]:
    """Return where the script of each row stands: ``2 of 4``, or ``finally, 1 of 2``."""
    total = sum(not row.get("final") for row in rows)
    return [
        f"finally, {number - total} of {len(rows) - total}"
        if number > total
        else f"{number} of {total}"
        for number in range(1, len(rows) + 1)
    ]


def headline(document: Document, screen: Screen) -> str:
    """Return the state of the job as one line."""
    state, status = documents.state(document), documents.status(document)
    line = f"{documents.name_of(document)}: {screen.paint(state, state)}"
    if total := len(_listed(document, "scripts")) or status.get("done"):
        done = str(status.get("done") or f"0/{total}").replace("/", " of ")
        line += f", {done} scripts done"
    if not status.get("conditions"):
        return f"{line}; no operator has looked at it yet"
    if documents.is_finished(document):
        return line
    return f"{line}; {documents.condition(document, 'Succeeded').get('message')}"


def lines_and_focus(document: Document, now: datetime, screen: Screen) -> tuple[list[str], int]:
    """Return the lines of the table, and the number of the line of the current script."""
    lines = rendered(document, now, screen)
    script = documents.status(document).get("script")
    matches = (number for number, line in enumerate(lines) if script and script[:11] in line)
    return lines, next(matches, 1)


def rendered(document: Document, now: datetime, screen: Screen) -> list[str]:
    """Return the lines of the table; earlier attempts of a script are below its latest one."""
    listed = rows(document)
    cells = [
        line
        for place, row in zip(places(listed), listed, strict=True)
        for line in _lines(_number(place), row, now)
    ]
    is_used = [any(line[column] for line in cells) for column in range(len(_COLUMNS))]
    columns = [column for column, used in zip(_COLUMNS, is_used, strict=True) if used]
    kept = [[cell for cell, used in zip(line, is_used, strict=True) if used] for line in cells]
    return table(columns, kept, screen)


def _number(place: str) -> str:
    """Return a script's number in the table: ``2``; of a finally script ``f1``."""
    return place.partition(" of ")[0].replace("finally, ", "f")


def _lines(number: str, row: Document, now: datetime) -> Iterator[list[str]]:
    yield [number, str(row["name"]), *_attempt(row, now)]
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
        _time_of_day(began, now) if began else "",
        times.age((until - began).total_seconds()) if began and until else "",
        f"{attempt['progress']:g}%" if "progress" in attempt else "",
        f"{reason} ({code})" if code and reason == "ExitCode" else reason,
        " ".join(str(attempt.get("message") or "").split()),
    ]


def _time_of_day(at: datetime, now: datetime) -> str:
    """Return a time of day; with the date if it is not today."""
    local = at.astimezone()
    is_today = local.date() == now.astimezone().date()
    return f"{local:%H:%M:%S}" if is_today else f"{local:%m-%d %H:%M}"
