"""Below a field stands what it takes, and what it means where it is empty: one rule everywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enso_operator.http_api.web.views.field_hints import hint_of
from enso_operator.http_api.web.views.fields import Field, fields_of
from job_execution_framework.domain.parameters import ABSENT, Parameter, Parameters, Type


def field(parameter: Parameter, value: object = ABSENT) -> Field:
    given = {} if value is ABSENT else {parameter.name: value}
    return fields_of("", Parameters((parameter,)), given)[0]


TITLE = Parameter("v", Type.STRING, default="a")
PLACE = Parameter("v", Type.PATH, default="/a")
NOTE = Parameter("v", Type.STRING, default=None, nullable=True)
NOTE_HINT = 'a string, or null · default null, also where it is empty · "": an empty text'
COUNT = Parameter("v", Type.INTEGER, default=24)


@pytest.mark.parametrize(
    ("shown", "hint"),
    [
        (field(TITLE), 'a string · default "a" · empty: an empty text'),
        (field(TITLE, "b"), 'a string · default "a" · empty: an empty text'),
        (field(Parameter("v", Type.STRING)), 'a string · empty: no value · "": an empty text'),
        (field(Parameter("v", Type.STRING), "b"), 'a string · empty: no value · "": an empty text'),
        (field(NOTE), NOTE_HINT),
        (field(NOTE, "b"), NOTE_HINT),
        (field(Parameter("v", Type.STRING, required=True), "b"), "a string"),
        (field(Parameter("v", Type.STRING, required=True)), "a string"),
        (field(PLACE, "/b"), 'a path · default "/a", also where it is empty'),
        (field(COUNT), "an integer · default 24, also where it is empty"),
        (field(Parameter("v", Type.NUMBER)), "a number · empty: no value"),
        (field(Parameter("v", Type.NUMBER, required=True)), "a number"),
        (field(Parameter("v", Type.LIST, True)), 'a list, as JSON, such as ["a", "b"]'),
        (
            field(Parameter("v", Type.OBJECT, True, description="What.")),
            'What. · a mapping, as JSON, such as {"name": "a", "frame": 1}',
        ),
        (
            field(Parameter("v")),
            'JSON, such as 12, true or ["a", "b"], or else a text · empty: no value',
        ),
        (field(Parameter("v", Type.BOOLEAN, default=False)), ""),
        (field(Parameter("v", Type.STRING, default="x", secret=True)), "a string"),
    ],
)
def test_a_hint_says_what_is_taken_and_what_empty_means(shown: Field, hint: str) -> None:
    assert hint_of(shown) == hint


@pytest.mark.parametrize(
    ("shown", "is_absent", "value"),
    [
        (field(TITLE), False, ""),
        (field(TITLE, "b"), False, ""),
        (field(Parameter("v", Type.STRING)), True, ""),
        (field(Parameter("v", Type.STRING), "b"), True, ""),
        (field(Parameter("v", Type.STRING, required=True), "b"), True, ""),
        (field(NOTE), True, ""),
        (field(NOTE, "b"), True, ""),
        (field(PLACE, "/b"), True, ""),
        (field(COUNT), True, ""),
        (field(COUNT, 2), True, ""),
        (field(Parameter("v", Type.LIST), [1]), True, ""),
        (field(Parameter("v", default="a")), True, ""),
    ],
)
def test_an_emptied_field_is_not_given_unless_its_default_is_a_text(
    shown: Field, is_absent: bool, value: object
) -> None:
    emptied = shown.filled({"v": ""})
    assert (emptied.is_absent, emptied.value) == (is_absent, value)


@pytest.mark.parametrize(
    "default", ["a", "12", "null", "", " x", "a\nb", 12, True, [1], {"a": "b"}]
)
def test_a_default_stands_in_its_field_and_means_itself(default: object) -> None:
    shown = field(Parameter("v", default=default))
    assert shown.before
    assert not shown.is_changed
    assert (shown.value, shown.filled({"v": shown.text}).is_changed) == (default, False)


@pytest.mark.parametrize("value", ["", '""', "null", '"null"', '"\\"\\""', "b", '"b"'])
@pytest.mark.parametrize("nullable", [True, False])
def test_each_text_that_is_given_stands_in_its_field_and_means_itself(
    value: str, *, nullable: bool
) -> None:
    shown = field(replace(NOTE, nullable=nullable), value)
    assert shown.text
    assert not shown.is_changed
    assert (shown.value, shown.is_absent) == (value, False)


def test_two_quotes_are_the_empty_text_where_an_empty_field_is_no_value() -> None:
    for shown in (field(NOTE), field(NOTE, "b"), field(Parameter("v", Type.STRING, True))):
        written = shown.filled({"v": '""'})
        assert (written.is_changed, written.is_absent, written.value) == (True, False, "")
    assert field(TITLE).filled({"v": '""'}).value == '""'
