"""The parts of a page that change while somebody looks at it.

Each is one element with an id of its own, and is rendered by a macro. Two parts that are equal look
the same, but for ages and bars that grow, which go on in the browser: only what changed is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from enso_operator.http_api.web.views.actions import NOTHING
from enso_operator.http_api.web.views.job_list import JobList
from enso_operator.http_api.web.views.job_page import JobPage


@dataclass(frozen=True)
class Part:
    """What one element shows."""

    template: str
    macro: str
    shown: tuple[object, ...] = field(compare=False)
    """The arguments of the macro."""
    key: object
    """What it depends on."""
    within: str = ""
    """The id of the part that contains it, and is sent as a whole where it changes itself."""
    until: float | None = field(default=None, compare=False)
    """Until when it is right though nothing changes, in seconds since the epoch."""


Parts = Mapping[str, Part]
"""By the ids of their elements."""


def changed(before: Parts, after: Parts) -> list[str]:
    """Return the ids of the parts to send to whoever has seen those of `before`."""
    return outermost(after, [name for name, part in after.items() if part != before.get(name)])


def outermost(parts: Parts, ids: Sequence[str]) -> list[str]:
    """Return those of the ids whose parts are not sent within another one."""
    among = frozenset(ids)
    return [name for name in ids if parts[name].within not in among]


def parts_of_job(page: JobPage) -> Parts:
    """Return the parts of the page of a job."""
    names = tuple(script.name for script in page.scripts)
    head = replace(page, scripts=(), timeline=None, failure=None, requests=(), actions=NOTHING)
    axis = page.timeline and replace(page.timeline, bands=(), ticks=())
    parts = {
        "part-head": _job_part("head", page, head),
        "part-actions": Part("_actions.html", "buttons", (page,), page.actions),
        "part-failure": _job_part("failure", page, (page.state, page.failure)),
        "part-scripts": _job_part("scripts", page, names),
        "part-axis": replace(
            _job_part("axis", page, (page.timeline, page.legend), within="part-scripts"),
            until=_axis_end(page),
        ),
        "part-requests": Part("_requests.html", "requests", (page,), page.requests),
    }
    for script in page.scripts:
        parts[f"script-{script.name}"] = Part(
            "_job.html", "script", (page, script), (axis, script), within="part-scripts"
        )
    return parts


def _axis_end(page: JobPage) -> float | None:
    """Return until when there is room on the axis for what goes on."""
    if page.timeline is None or any(tick.is_end for tick in page.timeline.ticks):
        return None
    return page.timeline.end


def _job_part(macro: str, page: JobPage, key: object, within: str = "") -> Part:
    return Part("_job.html", macro, (page,), key, within)


def parts_of_list(page: JobList) -> Parts:
    """Return the parts of the list of jobs."""
    ids = tuple(line.element for line in page.lines)
    table = replace(page, states=(), reasons=(), lines=())
    parts = {
        "part-states": Part("_jobs.html", "states", (page,), page.states),
        "part-reasons": Part("_jobs.html", "reasons", (page,), page.reasons),
        "part-table": Part("_jobs.html", "table", (page,), (ids, table)),
    }
    for line in page.lines:
        parts[line.element] = Part(
            "_jobs.html", "line", (line, page.has_labels), line, within="part-table"
        )
    return parts
