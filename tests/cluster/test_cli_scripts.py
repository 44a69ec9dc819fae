"""`enso scripts push`, `list` and `show` on a real API server, and what an operator makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.enso_program import Enso
from tests.support.operators import Operators
from tests.support.resources import of_scripts

SIMULATE = '''
from typing import Annotated

def main(frames: Annotated[int, {"minimum": 1}], scale: float | None = None, shots: list = ()):
    """Simulate a shot."""
    print(frames, scale)
'''


@pytest.fixture
def enso(ns: ClusterNamespace, tmp_path: Path) -> Enso:
    return Enso(ns, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "studio"
    folder.mkdir()
    (folder / "simulate.py").write_text(SIMULATE)
    (folder / "publish.py").write_text("def main(): pass")
    return folder


def stored(ns: ClusterNamespace) -> dict[str, dict[str, Any]]:
    listed = json.loads(ns.kubectl("get", "ensoscripts", "-o", "json"))
    return {script["metadata"]["name"]: script for script in listed["items"]}


def test_a_push_is_idempotent_and_prunes(ns: ClusterNamespace, enso: Enso, folder: Path) -> None:
    tried = enso("scripts", "push", str(folder), "--dry-run")
    nothing = "(dry run: nothing was done)"
    said = f"publish: created {nothing}\nsimulate: created {nothing}\n"
    assert tried[:2] == (0, said), tried
    assert stored(ns) == {}
    assert enso("scripts", "push", str(folder))[:2] == (0, "publish: created\nsimulate: created\n")
    before = stored(ns)
    again = enso("scripts", "push", str(folder))
    assert again[:2] == (0, "publish: unchanged\nsimulate: unchanged\n"), again
    assert stored(ns) == before
    (folder / "publish.py").unlink()
    (folder / "simulate.py").write_text(SIMULATE.replace("1}", "2}"))
    pruned = enso("scripts", "push", str(folder), "--prune")
    assert pruned[:2] == (0, "simulate: changed\npublish: deleted\n"), pruned
    (parameter, *_) = stored(ns)["simulate"]["spec"]["parameters"]
    assert (parameter["name"], parameter["minimum"]) == ("frames", 2)


def test_what_somebody_else_has_set_is_not_overwritten(
    ns: ClusterNamespace, enso: Enso, folder: Path
) -> None:
    assert enso("scripts", "push", str(folder))[0] == 0
    patch = json.dumps({"spec": {"description": "Theirs."}})
    ns.kubectl("patch", "ensoscript", "simulate", "--type=merge", "-p", patch)
    code, _, wrong = enso("scripts", "push", str(folder))
    assert code == 2
    assert wrong.startswith("enso: simulate: the API server answers 409: ")
    assert stored(ns)["simulate"]["spec"]["description"] == "Theirs."


def test_show_and_list(enso: Enso, folder: Path) -> None:
    assert enso("scripts", "push", str(folder))[0] == 0
    code, said, _ = enso("scripts", "list")
    assert (code, said.splitlines()[-1].split(maxsplit=1)) == (0, ["simulate", "Simulate a shot."])
    code, said, _ = enso("scripts", "show", "simulate")
    assert code == 0
    assert "an integer of at least 1  (required)" in said
    code, _, wrong = enso("scripts", "show", "simulat")
    assert code == 2
    assert "did you mean simulate?" in wrong


def test_an_operator_compares_arguments_with_what_was_pushed(
    ns: ClusterNamespace, enso: Enso, folder: Path, operators: Operators
) -> None:
    assert enso("scripts", "push", str(folder))[0] == 0
    operators.start()
    fits = {"scriptRef": {"name": "simulate"}, "args": {"frames": 24.0}}
    ns.apply(of_scripts(fits | {"args": {"frames": "24", "frame": 1}}, {}))
    ns.apply(of_scripts(fits) | {"metadata": {"name": "fits"}})
    ns.kubectl("wait", "--for=condition=Finished", "ensojob/shot", "ensojob/fits", "--timeout=120s")
    failure = json.loads(ns.kubectl("get", "ensojob", "shot", "-o", "json"))["status"]["failure"]
    assert failure["reason"] == "InvalidJob"
    assert failure["message"] == (  # in the order of an API server, which sorts keys
        "script 'script-0': argument 'frame' is nothing that script-0 takes: did you mean "
        "'frames'?; script 'script-0': argument 'frames' is \"24\", a string, but takes an integer "
        "of at least 1: write it without quotes"
    )
    fit = json.loads(ns.kubectl("get", "ensojob", "fits", "-o", "json"))["status"]
    assert fit["scripts"][0]["state"] == "Succeeded"
