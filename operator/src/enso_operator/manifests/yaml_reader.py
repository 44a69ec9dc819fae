"""Reads a YAML or JSON file into one document of plain mappings, lists and scalars.

`load.py` and the command line call it. YAML is read as kubectl reads it, but more strictly: values
that YAML would silently turn into something else (``on`` as a key, ``010``, duplicate keys) are
refused, and so are documents that aliases would make too large. Every error is a sentence without
the file's name, which the caller adds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from job_execution_framework.domain.values import TOO_DEEP
from job_execution_framework.service_layer import bounded_json

LARGEST_BYTES = 2 * 1024 * 1024
"""A manifest's size. A job's plan is at most half of that."""
MOST_VALUES = 200_000
"""Values in a document; an alias counts as all the values that it repeats."""

_TAG = "tag:yaml.org,2002:"
_TEXT, _MERGE = f"{_TAG}str", f"{_TAG}merge"
_PLAIN_TAGS = {_MERGE} | {
    f"{_TAG}{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq")
}
_NULLS = ("", "~", "null")
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+\Z")


class DocumentError(Exception):
    """The file has no usable document; the message is a sentence that says why."""


def read_text(path: Path) -> str:
    """Return the file's text. Raises DocumentError."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise DocumentError("there is no such file: check its name and folder") from None
    except IsADirectoryError:
        raise DocumentError("this is a folder: name a file in it") from None
    except PermissionError:
        raise DocumentError("you may not read this file: check its permissions") from None
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}") from None
    if len(data) > LARGEST_BYTES:
        raise DocumentError(
            f"is larger than {LARGEST_BYTES // 1024**2} MiB: keep data in files of its own and "
            "name them in args"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError(
            f"line {line}: this is not UTF-8 text: is it the right file? If so, save it as UTF-8"
        ) from None


def parse(text: str, *, is_json: bool) -> object:
    """Return the only document in the text. Raises DocumentError."""
    try:
        return _parse_json(text) if is_json else _parse_yaml(text)
    except bounded_json.TooDeep:
        raise DocumentError(TOO_DEEP) from None
    except (ValueError, LookupError):  # a number of 5,000 digits, `!!int x`
        raise DocumentError("a number in it cannot be read: put it in quotes") from None


def _parse_json(text: str) -> object:
    if not text.strip():
        return None
    try:
        return bounded_json.loads(
            text, object_pairs_hook=reject_duplicate_keys, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"line {error.lineno}, column {error.colno}: this is not JSON: "
            f"{error.msg[:1].lower()}{error.msg[1:]}"
        ) from None


def reject_duplicate_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the pairs as a dict; raise DocumentError for duplicate keys (an object_pairs_hook)."""
    result: dict[str, object] = {}
    for key, value in pairs:
        if key in result:
            raise DocumentError(f"{key!r} is written twice in one object: remove one of the two")
        result[key] = value
    return result


def _no_constant(name: str) -> object:
    raise DocumentError(f"{name} is no number that JSON has: write another, or a text in quotes")


class _Loader(yaml.SafeLoader):
    """Loads YAML as kubectl does: dates and 12:30 stay strings, 1e3 is a number."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node and, recursively, its children. Raises TooDeep."""
        self._depth += 1
        if self._depth > bounded_json.DEEPEST_DOCUMENT:
            raise bounded_json.TooDeep
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*|0b[01_]+|0x[0-9a-fA-F_]+)\Z")
_FLOAT = re.compile(
    r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z"
)
_KEPT_TAGS = {f"{_TAG}bool", f"{_TAG}null", _MERGE}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in patterns if tag in _KEPT_TAGS]
    for first, patterns in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _first in "-+.0123456789":
    _Loader.yaml_implicit_resolvers.setdefault(_first, []).extend(
        [(f"{_TAG}int", _INT), (f"{_TAG}float", _FLOAT)]
    )


def _parse_yaml(text: str) -> object:
    try:
        return _document(_Loader(text))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise DocumentError(
            f"line {line}: the character {chr(error.character)!r} is not allowed in YAML: remove it"
        ) from None
    except yaml.MarkedYAMLError as error:
        raise DocumentError(_syntax_error(error)) from None


def _document(loader: _Loader) -> object:
    nodes = [node for node in _nodes(loader) if node.value not in _NULLS]
    if len(nodes) > 1:
        raise DocumentError(
            f"holds {len(nodes)} documents, but only one job is run at a time: put each into a "
            "file of its own"
        )
    if not nodes:
        return None
    if _checked_size(nodes[0], {}).values > MOST_VALUES:
        raise DocumentError(
            f"holds more than {MOST_VALUES} values: keep data in files of its own and name them "
            "in args"
        )
    return loader.construct_document(nodes[0])  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # untyped in its stub


def _nodes(loader: _Loader) -> Iterator[yaml.Node]:
    while loader.check_node():
        node = loader.get_node()
        if node is not None:
            yield node


def _syntax_error(error: yaml.MarkedYAMLError) -> str:
    mark, problem = error.problem_mark or error.context_mark, error.problem or "it breaks off"
    position = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    advice = "check the indentation and the quotes there and just above"
    if "'\\t'" in problem:
        advice = "indent with spaces, not with tabs"
    return f"{position}this is not YAML: {problem}: {advice}"


class LineNumbers:
    """Finds the line of each value of a YAML text, which must have been parsed without error."""

    def __init__(self, text: str) -> None:
        self._lines = _LINE_BREAK.split(text)
        nodes = [node for node in _nodes(_Loader(text)) if node.value not in _NULLS]
        self._root = nodes[0] if nodes else None

    def of(self, *location: str | int) -> int | None:
        """Return the line of a key or item; if it is absent, the line of its closest parent."""
        return self._locate(location)[0]

    def within(self, line: int, *location: str | int) -> int | None:
        """Return the line in the file of line `line` of a block text; None if it has none there."""
        _, node = self._locate(location)
        if not isinstance(node, yaml.ScalarNode) or node.style != "|":
            return None
        texts, line_number = node.value.split("\n"), node.start_mark.line + line
        if not 0 < line <= len(texts) or line_number >= len(self._lines):
            return None
        return (
            line_number + 1 if self._lines[line_number].strip() == texts[line - 1].strip() else None
        )

    def _locate(self, location: Sequence[str | int]) -> tuple[int | None, yaml.Node | None]:
        line, node = None, self._root
        for part in location:
            mark, child = _child(node, part)
            if child is None or mark is None:
                return line, None
            line, node = mark.line + 1, child
        return line, node


def _child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Mark | None, yaml.Node | None]:
    """Return the position of a key or an item, and its value."""
    if isinstance(node, yaml.MappingNode):
        pairs = ((key.start_mark, value) for key, value in node.value if key.value == part)
        return next(pairs, (None, None))
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark, node.value[part]
    return None, None


class _NodeSize(NamedTuple):
    """The number of values in a node, with aliases written out, and its levels of nesting."""

    values: int
    levels: int


_IN_PROGRESS = _NodeSize(0, 0)


def _checked_size(node: yaml.Node, sizes: dict[yaml.Node, _NodeSize]) -> _NodeSize:
    """Return the size of a node; raise DocumentError where it would not be read as written.

    `sizes` has the nodes that were seen before: an alias is the same node again.
    """
    line = f"line {node.start_mark.line + 1}: "
    if node in sizes:
        if sizes[node] == _IN_PROGRESS:
            raise DocumentError(f"{line}this contains itself by an alias: write it out")
        return sizes[node]
    sizes[node] = _IN_PROGRESS
    if node.tag not in _PLAIN_TAGS:
        raise DocumentError(f"{line}the tag {node.tag.replace(_TAG, '!!')} is not used here")
    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        _check_keys(node)
        children = [child for pair in node.value for child in pair]
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    elif (
        isinstance(node, yaml.ScalarNode) and node.style is None and _LEADING_ZERO.match(node.value)
    ):
        raise DocumentError(
            f"{line}{node.value} may be read as octal: put it in quotes to keep its zeros, or "
            "write the number without them"
        )
    child_sizes = [_checked_size(child, sizes) for child in children]
    levels = 1 + max((size.levels for size in child_sizes), default=0)
    if levels > bounded_json.DEEPEST_DOCUMENT:  # aliases of aliases
        raise bounded_json.TooDeep
    sizes[node] = _NodeSize(1 + sum(size.values for size in child_sizes), levels)
    return sizes[node]


def _check_keys(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        line = f"line {key.start_mark.line + 1}: "
        if not isinstance(key, yaml.ScalarNode):
            raise DocumentError(f"{line}a key must be a text, not a list or mapping")
        if key.tag not in (_TEXT, _MERGE):
            kind = {"bool": "true or false", "null": "nothing"}.get(
                key.tag.removeprefix(_TAG), "a number"
            )
            raise DocumentError(
                f"{line}the key {key.value or '~'} is read as {kind}: put it in quotes"
            )
        if key.value in seen:
            raise DocumentError(
                f"{line}{key.value!r} is written twice in one mapping: remove one of the two"
            )
        seen.add(key.value)
