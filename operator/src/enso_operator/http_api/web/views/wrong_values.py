"""Why a value is refused, in the words of the form in whose field it stands."""

from __future__ import annotations

from dataclasses import replace

from enso_operator.http_api.web.views import field_text
from enso_operator.http_api.web.views.fields import Field
from job_execution_framework.domain.arguments import ArgumentProblem
from job_execution_framework.domain.outputs import LARGEST_INTEGER
from job_execution_framework.domain.parameters import Type

_QUOTED = "A text that begins so stands in double quotes."
_AS_JSON = (Type.LIST, Type.OBJECT)


def refused(field: Field, problem: ArgumentProblem) -> Field:
    """Return the field with the sentence that says what is wrong with its value."""
    return replace(field, wrong=_sentence(field, problem))


def _sentence(field: Field, problem: ArgumentProblem) -> str:
    """Return what the field takes: what was given stands in it, and may be a secret."""
    takes = field.parameter.takes
    if problem.is_missing:
        return f"This is required: {takes}."
    if not field.parameter.type and not field.parameter.enum:  # nobody has declared it
        return as_sentence(f"this {problem.why}")
    if field.type in _AS_JSON and (why := field_text.why_no_json(field.text)):
        return f"This must be {takes}, as JSON: {why}."
    if field.type is Type.INTEGER and _is_too_large(field.text):
        return f"This must be {takes}, of at most 64 bits."
    return f"This must be {takes}."


def _is_too_large(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isdecimal() and len(digits) >= len(str(LARGEST_INTEGER))


def why_broken(field: Field) -> str:
    """Return what is wrong with a value of any type that was meant as JSON; "" where nothing is."""
    if field.type or field.choices or not field.is_changed:
        return ""
    why = field_text.why_broken(field.text)
    return f"This begins as JSON does, but is none: {why}. {_QUOTED}" if why else ""


def as_sentence(text: str) -> str:
    """Return a text as a sentence: it begins with a capital, and ends with a mark."""
    return f"{text[:1].upper()}{text[1:]}{'' if text[-1:] in '.?!' else '.'}"
