"""Templates in files: for `enso run FILE -p`, `enso plan FILE -p`, and a folder of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enso_operator.manifests.load import ManifestError, load
from enso_operator.manifests.template_folder import TemplateFolder
from job_execution_framework.domain.errors import InvalidJob
from tests.support.resources import EMPTY, Document, job, of_scripts
from tests.support.templates import run, template


def written(folder: Path, document: Document, name: str = "publish.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(document))
    return path


def refusal(path: Path, **params: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        load(path, params=params)
    return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]


def test_a_template_is_a_job_with_the_values_of_its_parameters(tmp_path: Path) -> None:
    manifest = load(written(tmp_path, template()), params={"shot": "010", "frames": "48"})
    assert manifest.name == "publish"
    assert [script.parameters for script in manifest.scripts] == [
        {"path": "/shots/010/a.hip"},
        {"frames": 48},
    ]
    assert manifest.params == {"shot": "010", "frames": "48"}


def test_values_on_a_command_line_are_read_by_their_type(tmp_path: Path) -> None:
    values = {
        "string": ("010", "010"),
        "path": ("[1]", "[1]"),
        "integer": ("10", 10),
        "number": ("0.5", 0.5),
        "boolean": ("true", True),
        "list": ('["a", 1]', ["a", 1]),
        "object": ('{"a": null}', {"a": None}),
    }
    document = template(
        {"name": "a", "source": "x", "args": {kind: f"$(params.{kind})" for kind in values}},
        parameters=[{"name": kind, "type": kind} for kind in values],
    )
    texts = {kind: text for kind, (text, _) in values.items()}
    (script,) = load(written(tmp_path, document), params=texts).scripts
    assert script.parameters == {kind: value for kind, (_, value) in values.items()}


def test_each_mistake_in_a_template_is_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, template())
    assert refusal(path, frames="x", shto="1") == [
        "parameter.shot is missing: it takes a string",
        'parameter.frames is "x", a string, but takes an integer of at least 1',
        "parameter.shto is nothing that template publish takes: did you mean 'shot'?",
    ]
    (sentence,) = refusal(written(tmp_path, template(script=[])), shot="010")
    assert sentence == "spec.job.script is not a field: did you mean scripts?"
    document = template()
    document["spec"]["parameter"] = []
    assert refusal(written(tmp_path, document))[0].startswith("spec.parameter is not a field")
    document = template({"name": "a", "container": {"image": "curl"}})
    (sentence,) = refusal(written(tmp_path, document), shot="010")
    assert sentence.startswith("spec.job.scripts[a].container needs a cluster")


def test_what_is_no_template_takes_no_parameters(tmp_path: Path) -> None:
    for document in (of_scripts({}), {"instructions": [["a", EMPTY]]}):
        assert refusal(written(tmp_path, document), shot="010") == [
            "takes no parameters, as it is no EnsoJobTemplate: leave out -p"
        ]


def test_a_run_of_a_template_of_a_cluster_needs_the_cluster(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, run(shot="010"))) == [
        (
            "spec.templateRef names template publish of a cluster: apply the file with kubectl, or "
            "name the template's own file, and its parameters with -p"
        )
    ]


def test_a_parameter_that_is_not_used_is_told(tmp_path: Path) -> None:
    document = template({"name": "a", "source": "x", "args": {"a": "$(params.frames)"}})
    assert load(written(tmp_path, document), params={"shot": "010"}).unused == ("shot",)


def test_a_folder_is_read_anew_for_each_run(tmp_path: Path) -> None:
    folder = TemplateFolder(tmp_path)
    written(tmp_path, job({"scripts": []}), "no-template.json")
    with pytest.raises(InvalidJob) as caught:
        folder.run_of("publihs", {"shot": "010"})
    assert str(caught.value) == f"there is no template publihs: write one into {tmp_path}"
    path = written(tmp_path, template())
    with pytest.raises(InvalidJob, match=r"there is no template publihs: did you mean publish\?"):
        folder.run_of("publihs", {})
    assert len(folder.run_of("publish", {"shot": "010"}).scripts) == 2
    path.write_text("{")
    with pytest.raises(InvalidJob, match=r"publish\.json: line 1"):
        folder.run_of("publish", {"shot": "010"})


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="there is no such folder"):
        TemplateFolder(tmp_path / "none").read()
    assert TemplateFolder().read().templates == {}
    with pytest.raises(InvalidJob, match="start the server with --templates DIR"):
        TemplateFolder().run_of("publish", {})
