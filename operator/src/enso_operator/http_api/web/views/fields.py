"""Values as fields of a form, and back: each has the type that the library says, or had before.

One rule holds in every form: what stands in a field is its value, and an untouched one changes
nothing. A new field has the value that is given, or else the default. A field that is empty is not
given, whatever stood in it before. Only where the default is a text it is an empty text, as nobody
could empty it otherwise; in other fields of texts ``""`` means that.
"""

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
LONGEST_LINE = 50
"""Characters of a text that one line shows; a longer one has several."""
FEWEST_ROWS, MOST_ROWS = 2, 12
"""Lines of a field that has several; browsers of today let it grow with its text."""
_TEXTS = (Type.STRING, Type.PATH)
_LISTS = (Type.LIST, Type.OBJECT)


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
    parameter: Parameter
    """What it takes; any value where nobody has declared it."""
    type: Type | None = None
    """What its text means; None for any value, as JSON or else as a text."""
    text: str = ""
    """What stands in it; the chosen value as JSON."""
    before: str = ""
    """What stood in it when it was new: what is the same is no change."""
    choices: tuple[Choice, ...] = ()
    is_given: bool = False
    """Whether there was a value when the form was new; else its default stood in it."""
    is_fixed: bool = False
    """Whether it only shows where its value comes from."""
    is_quoted: bool = False
    """Whether it is a text that stood in it as JSON."""
    wrong: str = ""
    """Why what stands in it is refused, as a sentence."""

    def filled(self, texts: Mapping[str, str]) -> Field:
        """Return the field with what somebody has written into it."""
        if self.is_fixed:
            return self
        return replace(self, text=field_text.lines(texts.get(self.id, self.text)))

    @property
    def name(self) -> str:
        """The name of the value."""
        return self.parameter.name

    @property
    def control(self) -> Control:
        """How it is written."""
        if self.is_fixed:
            return "none"
        if self.parameter.secret:
            return "hidden"
        if self.choices:
            return "choice"
        is_long = len(self.text) > LONGEST_LINE or "\n" in self.text
        return "lines" if self.type in _LISTS or is_long else "line"

    @property
    def rows(self) -> int:
        """The height of several lines, as far as it can be told without their width."""
        lines = self.text.split("\n")
        rows = sum(len(line) // LONGEST_LINE + 1 for line in lines)
        return max(FEWEST_ROWS, min(rows, MOST_ROWS))

    @property
    def is_text(self) -> bool:
        """Whether what stands in it is the value itself, and not JSON."""
        return self.type in _TEXTS and not self.choices

    @property
    def is_changed(self) -> bool:
        """Whether somebody wrote something else into it."""
        return not self.is_fixed and self.text != self.before

    @property
    def is_absent(self) -> bool:
        """Whether it says that there is no value."""
        return not self.text and not self.has_empty_text

    @property
    def has_empty_text(self) -> bool:
        """Whether an empty field is an empty text: its default is a text, and it is no path."""
        return self._may_be_empty and isinstance(self.parameter.default, str)

    @property
    def takes_quotes(self) -> bool:
        """Whether an empty text is written as two quotes, as an empty field is no value."""
        return self._may_be_empty and not self.has_empty_text

    @property
    def _may_be_empty(self) -> bool:
        return self.is_text and self.type is not Type.PATH

    @property
    def as_json(self) -> tuple[str, ...]:
        """The texts that mean what they mean as JSON."""
        nulls = field_text.NULLS if self.parameter.nullable else ()
        return (*nulls, field_text.EMPTY) if self.takes_quotes else nulls

    @property
    def has_no_choice(self) -> bool:
        """Whether a choice may be left open."""
        return self.text_of_default not in {choice.text for choice in self.choices} and not (
            self.parameter.required and self.before
        )

    @property
    def text_of_default(self) -> str:
        """The default as JSON; "" where none is known."""
        default = self.parameter.default
        return "" if default is ABSENT or self.parameter.secret else field_text.as_json(default)

    @property
    def value(self) -> object:
        """The value that its text means; what is none of its type stays a text, to be refused."""
        if self.is_text:
            return field_text.from_text(self.text, self.as_json, is_quoted=self.is_quoted)
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
        return Field(id_, parameter, text=f"{value}", is_fixed=True)
    if any(isinstance(leaf, Secret) for leaf in leaves(value)):
        return Field(id_, parameter, text="a secret", is_fixed=True)
    kind = parameter.type or (Type.STRING if isinstance(value, str) else None)
    field = Field(id_, parameter, kind, choices=_choices(parameter), is_given=value is not ABSENT)
    stands = (
        value if field.is_given else (ABSENT if parameter.default is None else parameter.default)
    )
    if parameter.secret or (stands is ABSENT):
        return field
    text = _text(field, stands)
    is_quoted = field.is_text and isinstance(stands, str) and text != field_text.lines(stands)
    return replace(field, text=text, before=text, is_quoted=is_quoted)


def _text(field: Field, value: object) -> str:
    """Return how a value stands in the field."""
    if isinstance(value, str) and field.is_text:
        return field_text.as_text(value, field.as_json)
    if field.type is None and not field.choices:
        return field_text.as_any(value)
    return field_text.as_json(value)


def _choices(parameter: Parameter) -> tuple[Choice, ...]:
    if parameter.secret:
        return ()
    values = parameter.enum or ((True, False) if parameter.type is Type.BOOLEAN else ())
    if values and parameter.nullable and None not in values:
        values = (*values, None)
    return tuple(map(Choice, map(field_text.as_json, values), field_text.labels(values)))
