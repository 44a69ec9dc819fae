"""The script library of a namespace, on a real API server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dev.cluster.plane import Cluster
from kubernetes.client import ApiClient

from enso_operator.kube.client import ApiObjects
from enso_operator.kube.library import EnsoScriptLibrary
from job_execution_framework.domain.errors import ScriptNotFound
from job_execution_framework.domain.script import Function, Source
from tests.support.resources import library_script


@pytest.fixture
def library(client: ApiClient, namespace: str) -> EnsoScriptLibrary:
    return EnsoScriptLibrary(ApiObjects(client, namespace, "ensoscripts"))


def apply(library: EnsoScriptLibrary, document: dict[str, Any]) -> None:
    library.scripts.create(document)


@pytest.mark.parametrize("name", ["open_scene", "open-scene"])
def test_both_spellings_find_an_ensoscript(library: EnsoScriptLibrary, name: str) -> None:
    apply(library, library_script("open-scene", source="def main(): pass"))
    assert library.find(name) == Source("def main(): pass", f"{name}.py")


def test_an_ensoscript_may_be_a_function_and_comes_before_a_built_in(
    library: EnsoScriptLibrary,
) -> None:
    built_in = library.find("example_script")
    apply(library, library_script("example-script", function="studio.a:b"))
    assert isinstance(built_in, Source)
    assert library.find("example_script") == Function("studio.a:b")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("open_scen", "did you mean 'open-scene'?"),
        ("_x", "apply an EnsoScript named -x"),
        ("Nothing", "apply an EnsoScript named nothing"),
    ],
)
def test_a_script_that_is_not_there_comes_with_a_hint(
    library: EnsoScriptLibrary, name: str, says: str
) -> None:
    apply(library, library_script("open-scene", source="def main(): pass"))
    with pytest.raises(ScriptNotFound) as error:
        library.find(name)
    assert str(error.value).startswith(f"there is no script {name!r} in namespace ")
    assert str(error.value).endswith(says)


def test_a_library_sees_its_own_namespace_alone(library: EnsoScriptLibrary, crds: Cluster) -> None:
    elsewhere = library_script("open-scene", source="def main(): pass")
    elsewhere["metadata"]["namespace"] = "default"
    crds.kubectl("apply", "-f", "-", stdin=json.dumps(elsewhere))
    with pytest.raises(ScriptNotFound):
        library.find("open_scene")
