"""The examples that come with the project are jobs, and do what their comments say."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from enso_operator.api.v1alpha1 import EnsoScript
from enso_operator.manifests.load import ManifestError, load, template_in
from enso_operator.manifests.manifest import Manifest
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.template import expanded
from enso_operator.manifests.to_domain import job_definition
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import LibraryScript, Script, Source, Work
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.service_layer.services import add, execute
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork
from tests.support.jobs import FakeClock
from tests.support.snippets import snippet

ROOT = Path(__file__).parents[4]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
TEMPLATE = ROOT / "examples" / "templates" / "publish-shot.yaml"
IN_PODS = sorted((ROOT / "examples" / "pods").glob("*.yaml"))
IN_A_CLUSTER = sorted((ROOT / "examples" / "cluster").glob("*.yaml"))
LIBRARY = {
    path.stem: EnsoScript.model_validate(yaml.safe_load(path.read_text("utf-8")))
    for path in sorted((ROOT / "examples" / "library").glob("*.yaml"))
}


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What a session gives its scripts."""
    enso = ModuleType("enso")
    shared: dict[str, object] = {}
    enso.__dict__["shared"] = shared
    monkeypatch.setitem(sys.modules, "enso", enso)
    return shared


def found(script: Script) -> Work:
    """What a script is, where need be by the library of the examples."""
    if not isinstance(script.work, LibraryScript):
        return script.work
    source = LIBRARY[script.work.name.replace("_", "-")].spec.source
    assert source
    return Source(source)


def ran(manifest: Manifest, folder: Path) -> Job:
    """Run a job in this process, with all its files in the folder."""

    def here(script: Script) -> Script:
        moved = {
            name: value.replace("/tmp/enso-examples", str(folder))  # noqa: S108  # is replaced
            if isinstance(value, str)
            else value
            for name, value in script.parameters.items()
        }
        return replace(script, parameters=moved, timeout_seconds=None, work=found(script))

    uow = InMemoryJobUnitOfWork()
    job_id = add([here(script) for script in manifest.scripts], job_uow=uow)
    execute(job_id=job_id, job_uow=uow, clock=FakeClock())
    return uow.jobs.get(job_id)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_job_that_runs_anywhere(path: Path) -> None:
    manifest = load(path)
    assert manifest.name == path.stem
    assert manifest.ignored == ()
    assert f"enso run examples/{path.name}" in manifest.text
    assert [session.interpreter for session in manifest.sessions] == [("python3",)]


@pytest.mark.usefixtures("shared")
def test_publish_shot_saves_what_was_simulated(tmp_path: Path) -> None:
    job = ran(load(ROOT / "examples/publish-shot.yaml"), tmp_path)
    assert job.state is JobState.SUCCEEDED
    saved = (tmp_path / "release/shot-010.scene").read_text().splitlines()
    assert saved[:2] == ["fps 24", "object banner"]
    assert len(saved) == 2 + 48


@pytest.mark.usefixtures("shared")
def test_the_broken_one_differs_in_one_argument_and_says_which(tmp_path: Path) -> None:
    whole = load(ROOT / "examples/publish-shot.yaml")
    broken = load(ROOT / "examples/publish-shot-broken.yaml")
    job = ran(broken, tmp_path)
    assert job.failure
    assert job.failure.script == "simulate"
    assert str(job.failure.cause) == (
        "RuntimeError: the banner exploded at frame 3: stiffness 5000 needs at least 2 substeps, "
        "not 1"
    )
    assert not (tmp_path / "release").exists()
    simulate = broken.scripts[1]
    mended = replace(simulate, parameters={**simulate.parameters, "substeps": 4})
    assert (broken.scripts[0], mended, broken.scripts[2]) == whole.scripts


@pytest.mark.usefixtures("shared")
def test_checkpoints_publishes_at_its_second_try(tmp_path: Path) -> None:
    manifest = load(ROOT / "examples/checkpoints.yaml")
    open_, simulate, publish = manifest.scripts
    assert (open_.setup, simulate.checkpoint, publish.retries.limit) == (True, True, 2)
    job = ran(manifest, tmp_path)
    assert job.state is JobState.SUCCEEDED
    assert {name: row.attempt for name, row in job.rows.items()} == {
        "open": 1,
        "simulate": 1,
        "publish": 2,
    }


@pytest.mark.usefixtures("shared")
def test_a_template_runs_with_its_parameters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = ran(load(TEMPLATE, params={"shot": "010", "layers": '["cloak", "hat"]'}), tmp_path)
    assert job.state is JobState.SUCCEEDED
    assert capsys.readouterr().out.splitlines() == [
        "opened /shots/010/cloth.scene",
        "simulated 24 frames of cloak, hat",
        "shot-010: 49 items",
    ]
    run = parse_ensojob(yaml.safe_load(TEMPLATE.with_name("publish-shot-010.yaml").read_text()))
    template = template_in(TEMPLATE)
    assert template
    assert run.spec.template_ref
    assert run.spec.template_ref.name == template.metadata.name
    assert expanded(template, run.spec.params)["scripts"][1]["args"]["frames"] == 48


def test_the_page_shows_what_is_said_of_wrong_parameters() -> None:
    with pytest.raises(ManifestError) as caught:
        load(TEMPLATE, params={"frames": "0", "shto": "010"})
    said = str(caught.value).replace(str(TEMPLATE), "examples/templates/publish-shot.yaml")
    assert f"enso: {said}\n" in snippet("templates.md", "shto=010")


@pytest.mark.parametrize("path", IN_A_CLUSTER, ids=lambda path: path.stem)
def test_an_example_for_a_cluster_is_a_job_of_library_scripts(path: Path) -> None:
    manifest = load(path)
    assert manifest.name == path.stem
    assert f"examples/cluster/{path.name}" in manifest.text
    assert all(isinstance(script.work, LibraryScript) for script in manifest.scripts)


@pytest.mark.parametrize("path", IN_PODS, ids=lambda path: path.stem)
def test_an_example_for_pods_is_one_job_and_what_it_needs(path: Path) -> None:
    text = path.read_text("utf-8")
    *needs, document = yaml.safe_load_all(text)
    ensojob = parse_ensojob(document)
    assert ensojob.metadata.name == path.stem
    assert job_definition(ensojob).scripts
    assert f"kubectl apply -f examples/pods/{path.name}" in text
    assert {need["kind"] for need in needs} <= {"ConfigMap", "Secret"}


def test_every_library_example_is_named_as_its_file_and_explained() -> None:
    assert {name: script.metadata.name for name, script in LIBRARY.items()} == {
        name: name for name in LIBRARY
    }
    assert all(script.spec.description for script in LIBRARY.values())


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(("name", "frames"), [("bake-cloth", 96), ("bake-cloth-later", 24)])
def test_bake_cloth_saves_what_was_baked(tmp_path: Path, name: str, frames: int) -> None:
    job = ran(load(ROOT / f"examples/cluster/{name}.yaml"), tmp_path)
    assert job.state is JobState.SUCCEEDED
    (saved,) = (tmp_path / "release").iterdir()
    assert len(saved.read_text().splitlines()) == 2 + frames


@pytest.mark.usefixtures("shared")
def test_the_one_that_is_too_large_fails_at_its_second_script(tmp_path: Path) -> None:
    job = ran(load(ROOT / "examples/cluster/bake-cloth-too-large.yaml"), tmp_path)
    assert job.failure
    assert job.failure.script == "bake"
    assert "need 480 MiB, and the cache has 256" in str(job.failure.cause)
    assert not (tmp_path / "release").exists()


def test_the_example_job() -> None:
    manifest = load(ROOT / "example_job.json")
    assert manifest.name == "example-job"
    assert [script.name for script in manifest.scripts] == [
        "example-script",
        "example-script-2",
        "example-script-3",
    ]
    assert {script.work for script in manifest.scripts} == {LibraryScript("example_script")}
    assert manifest.scripts[2].parameters == {
        "arg1": "save houdini file",
        "arg2": "/release/saved.hip",
    }
