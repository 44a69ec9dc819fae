"""The base class of all wire models, and the types of their fields.

The other modules of `api` build their models from these. Every string, list and map has a bound:
without bounds the API server refuses a CRD with CEL rules. `PATTERN_HINTS` has a sentence for each
pattern, for messages about values that do not match.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from enso_operator.api.structural import ANYTHING
from job_execution_framework.domain import fail_on, retries, script

LONGEST_SECONDS = 366 * 24 * 3600
"""The largest value of a field with seconds: a year."""

# Patterns, with only the syntax that Python, pydantic and the API server's RE2 have in common.
NAME = f"^{script.NAME}$"
OBJECT_NAME = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"
LIBRARY_NAME = r"^[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?$"
REFERENCE = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_.]*$"
KEY = r"^[-._A-Za-z0-9]+$"
QUALIFIED_NAME = r"^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$"
LABEL_VALUE = r"^([A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?)?$"
CAMEL_CASE = f"^{fail_on.REASON}$"
FAILURE_REASON = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$"
NO_SPACES = r"^[^\s\x00]+$"
NO_NUL = r"^[^\x00]*$"
ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
ABSOLUTE = r"^/[^\x00]*$"
RELATIVE = r"^[^/\x00][^\x00]*$"

RESERVED_ANNOTATION = r"^([^/]+\.)?(kubernetes\.io|k8s\.io|enso\.dev)/"
"""Annotations by which Kubernetes or enso would do something else with a Pod."""

PATTERN_HINTS = {
    NAME: "use lower-case letters, digits and '-', beginning and ending with a letter or digit",
    OBJECT_NAME: "use the name of a Kubernetes object: lower-case letters, digits, '-' and '.'",
    LIBRARY_NAME: "use ASCII letters (a-z, A-Z), digits, '_' and '-'",
    REFERENCE: "write package.module:function",
    KEY: "use letters, digits, '-', '_' and '.'",
    QUALIFIED_NAME: "use letters, digits, '-', '_' and '.', after a prefix and '/' if you like",
    LABEL_VALUE: "use letters, digits, '-', '_' and '.', beginning and ending with a letter or "
    "digit",
    CAMEL_CASE: "write one word in CamelCase, such as LicenseUnavailable",
    FAILURE_REASON: "write one word, such as Timeout, or the type of an exception",
    VARIABLE: "use letters, digits and '_', beginning with a letter",
    QUANTITY: "write a quantity of Kubernetes, such as 500m or 16Gi",
    NO_SPACES: "write it without spaces",
    NO_NUL: "remove the NUL character",
    ONE_LINE: "write one line, without control characters",
    ABSOLUTE: "write a path that begins with '/'",
    RELATIVE: "write a path that does not begin with '/'",
}
"""What to write instead, for each pattern."""


class WireModel(BaseModel):
    """Base class of all models of Kubernetes resources.

    A newer resource must not break an older operator, so unknown fields are ignored. Code that
    reads a file for its author passes ``extra="forbid"``. Values are not converted to another
    type: the API server would not do it either.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        extra="ignore",
        strict=True,
        frozen=True,
    )

    def __deepcopy__(self, memo: object = None) -> Self:
        """Return the model itself: nobody changes it, but pydantic copies defaults of fields."""
        return self


def _digits(value: object) -> object:
    """Accept `cpu: 4` for `cpu: "4"`, as Kubernetes does."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[str, Field(min_length=1, max_length=script.LONGEST_NAME, pattern=NAME)]
JobName = Annotated[str, Field(min_length=1, max_length=52, pattern=NAME)]
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=OBJECT_NAME)]
LibraryName = Annotated[str, Field(min_length=1, max_length=63, pattern=LIBRARY_NAME)]
Reference = Annotated[str, Field(min_length=3, max_length=253, pattern=REFERENCE)]
Key = Annotated[str, Field(min_length=1, max_length=253, pattern=KEY)]
QualifiedName = Annotated[str, Field(min_length=1, max_length=317, pattern=QUALIFIED_NAME)]
LabelValue = Annotated[str, Field(max_length=63, pattern=LABEL_VALUE)]
AnnotationValue = Annotated[str, Field(max_length=1024, pattern=NO_NUL)]
Variable = Annotated[str, Field(min_length=1, max_length=253, pattern=VARIABLE)]
FailureReason = Annotated[
    str, Field(min_length=1, max_length=retries.LONGEST_REASON, pattern=FAILURE_REASON)
]
Parameter = Annotated[str, Field(min_length=1, max_length=253)]
AnyJson = Annotated[object, WithJsonSchema(ANYTHING)]
Image = Annotated[str, Field(min_length=1, max_length=512, pattern=NO_SPACES)]
Argument = Annotated[str, Field(max_length=4096, pattern=NO_NUL)]
Program = Annotated[str, Field(min_length=1, max_length=4096, pattern=NO_NUL)]
Path = Annotated[str, Field(min_length=1, max_length=1024, pattern=ABSOLUTE)]
RelativePath = Annotated[str, Field(min_length=1, max_length=1024, pattern=RELATIVE)]
OneLine = Annotated[str, Field(pattern=ONE_LINE)]
"""Each field of this type adds its own `max_length`."""
LongText = Annotated[str, Field(max_length=32 * 1024, pattern=NO_NUL)]
Uid = Annotated[str, Field(min_length=1, max_length=128, pattern=NO_SPACES)]
"""An object's unique id, which Kubernetes assigns and never reuses."""
UnixId = Annotated[int, Field(ge=0, le=2**31 - 1)]
UserId = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""A user id other than root's: no Pod of ours may run as root."""
Seconds = Annotated[int, Field(ge=1, le=LONGEST_SECONDS)]
Quantity = Annotated[
    str,
    BeforeValidator(_digits),
    Field(min_length=1, max_length=32, pattern=QUANTITY),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "minimum": 0,  # for numbers; the pattern is for strings
            "maxLength": 32,
            "pattern": QUANTITY,
        }
    ),
]
