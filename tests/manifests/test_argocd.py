"""Argo CD's scripts in deploy/argocd, run over their own tables on statuses of real runs.

The layout and the tables are argo-cd's, which could take the files as they are. How the statuses
come about: tests/cluster/test_gitops_states.py.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev.argocd import CUSTOMIZATIONS, PATCH, patch

from enso_operator.api.ensoaction import EnsoAction
from enso_operator.api.v1alpha1 import EnsoJob
from tests.support.lua import LuaError, loaded, ran
from tests.support.resources import Document

KINDS = sorted(path.parent for path in CUSTOMIZATIONS.glob("enso.dev/*/health.lua"))
ACTING = [kind for kind in KINDS if (kind / "actions").exists()]


def rows(kinds: list[Path], file: str, table: str) -> list[Any]:
    """Return the rows of a table of all kinds, as parameters of a test."""
    return [
        pytest.param(kind, row, id=f"{kind.name}-{Path(row['inputPath']).stem}")
        for kind in kinds
        for row in loaded(kind / file).get(table, [])
    ]


HEALTH = rows(KINDS, "health_test.yaml", "tests")
DISCOVERED = rows(ACTING, "actions/action_test.yaml", "discoveryTests")
ACTED = rows(ACTING, "actions/action_test.yaml", "actionTests")


@pytest.mark.parametrize(("kind", "row"), HEALTH)
def test_health(kind: Path, row: Document) -> None:
    assert ran(kind / "health.lua", loaded(kind / row["inputPath"])) == row["healthStatus"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_recorded_state_is_in_the_tables(kind: Path) -> None:
    recorded = {path.name for path in (kind / "testdata").iterdir()}
    assert recorded == {
        Path(row["inputPath"]).name for row in loaded(kind / "health_test.yaml")["tests"]
    }
    if kind in ACTING:
        tests = loaded(kind / "actions/action_test.yaml")["discoveryTests"]
        assert recorded == {Path(row["inputPath"]).name for row in tests}


@pytest.mark.parametrize("state", ["failed", "running", "succeeded"])
def test_a_job_is_progressing_until_its_latest_change_is_seen(state: str) -> None:
    kind = CUSTOMIZATIONS / "enso.dev" / "EnsoJob"
    job = loaded(kind / "testdata" / f"{state}.yaml")
    job["metadata"]["generation"] += 1
    assert ran(kind / "health.lua", job)["status"] == "Progressing"
    del job["status"]
    assert ran(kind / "health.lua", job)["status"] == "Progressing"


def test_a_decided_job_is_progressing_while_it_cleans_up() -> None:
    """`Succeeded` is decided, and its `finally` runs: `Finished` is False."""
    kind = CUSTOMIZATIONS / "enso.dev" / "EnsoJob"
    job = loaded(kind / "testdata" / "failed.yaml")
    finished, *_ = [one for one in job["status"]["conditions"] if one["type"] == "Finished"]
    finished["status"] = "False"
    health = ran(kind / "health.lua", job)
    assert health["status"] == "Progressing"
    assert health["message"].startswith("bake failed: ValueError: no licence for the solver")
    offered = ran(kind / "actions" / "discovery.lua", job)
    assert {name for name, action in offered.items() if not action["disabled"]} == {"cancel"}


@pytest.mark.parametrize(("kind", "row"), DISCOVERED)
def test_actions_that_are_offered(kind: Path, row: Document) -> None:
    found = ran(kind / "actions" / "discovery.lua", loaded(kind / "actions" / row["inputPath"]))
    offered = [{"name": name} | about for name, about in found.items()]
    assert sorted(offered, key=lambda one: one["name"]) == sorted(
        row["result"], key=lambda one: one["name"]
    )


@pytest.mark.parametrize(("kind", "row"), ACTED)
def test_what_an_action_creates(kind: Path, row: Document) -> None:
    script = kind / "actions" / row["action"] / "action.lua"
    obj = loaded(kind / "actions" / row["inputPath"])
    if refusal := row.get("expectedErrorMessage"):
        with pytest.raises(LuaError) as refused:
            ran(script, obj, row["parameters"])
        assert str(refused.value) == refusal
        return
    impacted = ran(script, obj, row.get("parameters"))
    expected = loaded(kind / "actions" / row["expectedOutputPath"])
    assert [(one["operation"], one["resource"]) for one in impacted] == [
        (one["k8sOperation"], one["unstructuredObj"]) for one in expected
    ]
    for one in impacted:
        made: Document = deepcopy(one["resource"])
        made["metadata"]["name"] = made["metadata"].pop("generateName") + "x7k2p"
        model = EnsoJob if made["kind"] == "EnsoJob" else EnsoAction
        model.model_validate(made, extra="forbid")


@pytest.mark.parametrize(
    ("parameters", "given", "made"),
    [
        ([{"name": "a", "type": "boolean"}], {"a": "true"}, {"a": True}),
        ([{"name": "a", "type": "boolean"}], {"a": "false"}, {"a": False}),
        ([{"name": "a", "type": "number"}], {"a": "0.5"}, {"a": 0.5}),
        (
            [{"name": "a", "type": "path"}, {"name": "b"}],
            {"a": "/x", "b": "010"},
            {"a": "/x", "b": "010"},
        ),
        ([{"name": "a", "type": "integer", "default": 1}], {"a": ""}, None),
        ([], {}, None),
    ],
)
def test_what_is_typed_in_has_the_parameter_s_type(
    parameters: list[Document], given: dict[str, str], made: Document | None
) -> None:
    kind = CUSTOMIZATIONS / "enso.dev" / "EnsoJobTemplate"
    template = loaded(kind / "testdata" / "frames.yaml")
    template["spec"]["parameters"] = parameters
    (created,) = ran(kind / "actions/run/action.lua", template, given)
    assert created["resource"]["spec"].get("params") == made


def test_a_run_is_no_part_of_the_application() -> None:
    kind = CUSTOMIZATIONS / "enso.dev" / "EnsoJobTemplate"
    template = loaded(kind / "testdata" / "frames.yaml")
    template["metadata"]["labels"] = {"app.kubernetes.io/instance": "shows"}
    (created,) = ran(kind / "actions/run/action.lua", template, {"shot": "010"})
    assert {*created["resource"]["metadata"]} == {"generateName", "namespace"}


def test_a_template_that_needs_a_list_cannot_be_run_from_there() -> None:
    kind = CUSTOMIZATIONS / "enso.dev" / "EnsoJobTemplate"
    template = loaded(kind / "testdata" / "frames.yaml")
    template["spec"]["parameters"] = [{"name": "shots", "type": "list", "required": True}]
    assert ran(kind / "actions/discovery.lua", template)["run"]["disabled"]


def test_the_patch_has_every_script() -> None:
    assert PATCH.read_text() == patch()[PATCH], "run `make manifests`"
    data = loaded(PATCH)["data"]
    for kind in KINDS:
        health = data.pop(f"resource.customizations.health.enso.dev_{kind.name}")
        assert health == (kind / "health.lua").read_text()
        if kind in ACTING:
            actions = yaml.safe_load(
                data.pop(f"resource.customizations.actions.enso.dev_{kind.name}")
            )
            assert actions["discovery.lua"] == (kind / "actions/discovery.lua").read_text()
            scripts = {
                path.parent.name: path.read_text() for path in kind.glob("actions/*/action.lua")
            }
            assert {one["name"]: one["action.lua"] for one in actions["definitions"]} == scripts
    assert data == {}
