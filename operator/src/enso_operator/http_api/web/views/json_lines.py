"""JSON of several lines in narrow columns; `rendering` makes it a filter of the templates."""

from __future__ import annotations

from markupsafe import Markup, escape

from job_execution_framework.domain.cause import escaped


def indented(text: str) -> Markup:
    """Return the lines of a JSON text; none is broken right behind the spaces that it begins with.

    What would reorder a line is made visible, as in all texts. A browser breaks there before it
    breaks a long text in quotes, which leaves an empty line.
    """
    return Markup("\n").join(map(_line, text.split("\n")))


def _line(line: str) -> Markup:
    begin = len(line) - len(line.lstrip(" "))
    if not begin:
        return escape(escaped(line))
    first, rest = escaped(line[: begin + 1]), escaped(line[begin + 1 :])
    return Markup('<span class="indent">{}</span>{}').format(first, rest)
