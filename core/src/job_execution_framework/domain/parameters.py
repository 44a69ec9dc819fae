"""What a script takes: its parameters, and how sentences show them.

They come from the signature of a ``main`` (`service_layer.signature`) or from an EnsoScript;
`domain.arguments` checks the arguments of jobs against them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

from job_execution_framework.domain.secret import HIDDEN, Secret
from job_execution_framework.domain.values import leaves

LONGEST_SHOWN = 60
"""Characters of a value that a sentence shows."""
MOST_NAMED = 12
"""Parameters, or values of an enum, that a sentence lists."""


class Type(str, Enum):
    """The type of a parameter; its values are those of the manifests."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    PATH = "path"
    LIST = "list"
    OBJECT = "object"


class Absent(Enum):
    """The type of `ABSENT`, which stands for no default: None is a default, too."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
NOUNS = {
    Type.STRING: "a string",
    Type.INTEGER: "an integer",
    Type.NUMBER: "a number",
    Type.BOOLEAN: "true or false",
    Type.PATH: "a path",
    Type.LIST: "a list",
    Type.OBJECT: "a mapping",
}
"""How sentences name a value of each type."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a script, and which arguments it takes."""

    name: str
    type: Type | None = None
    """None where it is unknown: then any value has the right type."""
    required: bool = False
    default: object = ABSENT
    """What the script gets without an argument, where that is known and JSON."""
    nullable: bool = False
    """Whether null is taken, too."""
    enum: tuple[object, ...] = ()
    """The only values that are taken; empty where all are."""
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    """A regular expression (`domain.patterns`) that matches the whole of a text."""
    secret: bool = False
    """Whether sentences about its argument hide it."""
    description: str = ""
    access: str = ""
    """Of a path: whether the script is going to ``read`` or to ``write`` it."""

    @property
    def takes(self) -> str:
        """What it takes, as the end of a sentence."""
        if self.enum:
            texts = [shown(value) for value in self.enum]
            what = " or ".join(texts) if len(texts) <= 2 else f"one of {listed(texts)}"  # noqa: PLR2004
        else:
            what = NOUNS[self.type] if self.type else "any value"
            what += self._range + (f" that matches {self.pattern}" if self.pattern else "")
        return f"{what}, or null" if self.nullable and self.type else what

    @property
    def _range(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f" from {self.minimum:.15g} to {self.maximum:.15g}"
        if self.minimum is not None:
            return f" of at least {self.minimum:.15g}"
        return f" of at most {self.maximum:.15g}" if self.maximum is not None else ""


@dataclass(frozen=True)
class Parameters:
    """All that a script takes."""

    listed: tuple[Parameter, ...] = ()
    takes_others: bool = False
    """Whether it takes arguments of other names, too, as ``main(**kwargs)`` does."""

    @property
    def defaults(self) -> dict[str, object]:
        """The arguments of those parameters that have a default."""
        known = (parameter for parameter in self.listed if parameter.default is not ABSENT)
        return {parameter.name: parameter.default for parameter in known}


def shown(value: object) -> str:
    """Return a value as its author would recognise it, in one line, cut where it is long."""
    try:
        if any(isinstance(leaf, Secret) for leaf in leaves(value)):
            return HIDDEN
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):  # in process it may be any object
        return f"an object of the type {type(value).__name__}"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def listed(names: list[str]) -> str:
    """Return a list of names as a part of a sentence, cut where it is long."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
