"""Rules that only the spec of a job can break cost a write of its status nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from enso_operator.api.cel import IMMUTABLE
from enso_operator.api.crd import crds
from enso_operator.api.structural import LIST_TYPE, RULES

AT_CREATION = "oldSelf.hasValue() || ("


def schema_of(name: str) -> dict[str, Any]:
    (version,) = yaml.safe_load(crds()[name])["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def rules_below(schema: dict[str, Any], *, has_keys: bool = True) -> Iterator[tuple[Any, bool]]:
    """Yield each rule, and whether the API server knows what its value was before."""
    for rule in schema.get(RULES, ()):
        yield rule, has_keys
    for field in schema.get("properties", {}).values():
        yield from rules_below(field, has_keys=has_keys)
    if "items" in schema:
        keyed = has_keys and schema[LIST_TYPE] == "map"
        yield from rules_below(schema["items"], has_keys=keyed)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from rules_below(schema["additionalProperties"], has_keys=has_keys)


def test_rules_over_a_jobs_spec_are_evaluated_at_creation() -> None:
    rules = [*rules_below(schema_of("ensojobs.yaml")["properties"]["spec"])]
    assert len(rules) > 20
    for rule, has_keys in rules:
        assert rule["rule"].startswith(AT_CREATION) is has_keys, rule
        assert rule.get("optionalOldSelf", False) is has_keys, rule
    assert {rule["message"] for rule, has_keys in rules if not has_keys} == {
        "a toleration without key needs operator: Exists"
    }


@pytest.mark.parametrize("name", ["ensoactions.yaml", "ensojobtemplates.yaml", "ensoscripts.yaml"])
def test_what_may_change_later_is_looked_at_each_time(name: str) -> None:
    assert not any("optionalOldSelf" in rule for rule, _ in rules_below(schema_of(name)))


def test_whether_a_spec_has_changed_is_looked_at_unless_the_status_was_written() -> None:
    rules = [rule for rule in schema_of("ensojobs.yaml")[RULES] if rule["message"] == IMMUTABLE]
    revision = "status.?ledger.?revision.orValue(0)"
    kept = f"self.?{revision} != oldSelf.?{revision} || ("
    assert [rule for rule in rules if not rule["rule"].startswith(kept)] == []


def test_a_script_has_no_rules_of_its_own() -> None:
    """An API server would evaluate them for each of a hundred scripts."""
    spec = schema_of("ensojobs.yaml")["properties"]["spec"]
    for listed in ("scripts", "finally"):
        assert RULES not in spec["properties"][listed]["items"]
        of_each = [rule for rule in spec[RULES] if f"self.{listed}.all(s, " in rule["rule"]]
        assert len(of_each) >= 6
        assert not any("self." in rule["rule"].partition(".all(s, ")[2] for rule in of_each)
        assert all(rule["fieldPath"] == f".{listed}" for rule in of_each)


def test_scripts_that_stand_together_are_gone_through_once_and_not_for_each_session() -> None:
    """An API server makes the schema of a script anew each time that a rule looks into one."""
    rules = schema_of("ensojobs.yaml")["properties"]["spec"][RULES]
    (together,) = [rule for rule in rules if "must stand together" in rule["message"]]
    for text in (together["rule"], together["messageExpression"]):
        assert text.count("self.scripts.") == 1


@pytest.mark.parametrize("name", ["ensojobs.yaml", "ensoscripts.yaml"])
def test_no_rule_says_function_which_is_a_reserved_word_before_kubernetes_1_32(name: str) -> None:
    rules = [rule["rule"] for rule, _ in rules_below(schema_of(name))]
    assert any("__function__" in rule for rule in rules)
    assert not any(re.search(r"\bfunction\b", rule) for rule in rules)
