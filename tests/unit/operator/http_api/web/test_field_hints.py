"""Below a field stands what it takes, and what it means where it is empty: one rule everywhere."""

from __future__ import annotations

import pytest

from enso_operator.http_api.web.views.field_hints import hint_of
from enso_operator.http_api.web.views.fields import Field, fields_of
from job_execution_framework.domain.parameters import ABSENT, Parameter, Parameters, Type


def field(parameter: Parameter, value: object = ABSENT) -> Field:
    given = {} if value is ABSENT else {parameter.name: value}
    return fields_of("", Parameters((parameter,)), given)[0]


TITLE = Parameter("v", Type.STRING, default="a")
PLACE = Parameter("v", Type.PATH, default="/a")
COUNT = Parameter("v", Type.INTEGER, default=24)


@pytest.mark.parametrize(
    ("shown", "hint"),
    [
        (field(TITLE), 'a string · default "a" · empty: an empty text'),
        (field(TITLE, "b"), 'a string · default "a" · empty: an empty text'),
        (field(Parameter("v", Type.STRING)), "a string · empty: no value"),
        (field(Parameter("v", Type.STRING), "b"), "a string · empty: an empty text"),
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
        (field(Parameter("v", Type.STRING, default=None)), True, ""),
        (field(PLACE, "/b"), True, ""),
        (field(COUNT), True, ""),
        (field(COUNT, 2), True, ""),
        (field(Parameter("v", Type.LIST), [1]), True, ""),
        (field(Parameter("v", default="a")), True, ""),
    ],
)
def test_an_emptied_text_is_an_empty_text_and_all_else_is_not_given(
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
