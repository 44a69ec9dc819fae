"""One validation rule in CEL, as a CRD has it. `cel.py` and `script_rules.py` make them."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from enso_operator.api.rules import EXACTLY_ONE_OF


@dataclass(frozen=True)
class Rule:
    """One CEL validation rule, with the message for authors of manifests that break it."""

    rule: str
    message: str
    expression: str = ""
    """CEL for a message with the wrong value. It uses `format`: the cost of `+` is not bounded."""
    field: str = ""
    """The field that the API server names in its error; "" for the object that has the rule."""

    def document(self) -> dict[str, str]:
        """Return the rule as an entry of x-kubernetes-validations."""
        entry = {
            "rule": self.rule,
            "message": self.message,
            "messageExpression": self.expression,
            "fieldPath": self.field,
        }
        return {key: value for key, value in entry.items() if value}


def exactly_one(model: type[BaseModel]) -> Rule:
    """Return the rule that an object has exactly one of some fields."""
    names = [to_camel(field) for field in EXACTLY_ONE_OF[model]]
    count = " + ".join(f"(has(self.{_escaped(name)}) ? 1 : 0)" for name in names)
    return Rule(f"{count} == 1", f"give it exactly one of {', '.join(names)}")


def _escaped(name: str) -> str:
    """Return a field's name as CEL has it before Kubernetes 1.32, where `function` is reserved."""
    return "__function__" if name == "function" else name


def formatted(message: str, *names: str) -> str:
    """Return CEL for a message with values in the place of each `%s`."""
    return f"'{message}'.format([{', '.join(names)}])"


def let(name: str, value: str, within: str) -> str:
    """Return CEL for `within`, where `name` stands for a value that is worked out once.

    CEL has no variables, but a macro has: this is one over a list of nothing but the value.
    """
    return f"[{value}].map({name}, {within})[0]"
