"""What the faster parser reads is what Python's own reads, and is cut at the same depth."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from enso_operator.kube import json_reader
from job_execution_framework.service_layer import bounded_json
from job_execution_framework.service_layer.bounded_json import DEEPEST_DOCUMENT

PARSER = 201
"""The parser's own bound."""
NUMBERS = ("-0", "-0.0", "0.1", "1e400", "-1e400", "1e-400", "1E+5", "NaN", "Infinity",
           "-Infinity", "-NaN", "01", "1.", ".5", "-", "1e", "+1")  # fmt: skip
STRINGS = (
    r'"\ud800"', r'"\udc00"', r'"\ud83d\ude00"', r'"\ud800\ud800"', r'"\u0000"', r'"\/"', r'"\x"',
    '"\x01"', '"\x7f"', '"\n"', '"a', '"]"', r'"\\"', r'"\"', r'"\"[{"', '""', '"é😀"',
)  # fmt: skip
ODD = ("", " ", "nul", "1 2", "1,2", "1],[2", "]", "[", "],[", "]]", "[1,]", "[,]", "{,}",
       "\ufeff1", "\x0c1", '{"a":1,}', '{"a" 1}', "{1:2}", "{'a':1}", "[1]x", "1//",
       "\x00")  # fmt: skip
BYTES = (
    b"\xff", b'"\xff"', b'"\xed\xa0\x80"', b'"\xed\xa0\xbd\xed\xb8\x80"', b'"\xc0\x80"', b'"\xe9"',
    '{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-32-be"), "1".encode("utf-16-le"),
    b"\xef\xbb\xbf{}", b"\xef\xbb", b"\xfe\xff",
)  # fmt: skip

texts = st.one_of(
    st.sampled_from((*NUMBERS, *STRINGS, *ODD, "true", "null", "[]", "{}")),
    st.integers().map(str),
    st.integers(4290, 4310).map(lambda digits: "7" * digits),
    st.floats().map(repr),
    st.floats().map(lambda number: f"{number:.30e}"),
    st.text().map(json.dumps),
    st.text().map(lambda text: json.dumps(text, ensure_ascii=False)),
)
keys = st.one_of(st.sampled_from(('"a"', '"b"', r'"\u0061"')), st.text().map(json.dumps))
spaces = st.sampled_from(("", "", " ", "\n\t\r"))


def lists(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("[{1}{0}{1}]".format, st.lists(items).map(",".join), spaces)


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return objects, also with a key written twice."""
    fields = st.builds("{1}{0}:{2}".format, keys, spaces, values)
    return st.builds("{{{}}}".format, st.lists(fields).map(",".join))


documents = st.recursive(texts, lambda inner: lists(inner) | objects(inner))
levels = st.sampled_from(("[{}]", '{{"a":{}}}', '{{"b":[1],"a":{},"c":{{}}}}', '["]",{},[]]'))
depths = st.one_of(
    st.integers(0, 4),
    st.integers(DEEPEST_DOCUMENT - 3, DEEPEST_DOCUMENT + 3),
    st.integers(PARSER - 3, PARSER + 3),
    st.sampled_from((150, 1_000, 20_000)),
)


@st.composite
def deep(draw: st.DrawFn) -> str:
    """Return a document of many levels, perhaps with something beside the deepest."""
    text, level = draw(documents), draw(levels)
    begin, end = level.format("\x00").split("\x00")
    depth = draw(depths)
    return begin * depth + text + end * depth


def outcome(read: Callable[[Any], object], data: object) -> str:
    """Return the document with the types and order of all that is in it, or the error's type."""
    try:
        return repr(read(data))
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


def assert_alike(data: bytes | str) -> None:
    expected = outcome(bounded_json.loads_cut, data)
    assert outcome(json_reader.loads_cut, data) == expected


@given(documents | deep())
def test_a_text_is_read_as_before(text: str) -> None:
    assert_alike(text)
    assert_alike(text.encode("utf-8", "surrogatepass"))


@given(st.sampled_from(BYTES) | st.binary() | documents.map(str.encode), st.binary(max_size=3))
@example(b"1", b"")
@example(b"[1]", b"]")
@example(b"[1]", b"\x00")
def test_so_are_bytes_that_are_no_text_and_what_stands_behind(data: bytes, behind: bytes) -> None:
    assert_alike(data)
    assert_alike(data + behind)
    assert_alike(data[:-1])


@pytest.mark.parametrize("data", [*BYTES, *(text.encode() for text in (*NUMBERS, *STRINGS, *ODD))])
def test_each_oddity_is_read_as_before(data: bytes) -> None:
    assert_alike(data)
    assert_alike(b"[" + data + b"]")
    assert_alike(b'{"a":' + data + b"}")
    assert_alike(b'{"a":' + data + b"," + b'"a":' + data + b"}")


@pytest.mark.parametrize("innermost", ["", "1", "{}", "[]", '"]"', '{"a":1}'])
@pytest.mark.parametrize("level", ["[{}]", '{{"a":{}}}', '["[",{},{{}}]'])
def test_at_each_depth_as_much_is_cut_as_before(level: str, innermost: str) -> None:
    begin, end = level.format("\x00").split("\x00")
    for depth in range(PARSER + 5):
        assert_alike(begin * depth + innermost + end * depth)


def test_what_is_deep_enough_is_read_by_the_parser_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound of the parser is what we take it for: a lower one would cost time at each read."""
    monkeypatch.setattr(bounded_json, "loads_cut", None)
    depth = DEEPEST_DOCUMENT - 1
    for begin, end in (("[", "]"), ('{"a":', "}")):
        text = begin * depth + "1" + end * depth
        assert json_reader.loads_cut(text) == json.loads(text)
