"""The parameters of an EnsoScript, or of an EnsoJobTemplate, as the domain's, and back."""

from __future__ import annotations

from collections.abc import Iterator

from enso_operator.api.document import Document
from enso_operator.api.template import EnsoJobTemplateSpec
from enso_operator.api.v1alpha1 import EnsoScriptSpec, ParameterSpec
from job_execution_framework.domain.arguments import misdefined
from job_execution_framework.domain.parameters import ABSENT, Parameter, Parameters, Type
from job_execution_framework.domain.values import TOO_DEEP, is_too_deep


def parameters_of(spec: EnsoScriptSpec) -> Parameters | None:
    """Return what the script takes; None where its EnsoScript does not say it."""
    if spec.parameters is None:
        return None
    return Parameters(tuple(map(_parameter, spec.parameters)), spec.takes_other_arguments)


def parameters_of_template(spec: EnsoJobTemplateSpec) -> Parameters:
    """Return what a template takes."""
    return Parameters(tuple(map(_parameter, spec.parameters)))


def broken_parameters(spec: EnsoScriptSpec | EnsoJobTemplateSpec) -> Iterator[str]:
    """Yield a sentence for each parameter that cannot be meant so, beginning with its path."""
    names = [parameter.name for parameter in spec.parameters or ()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"spec.parameters has {name} more than once: remove all but one"
    for parameter in spec.parameters or ():
        path = f"spec.parameters[{parameter.name}]"
        if is_too_deep([parameter.default, parameter.enum]):
            yield f"{path} {TOO_DEEP}"
        else:
            yield from (f"{path} {why}" for why in misdefined(_parameter(parameter)))


def fields_of(parameters: Parameters | None) -> Document:
    """Return the fields of an EnsoScript's spec that say what the script takes."""
    if parameters is None:
        return {}
    others: Document = {"takesOtherArguments": True} if parameters.takes_others else {}
    return {"parameters": [*map(_document, parameters.listed)]} | others


def _parameter(spec: ParameterSpec) -> Parameter:
    return Parameter(
        spec.name,
        Type(spec.type) if spec.type else None,
        required=spec.required,
        default=spec.default if "default" in spec.model_fields_set else ABSENT,
        nullable=spec.nullable,
        enum=tuple(spec.enum),
        minimum=spec.minimum,
        maximum=spec.maximum,
        pattern=spec.pattern,
        secret=spec.secret,
        description=spec.description,
        access=spec.access or "",
    )


def _document(one: Parameter) -> Document:
    """Return the fields of a parameter that differ from their defaults."""
    fields: Document = {
        "name": one.name,
        "type": one.type and one.type.value,
        "required": one.required,
        "nullable": one.nullable,
        "enum": [*one.enum],
        "minimum": one.minimum,
        "maximum": one.maximum,
        "pattern": one.pattern,
        "secret": one.secret,
        "description": one.description,
        "access": one.access,
    }
    written = {
        name: value
        for name, value in fields.items()
        if value is not None and value is not False and value not in ("", [])
    }
    return written if one.default in (ABSENT, None) else written | {"default": one.default}
