"""What stands below a field: what it is, what it takes, and what it means where it is empty."""

from __future__ import annotations

from enso_operator.http_api.web.views.fields import Field
from job_execution_framework.domain.parameters import ABSENT, Type, shown

_EXAMPLES = {
    Type.LIST: 'as JSON, such as ["a", "b"]',
    Type.OBJECT: 'as JSON, such as {"name": "a", "frame": 1}',
}
_ANYTHING = 'JSON, such as 12, true or ["a", "b"], or else a text'


def hint_of(field: Field) -> str:
    """Return it as one line; "" where nothing is to be said."""
    parts = (field.parameter.description, _takes(field), _default(field), _empty(field))
    return " · ".join(part for part in parts if part)


def _takes(field: Field) -> str:
    if field.choices or field.is_fixed:
        return ""
    parameter = field.parameter
    if field.type is None:
        return _ANYTHING
    takes = parameter.takes if parameter.type else ""
    return ", ".join(part for part in (takes, _EXAMPLES.get(field.type, "")) if part)


def _default(field: Field) -> str:
    default, is_shown = field.parameter.default, field.control in ("line", "lines")
    if default is ABSENT or not is_shown:
        return ""
    if field.has_empty_text:
        return f"default {shown(default)}"
    return f"default {shown(default)}, also where it is empty"


def _empty(field: Field) -> str:
    """Say what an empty field means, where that is not plain."""
    if field.control == "hidden" and field.text:
        return "what you wrote here is not kept on a page: write it again"
    if field.control not in ("line", "lines"):
        return ""
    if field.has_empty_text:
        return "empty: an empty text"
    if field.parameter.required:
        return ""
    nothing = "empty: no value" if field.parameter.default is ABSENT else ""
    text = '"": an empty text' if field.takes_quotes else ""
    return " · ".join(part for part in (nothing, text) if part)
