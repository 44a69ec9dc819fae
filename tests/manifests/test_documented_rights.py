"""docs/operating.md lists the rights that the chart grants; other tests check that they suffice."""

from __future__ import annotations

from typing import Any

import yaml
from dev.checkout import CHECKOUT

from job_execution_framework.domain.values import is_mapping
from tests.support.chart import only_object, rendered

BLOCKS = (CHECKOUT / "docs" / "operating.md").read_text("utf-8").split("```yaml\n")[1:]


def documented(name: str) -> object:
    """Return the rules of the role of this name."""
    documents: list[Any] = []
    for block in BLOCKS:
        documents += yaml.safe_load_all(block.partition("```")[0])
    (rules,) = [
        document["rules"]
        for document in documents
        if is_mapping(document)
        and is_mapping(document["metadata"])
        and document["metadata"]["name"] == name
    ]
    return rules


def test_the_rights_that_are_documented_are_those_of_the_chart() -> None:
    documents = rendered("leaderElection.leaseName=enso-operator")
    operator = only_object(documents, "ClusterRole", "shows-enso-executer")
    assert documented("enso-operator") == operator["rules"]
    assert documented("enso-operator-lease") == only_object(documents, "Role", "-lease")["rules"]
