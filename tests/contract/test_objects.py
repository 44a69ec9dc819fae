"""The contract of `Objects`, run in memory; tests/cluster runs it on a real API server."""

from __future__ import annotations

import pytest

from enso_operator.kube.client import NoSuchObject, Taken
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.objects import Objects
from job_execution_framework.domain.errors import Conflict
from tests.support.in_memory_objects import InMemoryCluster
from tests.support.resources import Document, of_scripts

SHOT = of_scripts({})


@pytest.fixture(name="objects")
def _in_memory() -> Objects:
    return InMemoryCluster().objects("shows")


def create(objects: Objects, name: str = "shot", **more: object) -> EnsoJobObject:
    return EnsoJobObject(objects.create(SHOT | {"metadata": {"name": name}} | more))


def version_of(document: Document) -> str:
    return EnsoJobObject(document).version


def test_what_is_created_is_there(objects: Objects) -> None:
    created = create(objects)
    assert (created.name, created.namespace, created.generation) == ("shot", objects.namespace, 1)
    assert objects.get("shot") == created.document
    assert [*objects.each()] == [created.document]
    (metadata,) = objects.metadata()
    assert (metadata["uid"], metadata["resourceVersion"]) == (created.uid, created.version)


def test_a_name_is_taken_by_one(objects: Objects) -> None:
    created = create(objects)
    with pytest.raises(Taken):
        create(objects)
    assert objects.get("shot") == created.document


def test_a_status_is_written_by_itself(objects: Objects) -> None:
    created = create(objects, status={"done": "1/1"})
    assert not created.raw_status.get("done")

    written = EnsoJobObject(objects.patch_status("shot", created.version, {"done": "0/1"}))
    assert written.raw_status["done"] == "0/1"
    assert written.document["spec"] == created.document["spec"]
    assert written.generation == 1
    assert int(written.version) > int(created.version)
    assert objects.get("shot") == written.document


def test_a_null_within_a_list_is_kept(objects: Objects) -> None:
    created = create(objects)
    ledger = {"runEndTime": "2026-11-24T02:00:00Z", "resumes": 1}
    first = objects.patch_status("shot", created.version, {"ledger": ledger})
    row = {"name": "do", "state": "Succeeded", "output": {"a": None, "b": [None, {"c": None}]}}
    patch = {"ledger": {"runEndTime": None}, "scripts": [row]}
    status = objects.patch_status("shot", version_of(first), patch)["status"]
    assert status["scripts"][0]["output"] == row["output"]
    assert "runEndTime" not in status["ledger"]
    assert status["ledger"]["resumes"] == 1
    with pytest.raises(Conflict):
        objects.patch_status("shot", version_of(first), patch)


def test_a_patch_adds_changes_and_removes(objects: Objects) -> None:
    created = create(objects)
    ledger = {"runEndTime": None, "resumes": 1, "specDigest": "a"}
    first = objects.patch_status("shot", created.version, {"done": "0/1", "ledger": ledger})
    assert "runEndTime" not in first["status"]["ledger"]

    patch = {"done": None, "ledger": {"resumes": 2}}
    second = EnsoJobObject(objects.patch_status("shot", version_of(first), patch))
    assert "done" not in second.raw_status
    assert (second.raw_ledger["resumes"], second.raw_ledger["specDigest"]) == (2, "a")


def test_a_change_of_the_spec_is_another_generation(objects: Objects) -> None:
    created = create(objects)
    changed = EnsoJobObject(objects.patch("shot", created.version, {"suspend": True}))
    assert (changed.is_suspended, changed.generation) == (True, 2)
    assert changed.document["spec"]["scripts"] == created.document["spec"]["scripts"]


def test_a_patch_without_news_writes_nothing(objects: Objects) -> None:
    created = create(objects)
    status = objects.patch_status("shot", created.version, {"done": "0/1"})
    again = objects.patch_status("shot", version_of(status), {"done": "0/1", "script": None})
    assert again == status


def test_whoever_knows_an_older_version_changes_nothing(objects: Objects) -> None:
    created = create(objects)
    newest = objects.patch_status("shot", created.version, {"done": "0/1"})
    with pytest.raises(Conflict):
        objects.patch_status("shot", created.version, {"done": "1/1"})
    with pytest.raises(Conflict):
        objects.patch("shot", created.version, {"suspend": True})
    with pytest.raises(Conflict):
        objects.delete("shot", created.uid, created.version)
    assert objects.get("shot") == newest


def test_only_the_object_that_is_meant_is_deleted(objects: Objects) -> None:
    created = create(objects)
    create(objects, "other")
    with pytest.raises(Conflict):
        objects.delete("shot", "00000000-0000-0000-0000-000000000000", created.version)
    objects.delete("shot", created.uid, created.version)
    assert [EnsoJobObject(document).name for document in objects.each()] == ["other"]

    assert create(objects).uid != created.uid


def test_what_is_not_there_is_said(objects: Objects) -> None:
    deleted = create(objects)
    objects.delete("shot", deleted.uid, deleted.version)
    for call in (
        lambda: objects.get("shot"),
        lambda: objects.get("../shot"),
        lambda: objects.patch("shot", deleted.version, {"suspend": True}),
        lambda: objects.patch_status("shot", deleted.version, {"done": "0/1"}),
        lambda: objects.delete("shot", deleted.uid, deleted.version),
    ):
        with pytest.raises(NoSuchObject):
            call()
    assert [*objects.each()] == [*objects.metadata()] == []


def test_what_a_caller_does_with_its_copy_changes_nothing(objects: Objects) -> None:
    created = create(objects)
    objects.get("shot")["spec"].clear()
    objects.patch_status("shot", created.version, {"done": "0/1"})["status"].clear()
    assert objects.get("shot")["spec"] == created.document["spec"]
    assert objects.get("shot")["status"]["done"] == "0/1"


def test_a_table_has_the_columns_of_all(objects: Objects) -> None:
    created = create(objects)
    objects.patch_status("shot", created.version, {"done": "0/1", "script": "open"})
    create(objects, "other")
    seen = dict[str, Document]()
    for page in objects.table():
        headers = [column["name"] for column in page["columnDefinitions"]]
        for row in page["rows"]:
            cells = dict(zip(headers, row["cells"], strict=True))
            assert row["object"]["metadata"]["name"] == cells["Name"]
            seen[cells["Name"]] = cells
    assert {*seen} == {"shot", "other"}
    assert (seen["shot"]["Done"], seen["shot"]["Script"]) == ("0/1", "open")
    assert not seen["other"]["Done"]
