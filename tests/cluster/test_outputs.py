"""Outputs of scripts on a real API server: kept exactly, and handed on by whichever operator."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.enso_program import Enso
from tests.support.eventually import until
from tests.support.operators import Operators
from tests.support.resources import Document, action, of_scripts

VALUE: Document = {"path": "/fx/é.bgeo", "none": None, "": [1, None, {"a": None}], "n": 1.5}
BAKE = f"def main(): return {VALUE!r}"
HOLD = """
import os, time
def main(file):
    while not os.path.exists(file):
        time.sleep(0.05)
"""
RETURNS_IT = "def main(**given): return given"
NEEDS = [
    {"name": "cache", "outputOf": {"script": "bake", "key": "path"}},
    {"name": "baked", "outputOf": {"script": "bake"}},
]


def job(*scripts: Document) -> Document:
    """Return a job whose scripts run in a session each."""
    names = [str(script["name"]) for script in scripts]
    each = [script | {"session": name} for script, name in zip(scripts, names, strict=True)]
    return of_scripts(*each, sessions=[{"name": name} for name in names])


def rows(ns: ClusterNamespace) -> dict[str, Document]:
    return {row["name"]: row for row in ns.get()["status"].get("scripts") or ()}


def test_an_operator_hands_on_what_another_one_was_told(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    first = operators.start()
    ns.apply(
        job(
            {"name": "bake", "source": BAKE},
            {"name": "hold", "source": HOLD, "args": {"file": str(tmp_path / "go")}},
            {"name": "render", "source": RETURNS_IT, "argsFrom": NEEDS},
        )
    )
    until(lambda: rows(ns).get("hold", {}).get("state") == "Running")
    assert rows(ns)["bake"]["output"] == VALUE
    first.kill()
    operators.start()
    (tmp_path / "go").touch()
    ns.waits("Succeeded")
    assert rows(ns)["render"]["output"] == {"cache": VALUE["path"], "baked": VALUE}
    code, shown, *_ = Enso(ns, tmp_path)("show", "shot", "-o", "json")
    assert code == 0
    assert json.loads(shown)["status"]["scripts"][0]["output"] == VALUE


def test_a_script_without_its_argument_fails_and_a_resume_gives_it(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    operators.start()
    there = str(tmp_path / "there")
    bake = "import os\ndef main(file): return {'path': 1} if os.path.exists(file) else {'n': 1}"
    ns.apply(
        job(
            {"name": "bake", "source": bake, "args": {"file": there}},
            {"name": "render", "source": RETURNS_IT, "argsFrom": NEEDS[:1]},
        )
    )
    ns.waits("Finished")
    status = ns.get()["status"]
    assert (status["script"], status["reason"]) == ("render", "NoOutput")
    assert status["why"][1].startswith("  argument 'cache' is path of the output of bake, which ")
    assert "outputs cache is path of the output of bake" in status["why"]

    Path(there).touch()
    ns.apply(action("resume", resume={"from": "bake"}))
    ns.waits("Succeeded")
    assert rows(ns)["render"]["output"] == {"cache": 1}


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ({"name": "cache"}, "give it exactly one of secretKeyRef, outputOf"),
        (
            {**NEEDS[0], "secretKeyRef": {"name": "a", "key": "b"}},
            "give it exactly one of secretKeyRef, outputOf",
        ),
        ({"name": "cache", "outputOf": {"script": "b", "key": ""}}, "should be at least 1 char"),
    ],
)
def test_the_api_server_refuses_what_is_no_argument(
    ns: ClusterNamespace, argument: Document, says: str
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        ns.apply(job({"name": "render", "source": RETURNS_IT, "argsFrom": [argument]}))
    assert says in refused.value.stderr


def test_an_output_that_can_never_be_had_is_told_at_first_sight(
    ns: ClusterNamespace, operators: Operators
) -> None:
    operators.start()
    ns.apply(job({"name": "render", "source": RETURNS_IT, "argsFrom": NEEDS}))
    ns.waits("Finished")
    status = ns.get()["status"]
    assert status["reason"] == "InvalidJob"
    assert "argument 'cache' is path of the output of bake, and the job has no" in status["why"][0]
