"""What a docstring says of a script and of its parameters.

`signature` asks. Known are the styles that people use: Google's ``Args:``, numpy's ``Parameters``
with its line of dashes, and Sphinx' ``:param name:``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from itertools import dropwhile, takewhile

LONGEST = 1024
"""Characters of a description that are kept."""
_GOOGLE = re.compile(r"\*{0,2}(?P<name>\w+)\s*(\(.*?\))?:\s*(?P<text>.*)")
_NUMPY = re.compile(r"\*{0,2}(?P<name>\w+)\s*(:.*)?(?P<text>)")
_SPHINX = re.compile(r":(param|arg|argument|key)\s([^:]*\s)?\*{0,2}(?P<name>\w+):\s*(?P<text>.*)")
_GOOGLE_HEADING = re.compile(r"((keyword )?arg(ument)?s|parameters):", re.IGNORECASE)
_NUMPY_HEADING = re.compile(r"(other )?parameters", re.IGNORECASE)
_UNDERLINE = re.compile(r"--+")


def summary(docstring: str) -> str:
    """Return the first paragraph of a docstring, in one line."""
    text = inspect.cleandoc(docstring)
    return "" if text.startswith(":") else _in_one_line(text.partition("\n\n")[0].splitlines())


def descriptions(docstring: str) -> dict[str, str]:
    """Return what the docstring says of each parameter, in one line each."""
    found: dict[str, list[str]] = {}
    for section, item in _sections(inspect.cleandoc(docstring).splitlines()):
        for name, text in _items(section, item):
            found.setdefault(name, []).append(text)
    return {name: _in_one_line(lines) for name, lines in found.items()}


def _sections(lines: list[str]) -> Iterator[tuple[list[str], re.Pattern[str]]]:
    """Yield the lines that describe parameters, and how each parameter begins there."""
    for number, line in enumerate(lines):
        rest, text = lines[number + 1 :], line.strip()
        if _GOOGLE_HEADING.fullmatch(text):
            yield [*takewhile(lambda one: not one or _indent(one) > _indent(line), rest)], _GOOGLE  # noqa: B023  # used up at once
        elif _NUMPY_HEADING.fullmatch(text) and rest and _UNDERLINE.fullmatch(rest[0].strip()):
            underlines = (n for n, one in enumerate(rest[1:]) if _UNDERLINE.fullmatch(one.strip()))
            yield rest[1 : next(underlines, len(rest))], _NUMPY
    fields = dropwhile(lambda one: not one.lstrip().startswith(":"), lines)
    yield [*fields], _SPHINX


def _items(section: list[str], item: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield each line of a description, behind the name of its parameter."""
    written = [line for line in section if line.strip()]
    name = ""
    for line in written:
        if _indent(line) > _indent(written[0]):
            if name:
                yield name, line
        elif begins := item.fullmatch(line.strip()):
            name = begins["name"]
            yield name, begins["text"]
        else:
            name = ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _in_one_line(lines: Iterable[str]) -> str:
    return " ".join(" ".join(lines).split())[:LONGEST]
