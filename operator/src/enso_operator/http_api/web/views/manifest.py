"""The manifest of a job as its page shows it: as YAML, with what has changed marked."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

import yaml

from enso_operator.api.document import Document
from enso_operator.http_api.definitions import Manifests

MOST_COMPARED = 20_000
"""Lines that are compared; of longer manifests nothing is marked."""


@dataclass(frozen=True)
class ManifestLine:
    """A line of YAML."""

    text: str
    is_marked: bool
    """Whether the other form does not have it."""


@dataclass(frozen=True)
class ManifestPage:
    """What the page shows."""

    name: str
    job_address: str
    present: tuple[ManifestLine, ...]
    applied: tuple[ManifestLine, ...]
    """Empty where it is the same, or not kept."""


def manifest_page(name: str, job_address: str, manifests: Manifests) -> ManifestPage:
    """Return what is shown."""
    present = _yaml(manifests.present)
    if manifests.applied is None:
        return ManifestPage(name, job_address, _marked(present, set()), ())
    applied = _yaml(manifests.applied)
    old, new = _changed(applied, present)
    return ManifestPage(name, job_address, _marked(present, new), _marked(applied, old))


def _yaml(document: Document) -> list[str]:
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return text.splitlines()


def _changed(before: list[str], after: list[str]) -> tuple[set[int], set[int]]:
    """Return the places of the lines that only one of both has."""
    old, new = set[int](), set[int]()
    if len(before) + len(after) <= MOST_COMPARED:
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        for kind, begin, end, other_begin, other_end in matcher.get_opcodes():
            if kind != "equal":
                old.update(range(begin, end))
                new.update(range(other_begin, other_end))
    return old, new


def _marked(lines: list[str], places: set[int]) -> tuple[ManifestLine, ...]:
    return tuple(ManifestLine(line, number in places) for number, line in enumerate(lines))
