"""Values as fields of a form, and back: each has the type that the library says, or had before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.parameters import ABSENT, Parameter, Parameters, Type
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.values import leaves

Control = Literal["line", "lines", "choice", "hidden", "none"]
"""A line of text, several, a choice, a line whose text is hidden; or none, where it stays."""


@dataclass(frozen=True)
class Field:
    """One value in a form."""

    id: str
    """Its name in the form."""
    name: str
    control: Control
    text: str = ""
    """What stands in it."""
    before: str = ""
    """What stood in it when it was new: what is the same is no change."""
    type: Type | None = None
    """What its text means; None for any value, as JSON or else as a text."""
    choices: tuple[str, ...] = ()
    required: bool = False
    description: str = ""
    takes: str = ""
    """What it takes, in words."""
    default: str = ""
    """What the script gets without a value."""
    is_given: bool = False
    """Whether there was a value when the form was new."""

    def filled(self, texts: Mapping[str, str]) -> Field:
        """Return the field with what somebody has written into it."""
        text = texts.get(self.id)
        return self if text is None else replace(self, text=text.replace("\r\n", "\n"))

    @property
    def is_changed(self) -> bool:
        """Whether somebody wrote something else into it."""
        return self.control != "none" and self.text != self.before

    @property
    def is_absent(self) -> bool:
        """Whether it says that there is no value; an emptied text of before is a value."""
        is_text = self.type in (Type.STRING, Type.PATH)
        return not self.text and not (is_text and self.is_given)

    @property
    def value(self) -> object:
        """The value that its text means; what is none of its type stays a text, to be refused."""
        if self.type in (Type.STRING, Type.PATH):
            return self.text
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return self.text


def fields_of(
    prefix: str, takes: Parameters | None, given: Mapping[str, object]
) -> tuple[Field, ...]:
    """Return a field for each parameter and for each value that is given; ids begin so."""
    parameters = {parameter.name: parameter for parameter in (takes.listed if takes else ())}
    others = {name: Parameter(name) for name in given if name not in parameters}
    return tuple(
        _field(f"{prefix}{name}", parameter, given.get(name, ABSENT))
        for name, parameter in {**parameters, **others}.items()
    )


def _field(id_: str, parameter: Parameter, value: object) -> Field:
    if isinstance(value, OutputOf):
        return Field(id_, parameter.name, "none", f"{value}")
    if any(isinstance(leaf, Secret) for leaf in leaves(value)):
        return Field(id_, parameter.name, "none", "a secret")
    kind = parameter.type or (Type.STRING if isinstance(value, str) else None)
    is_given = value is not ABSENT
    text = "" if parameter.secret else _text(value)
    return Field(
        id_,
        parameter.name,
        _control(parameter, text),
        text,
        text,
        kind,
        _choices(parameter),
        parameter.required,
        parameter.description,
        parameter.takes if parameter.type or parameter.enum else "",
        "" if parameter.secret else _text(parameter.default),
        is_given,
    )


def _control(parameter: Parameter, text: str) -> Control:
    if parameter.secret:
        return "hidden"
    if parameter.enum or parameter.type is Type.BOOLEAN:
        return "choice"
    return "lines" if parameter.type in (Type.LIST, Type.OBJECT) or "\n" in text else "line"


def _choices(parameter: Parameter) -> tuple[str, ...]:
    if parameter.enum:
        return tuple(map(_text, parameter.enum))
    return ("true", "false") if parameter.type is Type.BOOLEAN else ()


def _text(value: object) -> str:
    """Return a value as somebody would write it into a form."""
    if value is ABSENT:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
