"""What `enso start` creates, and what `enso plan` and `enso show` say of templates and runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from enso_operator.cli.jobs import plan
from enso_operator.cli.jobs.expansions import with_scripts
from enso_operator.cli.jobs.show import show_job
from enso_operator.cli.jobs.start import StartOptions, start
from enso_operator.kube.definition_names import definition_name
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import NoSuchName
from tests.support.resources import Document
from tests.support.templates import run, template

METADATA = {"namespace": "shows", "uid": "0c9f", "creationTimestamp": "2026-11-28T12:00:00Z"}


class Cluster:
    """Answers as an API server does, for the objects that it is given."""

    access = SimpleNamespace(namespace="shows")

    def __init__(self, *documents: Document) -> None:
        self.objects: dict[str, Document] = {}
        for document in documents:
            self.create(self.path(f"{document['kind'].lower()}s"), document)

    def path(self, plural: str, name: str = "") -> str:
        return f"{plural}/{name}"

    def create(self, path: str, document: Document) -> Document:
        stored = document | {"metadata": METADATA | {"generation": 1} | document["metadata"]}
        self.objects[path + document["metadata"]["name"]] = stored
        return stored

    def get(self, path: str) -> Document:
        try:
            return self.objects[path]
        except KeyError:
            raise NoSuchName(f"{path} not found", 404) from None

    def pages(self, path: str, *_: object, **__: object) -> Iterator[Document]:
        names = [key.removeprefix(path) for key in self.objects if key.startswith(path)]
        yield {"rows": [{"cells": [name]} for name in names]}

    @property
    def api(self) -> ApiServer:
        return cast("ApiServer", self)


def started(cluster: Cluster, **params: str) -> Any:  # noqa: ANN401  # a document, or an exit code
    return start(cluster.api, "publish", StartOptions(params, "publish-010"), None)


def test_a_run_is_created_with_typed_values(capsys: pytest.CaptureFixture[str]) -> None:
    document = template()
    document["metadata"] |= {"labels": {"studio/kind": "publish"}}
    cluster = Cluster(document)
    job = started(cluster, shot="010", frames="48")
    assert job["spec"] == {
        "templateRef": {"name": "publish"},
        "params": {"shot": "010", "frames": 48},
    }
    assert job["metadata"]["labels"] == {"studio/kind": "publish"}
    assert capsys.readouterr().out == "publish-010: created\n"
    assert "ensojobs/publish-010" in cluster.objects


def test_a_person_at_a_terminal_is_asked_for_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = StringIO("abc\n010\n")
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    document = template()
    document["spec"]["parameters"][0] |= {"pattern": "[0-9]{3}", "description": "its number"}
    job = started(Cluster(document), frames="48")
    assert job["spec"]["params"] == {"frames": 48, "shot": "010"}
    said = capsys.readouterr().out
    assert "shot (a string that matches [0-9]{3}, its number): " in said
    assert 'Error: shot is "abc", but takes a string that matches [0-9]{3}' in said


def test_a_name_is_made_from_the_template() -> None:
    job = start(Cluster(template()).api, "publish", StartOptions({"shot": "010"}), "name")
    assert not isinstance(job, int)
    name = str(job["metadata"]["name"])
    assert name.startswith("publish-")
    assert len(name) == len("publish-") + 5


def test_wrong_parameters_create_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster(template())
    assert started(cluster, frames="x") == 1
    assert capsys.readouterr().err == (
        "enso: template publish: parameter.shot is missing: it takes a string; parameter.frames "
        'is "x", a string, but takes an integer of at least 1\n'
    )
    assert [*cluster.objects] == ["ensojobtemplates/publish"]


def test_an_unknown_template_is_told_with_similar_names() -> None:
    with pytest.raises(NoSuchName) as caught:
        start(Cluster(template()).api, "publihs", StartOptions({}), None)
    assert str(caught.value) == (
        "there is no template 'publihs' in namespace shows; did you mean publish?"
    )


def test_a_template_in_a_file_is_planned_as_one_in_a_cluster(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source = "def main(frames): pass"
    simulate = {"name": "simulate", "source": source, "args": {"frames": "$(params.frames)"}}
    cluster = Cluster(template(simulate))
    assert plan.plan_templates(cluster.api, ["publish"], {"shot": "010"}, "json") == 0
    of_cluster = json.loads(capsys.readouterr().out)
    file = tmp_path / "publish.json"
    file.write_text(json.dumps(template(simulate)))
    assert plan.plan_files([file], "json", {"shot": "010"}) == 0
    assert json.loads(capsys.readouterr().out) == of_cluster


def test_a_template_is_planned(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster(template())
    assert plan.plan_templates(cluster.api, ["publish"], {"shot": "010"}, None) == 0
    assert capsys.readouterr().out.splitlines()[:5] == [
        "a run of template publish, not created yet",
        "Once it is, 2 of 2 scripts will be started:",
        "",
        "#  SCRIPT    PLAN  WHY",
        "1  open      runs",
    ]
    assert plan.plan_templates(cluster.api, ["publish"], {"shot": "010"}, "json") == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["spec"]["scripts"][0]["args"] == {"path": "/shots/010/a.hip"}
    assert plan.plan_jobs(cluster.api, ["publish"], None, None) == 1
    assert "parameter.shot is missing" in capsys.readouterr().err


def pinned(cluster: Cluster, **args: object) -> Document:
    """A run whose template made a script with these arguments of it."""
    data = {
        "template": {"name": "publish", "generation": 3},
        "spec": {"scripts": [{"name": "bake", "source": "x", "args": args}]},
    }
    name = definition_name("shot", "0c9f", 1, data)
    cluster.objects[f"controllerrevisions/{name}"] = {"data": data}
    job = run(shot="010")
    job["metadata"] |= METADATA | {"generation": 1}
    return job | {"status": {"ledger": {"definitions": [{"number": 1, "name": name}]}}}


def test_a_run_is_shown_and_planned_as_it_was_made(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster()  # the template is gone
    job = pinned(cluster, frames=48)
    assert with_scripts(cluster.api, job)["spec"]["scripts"][0]["args"] == {"frames": 48}
    cluster.objects["ensojobs/shot"] = job
    assert plan.plan_jobs(cluster.api, ["shot"], None, None) == 0
    assert "1  bake    runs" in capsys.readouterr().out
    cluster.objects = {"ensojobs/shot": job}
    assert plan.plan_jobs(cluster.api, ["shot"], None, None) == 1
    assert "a template has made it, and ControllerRevision" in capsys.readouterr().err
    assert with_scripts(cluster.api, job) == job
    job["status"]["scripts"] = [{"name": "bake", "state": "Succeeded", "attempt": 1}]
    assert show_job(cluster.api, "shot", None) == 0
    assert "1  bake    Succeeded" in capsys.readouterr().out


def test_a_run_that_no_operator_has_seen_is_planned_from_its_template(
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = run(shot="010")
    job["metadata"] |= METADATA | {"generation": 1}
    cluster = Cluster(template())
    cluster.objects["ensojobs/shot"] = job
    assert plan.plan_jobs(cluster.api, ["shot"], None, None) == 0
    assert "2  simulate  runs" in capsys.readouterr().out
