"""docs/operating.md lists the rights that the chart grants: one is tested by what is asked for."""

from __future__ import annotations

from typing import Any

import yaml
from dev.chart.generated import ROOT

from tests.support.chart import one, rendered

BLOCKS = (ROOT / "docs" / "operating.md").read_text("utf-8").split("```yaml\n")[1:]


def documented(name: str) -> list[Any]:
    documents = [doc for block in BLOCKS for doc in yaml.safe_load_all(block.partition("```")[0])]
    (role,) = [d for d in documents if isinstance(d, dict) and d["metadata"]["name"] == name]
    rules: list[Any] = role["rules"]
    return rules


def test_the_rights_that_are_documented_are_those_of_the_chart() -> None:
    documents = rendered("leaderElection.leaseName=enso-operator")
    operator = one(documents, "ClusterRole", "shows-enso-executer")
    assert documented("enso-operator") == operator["rules"]
    assert documented("enso-operator-lease") == one(documents, "Role", "-lease")["rules"]
