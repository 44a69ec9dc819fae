"""Values as fields of a form, and back: each has the type that the library says, or had before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from enso_operator.http_api.web.views import field_text
from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.parameters import ABSENT, Parameter, Parameters, Type
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.values import leaves

Control = Literal["line", "lines", "choice", "hidden", "none"]
"""A line of text, several, a choice, a line whose text is hidden; or none, where it stays."""
_TEXTS = (Type.STRING, Type.PATH)


class Choice(NamedTuple):
    """A value that can be chosen."""

    text: str
    """The value as JSON: `1` and `"1"` are two choices."""
    label: str


@dataclass(frozen=True)
class Field:
    """One value in a form."""

    id: str
    """Its name in the form."""
    name: str
    control: Control
    text: str = ""
    """What stands in it; the chosen value as JSON."""
    before: str = ""
    """What stood in it when it was new: what is the same is no change."""
    type: Type | None = None
    """What its text means; None for any value, as JSON or else as a text."""
    choices: tuple[Choice, ...] = ()
    required: bool = False
    description: str = ""
    takes: str = ""
    """What it takes, in words."""
    default: str = ""
    """What the script gets without a value."""
    is_given: bool = False
    """Whether there was a value when the form was new."""
    nullable: bool = False
    is_quoted: bool = False
    """Whether it is a text that stood in it as JSON."""

    def filled(self, texts: Mapping[str, str]) -> Field:
        """Return the field with what somebody has written into it."""
        text = texts.get(self.id)
        return self if text is None else replace(self, text=field_text.lines(text))

    @property
    def is_changed(self) -> bool:
        """Whether somebody wrote something else into it."""
        return self.control != "none" and self.text != self.before

    @property
    def is_absent(self) -> bool:
        """Whether it says that there is no value; an emptied text of before is a value."""
        is_text = self.type in _TEXTS and self.control != "choice"
        return not self.text and not (is_text and self.is_given)

    @property
    def value(self) -> object:
        """The value that its text means; what is none of its type stays a text, to be refused."""
        if self.type in _TEXTS and self.control != "choice":
            return field_text.from_text(self.text, nullable=self.nullable, is_quoted=self.is_quoted)
        return field_text.from_json(self.text)


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
    text, is_quoted = "", False
    if value is not ABSENT and not parameter.secret:
        if isinstance(value, str) and kind in _TEXTS and not _choices(parameter):
            text = field_text.as_text(value, nullable=parameter.nullable)
            is_quoted = text != field_text.lines(value)
        else:
            text = field_text.as_json(value)
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
        "" if parameter.secret else _default(parameter),
        value is not ABSENT,
        parameter.nullable,
        is_quoted,
    )


def _control(parameter: Parameter, text: str) -> Control:
    if parameter.secret:
        return "hidden"
    if parameter.enum or parameter.type is Type.BOOLEAN:
        return "choice"
    return "lines" if parameter.type in (Type.LIST, Type.OBJECT) or "\n" in text else "line"


def _choices(parameter: Parameter) -> tuple[Choice, ...]:
    values = parameter.enum or ((True, False) if parameter.type is Type.BOOLEAN else ())
    if values and parameter.nullable and None not in values:
        values = (*values, None)
    return tuple(map(Choice, map(field_text.as_json, values), field_text.labels(values)))


def _default(parameter: Parameter) -> str:
    """Return what stands in the field's place where there is no value."""
    default = parameter.default
    if default is ABSENT:
        return ""
    return default if isinstance(default, str) else field_text.as_json(default)
