"""What somebody has seen of a page, and what changed since."""

from __future__ import annotations

import pytest

from enso_operator.http_api.web.views.parts import Part
from enso_operator.http_api.web.views.seen import MOST_PARTS, Shown


def _shown(*lines: str, **others: object) -> Shown:
    """A page with a table of lines, which are sent within it where others come or go."""
    parts = {name: Part("", "", (), key) for name, key in others.items()}
    names = [f"line-{line[0]}" for line in lines]
    parts["table"] = Part("", "", (), names)
    within = {
        name: Part("", "", (), line, "table") for name, line in zip(names, lines, strict=True)
    }
    return Shown(parts | within)


def test_of_what_was_seen_nothing_is_sent() -> None:
    assert _shown("a1", "b1", head="x").since(_shown("a1", "b1", head="x").seen) == []


@pytest.mark.parametrize(
    ("before", "ids"),
    [
        (_shown("a1", "b2", head="x"), ["line-b"]),
        (_shown("a2", "b1", head="y"), ["head", "line-a"]),
        (_shown("b1", head="x"), ["table"]),
        (_shown("b1", "a1", head="x"), ["table"]),
        (_shown("a1", "b1", "c1", head="x"), ["table"]),
    ],
)
def test_what_changed_is_sent_once(before: Shown, ids: list[str]) -> None:
    assert _shown("a1", "b1", head="x").since(before.seen) == ids


@pytest.mark.parametrize("seen", ["", "no such text", "\xff" * 11])
def test_who_has_seen_something_else_is_sent_all(seen: str) -> None:
    assert _shown("a1", "b1", head="x").since(seen) == ["head", "table"]


def test_equal_parts_are_told_apart_by_their_names() -> None:
    seen = _shown(head="x", foot="y").seen
    assert _shown(head="x", foot="x").since(seen) == ["foot"]


def test_the_text_is_bounded() -> None:
    heads = {f"part-{number}": number for number in range(MOST_PARTS)}
    many = _shown(**heads)
    assert len(many.seen) <= 5 * MOST_PARTS
    assert many.since(_shown(**heads).seen) == []
    assert many.since(_shown(**{**heads, "part-0": "new"}).seen) == [*heads, "table"]
