"""What all wire models are made of: their base, and bounded texts with a sentence on each form.

Every text, list and map has a bound: without one the API server refuses a CRD that has rules.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from job_execution_framework.domain import script

LONGEST_SECONDS = 366 * 24 * 3600
"""The longest time that a field takes: a year."""

# Patterns, in what Python, pydantic and the API server's RE2 have in common.
NAME = f"^{script.NAME}$"
OBJECT_NAME = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"
LIBRARY_NAME = r"^[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?$"
REFERENCE = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_.]*$"
KEY = r"^[-._A-Za-z0-9]+$"
QUALIFIED = r"^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$"
LABEL_VALUE = r"^([A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?)?$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$"
WORD = r"^[^\s\x00]+$"
NO_NUL = r"^[^\x00]*$"
ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
ABSOLUTE = r"^/[^\x00]*$"
RELATIVE = r"^[^/\x00][^\x00]*$"

FORMS = {
    NAME: "use lower-case letters, digits and '-', beginning and ending with a letter or digit",
    OBJECT_NAME: "use the name of a Kubernetes object: lower-case letters, digits, '-' and '.'",
    LIBRARY_NAME: "use letters, digits, '_' and '-'",
    REFERENCE: "write package.module:function",
    KEY: "use letters, digits, '-', '_' and '.'",
    QUALIFIED: "use letters, digits, '-', '_' and '.', after a prefix and '/' if you like",
    LABEL_VALUE: "use letters, digits, '-', '_' and '.', beginning and ending with a letter or "
    "digit",
    VARIABLE: "use letters, digits and '_', beginning with a letter",
    QUANTITY: "write a quantity of Kubernetes, such as 500m or 16Gi",
    WORD: "write it without spaces",
    NO_NUL: "remove the NUL character",
    ONE_LINE: "write one line, without control characters",
    ABSOLUTE: "write a path that begins with '/'",
    RELATIVE: "write a path that does not begin with '/'",
}
"""What to write instead, for each pattern."""


class Wire(BaseModel):
    """Base of what people write in manifests.

    A newer resource must not break an older operator: unknown fields are ignored, unless whoever
    reads a file on behalf of its author asks for ``extra="forbid"``. Nothing is converted: the
    API server would not either.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        extra="ignore",
        strict=True,
        frozen=True,
    )


def _digits(value: object) -> object:
    """Take `cpu: 4` for `cpu: "4"`, as Kubernetes does."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[str, Field(min_length=1, max_length=script.LONGEST_NAME, pattern=NAME)]
JobName = Annotated[str, Field(min_length=1, max_length=52, pattern=NAME)]
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=OBJECT_NAME)]
LibraryName = Annotated[str, Field(min_length=1, max_length=63, pattern=LIBRARY_NAME)]
Reference = Annotated[str, Field(min_length=3, max_length=253, pattern=REFERENCE)]
Key = Annotated[str, Field(min_length=1, max_length=253, pattern=KEY)]
Qualified = Annotated[str, Field(min_length=1, max_length=317, pattern=QUALIFIED)]
LabelValue = Annotated[str, Field(max_length=63, pattern=LABEL_VALUE)]
Variable = Annotated[str, Field(min_length=1, max_length=253, pattern=VARIABLE)]
Parameter = Annotated[str, Field(min_length=1, max_length=253)]
Image = Annotated[str, Field(min_length=1, max_length=512, pattern=WORD)]
Argument = Annotated[str, Field(max_length=4096, pattern=NO_NUL)]
Program = Annotated[str, Field(min_length=1, max_length=4096, pattern=NO_NUL)]
Path = Annotated[str, Field(min_length=1, max_length=1024, pattern=ABSOLUTE)]
RelativePath = Annotated[str, Field(min_length=1, max_length=1024, pattern=RELATIVE)]
OneLine = Annotated[str, Field(pattern=ONE_LINE)]
"""Give it a largest size where it is used."""
LongText = Annotated[str, Field(max_length=32 * 1024, pattern=NO_NUL)]
Uid = Annotated[str, Field(min_length=1, max_length=128, pattern=WORD)]
"""What Kubernetes gives each object, and no other one ever again."""
UnixId = Annotated[int, Field(ge=0, le=2**31 - 1)]
UserId = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""Not root: no Pod of ours may run as that."""
Seconds = Annotated[int, Field(ge=1, le=LONGEST_SECONDS)]
Quantity = Annotated[
    str,
    BeforeValidator(_digits),
    Field(min_length=1, max_length=32, pattern=QUANTITY),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "minimum": 0,  # of a number; what a text must be, the pattern says
            "maxLength": 32,
            "pattern": QUANTITY,
        }
    ),
]
