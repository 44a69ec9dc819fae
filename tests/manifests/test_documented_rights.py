"""docs/operating.md lists the rights that the chart grants: one is tested by what is asked for."""

from __future__ import annotations

from typing import Any

import yaml
from dev.chart.generated import ROOT

from tests.support.chart import one, rendered

PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")


def documented(name: str) -> list[Any]:
    """Return the rules of a role as the page has it."""
    block = next(one for one in PAGE.split("```yaml\n") if f"{{name: {name}}}" in one)
    roles: list[dict[str, Any]] = [*yaml.safe_load_all(block.partition("```")[0])]
    return next(list(role["rules"]) for role in roles if role["metadata"]["name"] == name)


def test_the_rights_that_are_documented_are_those_of_the_chart() -> None:
    documents = rendered("leaderElection.leaseName=enso-operator")
    operator = one(documents, "ClusterRole", "shows-enso-executer")
    assert documented("enso-operator") == operator["rules"]
    assert documented("enso-operator-lease") == one(documents, "Role", "-lease")["rules"]
