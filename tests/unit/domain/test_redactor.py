"""What is taken out of a text: a secret as it is, escaped, encoded, in pieces, and nothing else."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest

from job_execution_framework.domain.secret import HIDDEN, Redactor, Secret

VALUE = "ä/b+c d?e=f&g%h~'\"\\"
BEFORE = ["", "u", "us", "user:", "user:x", "user:xy"]

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "Python's": repr,
    "Python's, as bytes": lambda text: repr(text.encode()),
    "JSON": json.dumps,
    "JSON in letters of any kind": lambda text: json.dumps(text, ensure_ascii=False),
    "URL": lambda text: quote(text, safe=""),
    "URL, as a path": quote,
    "URL, in small letters": lambda text: re.sub("%..", lambda c: c[0].lower(), quote(text, "")),
    "URL, as browsers write it": lambda text: quote(text, "!'()*"),
    "form": lambda text: urlencode({"token": text}),
    "plus": quote_plus,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("ending", ["", "\n", " \r\n"], ids=["", "newline", "CRLF"])
def test_each_form_of_a_secret_is_hidden(form: Callable[[str], str], ending: str) -> None:
    redactor = Redactor({"token": Secret(VALUE + ending)})
    told = redactor.hide(f"refused: {form(VALUE)}; that was it")
    assert re.fullmatch(r"refused: (b?['\"]|token=)?\*\*\*['\"]?; that was it", told)


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("after", ["", "@", "@t", "@tracker"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_of_whatever_contains_a_secret_is_hidden(
    before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    value = "tök?en>~~"
    encoded = encode(f"{before}{value}{after}".encode()).decode()
    told = Redactor(Secret(value)).hide(f"Basic {encoded}.")
    assert HIDDEN in told
    kept = told.removeprefix("Basic ").removesuffix(".").split(HIDDEN)
    assert sum(map(len, kept)) <= len(encode(f"{before}{after}".encode())) + 4


@pytest.mark.parametrize("value", ["a", "ab", "abc", 7, 42, 0.5, "1\n"])
def test_a_short_secret_is_hidden_only_where_it_is_the_whole_text(value: object) -> None:
    redactor, text = Redactor(Secret(value)), str(value).strip()
    for whole in (text, f" {text}\n", repr(text), json.dumps(text)):
        assert redactor.hide(whole) == HIDDEN
    sentence = f"cabbage abc 427 10.51 {text}"
    assert redactor.hide(sentence) == sentence, "where it was would tell what it is"
    assert redactor.value({"a": [value, sentence]}) in (
        {"a": [HIDDEN, sentence]},
        {HIDDEN: [HIDDEN, sentence]},
    )


@pytest.mark.parametrize("value", ["it's it", 'say "it"', 'it\'s "it"'])
@pytest.mark.parametrize("around", ["{}", "'{}'", '"{}"', "'{}\""])
def test_quotes_are_escaped_as_their_surroundings_want_it(value: str, around: str) -> None:
    told = Redactor(Secret(value)).hide(repr(around.format(value)))
    assert HIDDEN in told
    assert "it" not in told


def test_secrets_that_overlap_leave_nothing() -> None:
    redactor = Redactor(Secret("abcdef"), Secret("defghi"), Secret("hijklm"))
    assert redactor.hide("-abcdefghijklm-") == f"-{HIDDEN}-"
    assert redactor.hide("-abcdef-abcdef-") == f"-{HIDDEN}-{HIDDEN}-"


def test_the_lines_of_a_secret_are_hidden_one_by_one() -> None:
    redactor = Redactor(Secret("-----BEGIN-----\n  c2VjcmV0\n}\r\n-----END-----\n"))
    assert redactor.hide("line c2VjcmV0, and {}") == f"line {HIDDEN}, and {{}}"


def test_the_keys_of_a_secret_mapping_are_part_of_it() -> None:
    redactor = Redactor({"login": Secret({"ann-4711": {"scopes": ["publish"]}})})
    assert redactor.hide("ann-4711 may not publish") == f"{HIDDEN} may not {HIDDEN}"
    assert redactor.value({"ann-4711": 1}) == {HIDDEN: 1}


def test_numbers_of_an_output_are_hidden() -> None:
    redactor = Redactor(Secret(4711))
    seen = redactor.value([4711, 147110, 471, True, None, 0.4711])
    assert seen == [HIDDEN, HIDDEN, 471, True, None, HIDDEN]


def test_values_without_a_text_hide_nothing() -> None:
    redactor = Redactor(Secret(None), Secret(True), Secret(""), Secret(" \n"), "plain")
    assert redactor.hide("None True plain \n") == "None True plain \n"


@pytest.mark.parametrize("secret", ["a" * 60_000, "ab" * 30_000 + "c", "a" * 30_000 + "b"])
def test_a_text_full_of_beginnings_is_searched_at_once(secret: str) -> None:
    """It would take minutes if each beginning were followed to its end."""
    text = ("a" * 59_999 + "b") * 50
    assert len(Redactor(Secret(secret)).hide(text, cut=True)) <= len(text)
