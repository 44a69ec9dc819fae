"""Expands the job of an EnsoJobTemplate: replaces each `$(params.NAME)` by the parameter's value.

`manifests/template.py` calls it with values that were checked before. It is a pure function, and
replaced values are not expanded again, so an expansion always ends.

- A text that is nothing but one reference becomes the value itself, of any type. Elsewhere the
  value must be a text, a number or a boolean, and is written as JSON has it.
- `$$(` stands for a literal `$(`. What else follows `$(` is left alone: Kubernetes has `$(NAME)`
  in the arguments of containers, and shells have it, too.
- Keys of mappings hold no references: whoever reads a template sees which fields a job has.
- `source` holds none, either: a value would become code. Values come to scripts as arguments.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from enso_operator.api.document import Document
from enso_operator.manifests.errors import Location, path_of
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.values import TOO_DEEP, is_list, is_mapping
from job_execution_framework.service_layer.bounded_json import DEEPEST_DOCUMENT

LARGEST_BYTES = 1024 * 1024
"""Bytes of an expansion as JSON: it is stored in one object of the API server."""
LITERAL, PLACE = "$$(", ("spec", "job")
_REFERENCE = re.compile(r"\$\(params\.([^()]*)\)")
_TOKEN = re.compile(
    r"\$\$\(|\$\(params\.(?P<name>[^()]*)\)|(?P<damaged>\$\(\s*(?i:param(?:s|eters?)?)\b)"
)


class Mistakes(InvalidJob):
    """A template, or the values of its parameters, make no job."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(*sentences)


def expand(job: Document, names: Collection[str], values: Mapping[str, object]) -> Document:
    """Return `spec.job` of a template with the values of its parameters.

    `names` are all parameters of the template. Raises Mistakes; InvalidJob where it is too large.
    """
    expansion = _Expansion(job, names, values)
    expanded = expansion.mapping(job, PLACE)
    if expansion.mistakes:
        raise Mistakes(expansion.mistakes)
    return expanded


def references(value: object) -> Iterator[str]:
    """Yield the names of the parameters to which a value refers, each as often as it does."""
    if is_mapping(value):
        for item in value.values():
            yield from references(item)
    elif is_list(value):
        for item in value:
            yield from references(item)
    elif isinstance(value, str):
        yield from (token["name"] for token in _TOKEN.finditer(value) if token["name"] is not None)


class _Expansion:
    """One expansion, with the mistakes that were found in it."""

    def __init__(self, job: Document, names: Collection[str], values: Mapping[str, object]) -> None:
        self.mistakes: list[str] = []
        self._document = {"spec": {"job": job}}
        self._names, self._values = names, values
        self._sizes = {name: len(json.dumps(value)) for name, value in values.items()}
        """Bytes of each value."""
        self._room = LARGEST_BYTES - len(json.dumps(job))
        self._take(0)

    def mapping(self, value: Mapping[Any, object], location: Location) -> dict[str, object]:
        """Return a mapping with the references in its values replaced."""
        expanded: dict[str, object] = {}
        for key, item in value.items():
            if any(token[0] != LITERAL for token in _TOKEN.finditer(str(key))):
                self._mistake(location, f"has a reference in the key {key!r}: write it in a value")
            expanded[str(key)] = self._of(item, (*location, str(key)))
        return expanded

    def _of(self, value: object, location: Location) -> object:
        if len(location) > DEEPEST_DOCUMENT:
            raise InvalidJob(f"spec.job {TOO_DEEP}")
        if is_mapping(value):
            return self.mapping(value, location)
        if is_list(value):
            return [self._of(item, (*location, index)) for index, item in enumerate(value)]
        if not isinstance(value, str):
            return value
        if _is_code(location) and (name := next(references(value), None)):
            self._mistake(
                location,
                f"refers to parameter {name}, whose value would become code: pass it in args",
            )
            return ""
        return self._text(value, location)

    def _text(self, text: str, location: Location) -> object:
        if whole := _REFERENCE.fullmatch(text):
            return self._value(whole[1], location)

        def replacement(token: re.Match[str]) -> str:
            if token[0] == LITERAL:
                return LITERAL[1:]
            if token["damaged"]:
                self._mistake(
                    location,
                    f"has {token[0]!r}, which begins no reference: write $(params.NAME), or "
                    f"{LITERAL} for a literal $(",
                )
                return ""
            value = self._value(token["name"], location)
            if is_mapping(value) or is_list(value):
                kind = "a list" if is_list(value) else "a mapping"
                self._mistake(
                    location,
                    f"has $(params.{token['name']}), {kind}, within a text: let the reference "
                    "stand alone",
                )
                return ""
            return value if isinstance(value, str) else json.dumps(value)

        return _TOKEN.sub(replacement, text)

    def _value(self, name: str, location: Location) -> object:
        if name in self._values:
            self._take(self._sizes[name])
            return self._values[name]
        if name in self._names:
            why = f"refers to parameter {name}, which has no value: pass one, or give it a default"
        else:
            near = difflib.get_close_matches(name, self._names, n=1)
            has = ", ".join(self._names) or "none"
            hint = f"did you mean {near[0]}?" if near else f"the template has {has}"
            why = f"refers to parameter {name!r}, which does not exist: {hint}"
        self._mistake(location, why)
        return ""

    def _take(self, size: int) -> None:
        """Count what is added; raise InvalidJob as soon as it is too much."""
        self._room -= size
        if self._room < 0:
            raise InvalidJob(
                f"spec.job has more than {LARGEST_BYTES // 1024**2} MiB with its parameters: keep "
                "data in files and pass their paths"
            )

    def _mistake(self, location: Location, what: str) -> None:
        self.mistakes.append(f"{path_of(location, self._document)} {what}")


def _is_code(location: Location) -> bool:
    """Whether this is the `source` of a script, as spec.job.scripts[INDEX].source."""
    return location[len(PLACE) :: 2] in (("scripts", "source"), ("finally", "source"))
