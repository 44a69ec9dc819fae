"""Models without a structural schema are refused, and others get the expected schema."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, create_model

from enso_operator.api.crd import schema_of
from enso_operator.api.fields import WireModel
from enso_operator.api.structural import NotStructural, Schema, check

Text = Annotated[str, Field(max_length=9)]
TextOrNone = Annotated[str, Field(max_length=9)] | None
Texts = Annotated[list[Text], Field(max_length=3)]


class Node(WireModel):
    """A node of a tree."""

    below: list[Node]
    """The nodes below it."""


class Inner(WireModel):
    """A model in a model."""

    name: Text | None = None
    """Its name."""


def schema(kind: Any, **info: Any) -> Schema:  # noqa: ANN401  # a type, also one that is none
    """The schema of a model with one field."""
    field = (kind, Field(description="A sentence.", **info))
    model = create_model("Model", __base__=WireModel, one=field)
    return schema_of(model, "spec")


REFUSED: list[tuple[Any, str]] = [
    (int | Text, "spec.one: has anyOf, but a structural schema needs one type"),
    (Any, "spec.one: has nothing, but a structural schema needs one type"),
    (None, "spec.one: has type, but a structural schema needs one type"),
    (Node, "spec.one.below[]: Node contains itself"),
    (str, "spec.one: has no bound"),
    (int, "spec.one: has no bound"),
    (Annotated[list[str], Field(max_length=3)], "spec.one[]: has no bound"),
    (list[Text], "spec.one: has no bound"),
    (dict[str, Text], "spec.one: has no bound"),
    (dict[str, object], "spec.one: has no bound"),
    (Annotated[dict[str, str], Field(max_length=3)], "spec.one{}: has no bound"),
    (Annotated[int, Field(gt=0, le=9)], "spec.one: exclusiveMinimum beside type integer"),
    (Annotated[int, Field(ge=0, le=9, multiple_of=2)], "spec.one: multipleOf beside type integer"),
    (Annotated[set[Text], Field(max_length=3)], "spec.one: uniqueItems beside type array"),
    (tuple[Text, Text], "spec.one: prefixItems beside type array"),
    (dt.timedelta, "spec.one: format duration means nothing, or something else"),
    (bytes, "spec.one: format binary means nothing, or something else"),
    (
        Annotated[str, Field(max_length=9, json_schema_extra={"pattern": "^(?!a)"})],
        "spec.one: pattern ^(?!a) needs what RE2 lacks",
    ),
    (
        Annotated[str, Field(max_length=9, json_schema_extra={"pattern": r"(a)\1"})],
        r"spec.one: pattern (a)\1 needs what RE2 lacks",
    ),
]


@pytest.mark.parametrize(("kind", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_what_the_api_server_would_not_take_whole_is_refused(kind: object, sentence: str) -> None:
    with pytest.raises(NotStructural) as error:
        schema(kind)
    assert sentence in str(error.value)


def test_a_field_without_a_sentence_is_refused() -> None:
    model = create_model("Model", __base__=WireModel, one=(Text, "a"))
    with pytest.raises(NotStructural, match=r"^spec.one: has no sentence"):
        schema_of(model, "spec")


TEXT = {"type": "string", "maxLength": 9, "description": "A sentence."}
BY_HAND: list[tuple[Schema, str]] = [
    ({"type": "array", "maxItems": 1}, "spec: has no items"),
    ({"type": "array", "maxItems": 1, "items": TEXT}, "spec: has no x-kubernetes-list-type"),
    (
        {
            "type": "array",
            "maxItems": 1,
            "items": {"type": "object", "properties": {"name": TEXT}},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name", "key"],
        },
        (
            "spec: list map key name must be required, or have a default\n"
            "spec: list map key key is no text or whole number of its items"
        ),
    ),
    ({"type": "object"}, "spec: needs fields, or a type for all values"),
    (
        {"type": "object", "maxProperties": 1, "additionalProperties": False},
        "spec: additionalProperties is False",
    ),
    (
        {"type": "object", "properties": {"name": TEXT}, "required": ["nam"]},
        "spec: requires nam, which is no field",
    ),
    (
        {
            "type": "object",
            "properties": {"name": TEXT},
            "anyOf": [{"not": {"required": ["name"]}}, {"not": {"required": ["nam"]}}],
        },
        "spec: requires nam, which is no field",
    ),
    (
        {"type": "object", "maxProperties": 1, "x-kubernetes-preserve-unknown-fields": True},
        "spec: x-kubernetes-preserve-unknown-fields beside type object",
    ),
    (TEXT | {"default": None}, "spec: default None is not of type string"),
    (TEXT | {"enum": ["a"], "default": "b"}, "spec: default 'b' is not in enum"),
    (
        {"type": "object", "properties": {"name": TEXT}, "default": {"nam": "a"}},
        "spec: default has nam, which is no field",
    ),
    (
        {"type": "object", "properties": {"name": TEXT}, "default": {"name": 1}},
        "spec: default 1 is not of type string",
    ),
    ({"type": "boolean", "default": 1}, "spec: default 1 is not of type boolean"),
    ({"type": "integer", "maximum": 3, "default": True}, "default True is not of type integer"),
    (TEXT | {"enum": [None]}, "spec: enum [None] is not a list of values of type string"),
    (TEXT | {"nullable": True}, "spec: nullable beside type string"),
    (TEXT | {"maximum": 1}, "spec: maximum beside type string"),
    (
        TEXT | {"x-kubernetes-validations": [{"rule": "self != ''"}]},
        "spec: x-kubernetes-validations needs a rule and a message each",
    ),
    (
        TEXT | {"x-kubernetes-validations": [{"rule": "self != ''", "message": "a\nb"}]},
        "spec: x-kubernetes-validations has a line break in a message",
    ),
]


@pytest.mark.parametrize(("broken", "sentence"), BY_HAND, ids=[sentence for _, sentence in BY_HAND])
def test_a_schema_that_says_it_wrongly_is_refused(broken: Schema, sentence: str) -> None:
    with pytest.raises(NotStructural) as error:
        check(broken, "spec")
    assert sentence in str(error.value)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(NotStructural) as error:
        schema(Annotated[list[str | int], Field(max_length=3)], json_schema_extra={"not": {}})
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == [
        "spec.one",
        "spec.one[]",
    ]


TAKEN: list[tuple[Any, Schema]] = [
    (TextOrNone, {"type": "string", "maxLength": 9}),
    (Literal["a"], {"type": "string", "enum": ["a"]}),
    (dt.datetime, {"type": "string", "format": "date-time"}),
    (
        Annotated[dict[Text, object], Field(max_length=3)],
        {
            "type": "object",
            "maxProperties": 3,
            "additionalProperties": {
                "x-kubernetes-preserve-unknown-fields": True,
                "nullable": True,
            },
        },
    ),
    (
        Inner,
        {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 9, "description": "Its name."},
            },
        },
    ),
]


@pytest.mark.parametrize(("kind", "expected"), TAKEN, ids=str)
def test_what_pydantic_says_otherwise_is_said_structurally(kind: object, expected: Schema) -> None:
    assert schema(kind)["properties"]["one"] == expected | {"description": "A sentence."}


def test_defaults_are_said_unless_they_are_empty() -> None:
    default = schema(Texts, default_factory=lambda: ["python3"])["properties"]["one"]["default"]
    assert default == ["python3"]

    empty: list[tuple[Any, object]] = [
        (Texts, []),
        (Text, ""),
        (TextOrNone, None),
        (Inner, Inner()),
    ]
    for kind, default in empty:
        assert "default" not in schema(kind, default=default)["properties"]["one"]
