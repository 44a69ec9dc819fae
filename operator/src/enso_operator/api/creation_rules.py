"""When the rules over an EnsoJob's spec are evaluated: where somebody can break them.

An API server evaluates all rules at every write, and the operator writes the status of a job as
long as it runs. But a spec cannot change after its creation, so that its own rules are evaluated
then and never again; and that nothing of it has changed is looked at only where it can have.
`crd.py` calls both functions; docs/decisions/0015-rules-are-evaluated-at-creation.md has the why.
"""

from __future__ import annotations

from enso_operator.api.cel import IMMUTABLE, KEYS
from enso_operator.api.cel_rule import Rule
from enso_operator.api.structural import LIST_TYPE, RULES, Schema
from enso_operator.api.v1alpha1 import EnsoJobSpec

MUTABLE = frozenset({"suspend", "ttlSecondsAfterFinished"})
"""Fields of a job that may change. A new field is immutable unless it is named here."""
_PARAMS = "params"
"""The field of a job that CEL cannot read alone, as its values may have any type."""
_REVISION = ".?status.?ledger.?revision.orValue(0)"
"""Without orValue an API server before 1.33 does not know how large it is, and refuses the CRD."""
_SPEC_IS_KEPT = f"self{_REVISION} != oldSelf{_REVISION}"
"""Whether the write is one of a status: such a write cannot change the spec, and others cannot
change the revision, which every status write of the operator does."""


def at_creation(schema: Schema) -> Schema:
    """Return the schema of a spec that does not change, with rules evaluated at creation only.

    Below lists without keys the API server knows no earlier value, and rules stay as they are.
    """
    changed = dict(schema)
    if RULES in schema:
        changed[RULES] = [_at_creation(rule) for rule in schema[RULES]]
    if "properties" in schema:
        fields: dict[str, Schema] = schema["properties"]
        changed["properties"] = {name: at_creation(field) for name, field in fields.items()}
    if isinstance(schema.get("additionalProperties"), dict):
        changed["additionalProperties"] = at_creation(schema["additionalProperties"])
    if schema.get(LIST_TYPE) == "map":
        changed["items"] = at_creation(schema["items"])
    return changed


def _at_creation(rule: dict[str, object]) -> dict[str, object]:
    return {
        **rule,
        "rule": f"oldSelf.hasValue() || ({rule['rule']})",
        "optionalOldSelf": True,
    }


def immutable() -> tuple[Rule, ...]:
    """Return a rule of an EnsoJob for each field of its spec that may not be changed."""
    rules: list[Rule] = []
    for info in EnsoJobSpec.model_fields.values():
        name = str(info.alias)
        if name in MUTABLE or name == _PARAMS:
            continue
        new, old = f"self.spec.{name}", f"oldSelf.spec.{name}"
        same = f"{new} == {old}"
        if name in KEYS[EnsoJobSpec]:  # lists of type map are equal in any order
            same += f" && {new}.map(one, one.name) == {old}.map(one, one.name)"
        if not info.is_required():
            same = f"has({new}) == has({old}) && (!has({new}) || {same})"
        rules.append(_unless_kept(same, name))
    return (*rules, _unless_kept(_same_params(), _PARAMS))


def _unless_kept(same: str, name: str) -> Rule:
    return Rule(f"{_SPEC_IS_KEPT} || ({same})", IMMUTABLE, field=f".spec.{name}")


def _same_params() -> str:
    """Return CEL by which nothing but the params changed: it cannot read them alone.

    A change together with one of a mutable field passes, and the operator then stops the job.
    """
    others = (
        f"has(self.spec.{name}) != has(oldSelf.spec.{name}) || "
        f"has(self.spec.{name}) && self.spec.{name} != oldSelf.spec.{name}"
        for name in sorted(MUTABLE)
    )
    return f"!has(self.spec.templateRef) || self.spec == oldSelf.spec || {' || '.join(others)}"
