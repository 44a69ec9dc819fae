"""What people read of a failure: their own words as they are, and nothing that moves a cursor."""

from __future__ import annotations

import unicodedata

import pytest

from job_execution_framework.domain.cause import Cause, escaped, printable, unbroken
from job_execution_framework.domain.events import arguments

OWN_WORDS = [
    "ショット\u3000010",
    "10\u00a0000 images",
    "5\u202f% \u2009done",
    "👩\u200d💻",
    "क्\u200cष",
    "\ue0b0 \U000f0001",
    "\U0001fae8 newer than some Pythons",
    "a\tb",
]
CONTROLS = {
    "\x1b[2J": "\\x1b[2J",
    "\r": "\\x0d",
    "\x00\x7f\x9b": "\\x00\\x7f\\x9b",
    "\u2028\u2029": "\\u2028\\u2029",
    "\u202e\u2066\ufeff": "\\u202e\\u2066\\ufeff",
    "\U000e0001": "\\U000e0001",
    "\ud800": "\\ud800",
}


@pytest.mark.parametrize("text", OWN_WORDS)
def test_own_words_stay_as_they_are(text: str) -> None:
    assert printable(text) == text
    assert str(Cause("Exception", text, error="ValueError")) == f"ValueError: {text}"


@pytest.mark.parametrize(("text", "shown"), CONTROLS.items())
def test_what_moves_a_cursor_or_turns_a_line_around_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    characters = set(arguments({"note": text})) | set(str(Cause("Exception", text)))
    assert not {unicodedata.category(character) for character in characters} & {
        "Cc",
        "Cf",
        "Cs",
        "Zl",
        "Zp",
    }


def test_a_text_is_cut_at_its_limit_whatever_has_to_be_escaped() -> None:
    assert printable("x" * 10, 10) == "x" * 10
    assert printable("x" * 11, 10) == "x" * 9 + "…"
    assert printable("\x1b" * 11, 10) == "\\x1b\\x1b\\…"
    assert escaped("\x1b" * 11) == "\\x1b" * 11


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("one", "one"),
        ("  two  blanks\u3000", "  two  blanks\u3000"),
        ("a\n  b\r\n\n\tc\n", "a b c"),
        ("a\u2028b\x85c\x0bd", "a b c d"),
        ("\n", ""),
        ("", ""),
    ],
)
def test_a_text_of_several_lines_becomes_one(text: str, line: str) -> None:
    assert unbroken(text) == line
