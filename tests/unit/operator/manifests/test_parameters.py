"""Parameters of EnsoScripts: from manifests to the domain and back, and what cannot be meant so."""

from __future__ import annotations

import pytest

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import EnsoScriptSpec
from enso_operator.manifests.parameters import broken_parameters, fields_of, parameters_of
from job_execution_framework.domain.parameters import Parameter, Parameters, Type
from job_execution_framework.domain.script import Source
from job_execution_framework.service_layer.main_function import read
from job_execution_framework.service_layer.signature import parameters_in

SOURCE = """
from pathlib import Path
from typing import Annotated, Literal

def main(
    scene: Annotated[Path, {"access": "read"}],
    frames: Annotated[int, {"minimum": 0, "maximum": 240}] = 24,
    quality: Literal["draft", "final"] = "draft",
    scale: float | None = None,
    shots: list[str] = [],
    token: Annotated[str, {"secret": True, "pattern": "[a-z]+"}] = "",
    loop: bool = False,
    other=object(),
    **more,
):
    '''Simulate.

    Args:
        frames: How many.
    '''
"""


def spec(**fields: object) -> EnsoScriptSpec:
    return EnsoScriptSpec.model_validate({"source": "x", **fields}, extra="forbid")


def test_what_a_signature_says_is_the_same_after_a_manifest() -> None:
    takes = parameters_in(read(Source(SOURCE)))
    assert takes is not None
    fields = fields_of(takes)
    assert fields["takesOtherArguments"]
    assert fields["parameters"][1] == {
        "name": "frames",
        "type": "integer",
        "default": 24,
        "minimum": 0,
        "maximum": 240,
        "description": "How many.",
    }
    back = parameters_of(spec(**fields))
    assert back is not None
    without_null = [taken.default for taken in takes.listed if taken.name != "scale"]
    assert [taken.default for taken in back.listed if taken.name != "scale"] == without_null
    assert fields_of(back) == fields


def test_nothing_declared_is_not_the_same_as_no_parameters() -> None:
    assert parameters_of(spec()) is None
    assert fields_of(None) == {}
    assert parameters_of(spec(parameters=[])) == Parameters()
    assert fields_of(Parameters()) == {"parameters": []}


def test_null_is_a_default_where_it_is_written() -> None:
    takes = parameters_of(spec(parameters=[{"name": "a", "default": None}, {"name": "b"}]))
    assert takes is not None
    assert takes.defaults == {"a": None}
    assert takes.listed[1] == Parameter("b")


@pytest.mark.parametrize(
    ("parameters", "sentences"),
    [
        ([{"name": "a", "type": "path", "access": "write", "enum": ["/a"]}], []),
        ([{"name": "a"}, {"name": "a"}], ["spec.parameters has a more than once: remove all but"]),
        (
            [{"name": "a", "type": "integer", "default": "1", "minimum": 3, "maximum": 2}],
            [
                "spec.parameters[a] has the minimum 3 above its maximum 2",
                'spec.parameters[a] has a default that is "1", a string, but takes an integer',
            ],
        ),
    ],
)
def test_what_cannot_be_meant_so(parameters: list[Document], sentences: list[str]) -> None:
    found = list(broken_parameters(spec(parameters=parameters)))
    assert len(found) == len(sentences)
    assert all(map(str.startswith, found, sentences))


def test_a_default_that_is_nested_too_deep_is_refused() -> None:
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    (sentence,) = broken_parameters(spec(parameters=[{"name": "a", "default": deep}]))
    assert sentence.startswith("spec.parameters[a] is nested more than 64 levels deep")


def test_the_types_are_those_of_the_domain() -> None:
    for kind in Type:
        takes = parameters_of(spec(parameters=[{"name": "a", "type": kind.value}]))
        assert takes is not None
        assert takes.listed == (Parameter("a", kind),)
