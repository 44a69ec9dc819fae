"""What a script that failed got by default, as far as its library still has the script that ran."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enso_operator.http_api.defaults import MOST_KEPT, FailureDefaults, UnchangedFiles
from enso_operator.kube.library import SCRIPTS, EnsoScriptLibrary
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.errors import ScriptNotFound
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Function, LibraryScript, Script, Source
from job_execution_framework.service_layer.library import ScriptLibrary
from tests.support.in_memory_objects import InMemoryCluster
from tests.support.job_story import Story
from tests.support.resources import library_script

SOURCE = "def main(frames: int, substeps: int = 1): ...\n"
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()


def _failed(name: str = "bake", **arguments: object) -> Job:
    story = Story.of(Script(name, LibraryScript("bake"), parameters=arguments))
    story.opens("main-1", name)
    story.fails(name, Cause("Exception", "too few substeps"))
    story.job_fails(name, Cause("Exception", "too few substeps"))
    return story.job


class Counting:
    """A library that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def find(self, name: str) -> Source | Function:
        self.asked += 1
        return Source(SOURCE, name)


def test_they_are_found_out_once_for_each_failure() -> None:
    library = Counting()
    defaults = FailureDefaults(lambda _since: library)
    job = _failed(frames=3)
    assert [defaults.of(job), defaults.of(job)] == [{"substeps": 1}] * 2
    assert library.asked == 1
    assert defaults.of(_failed("bake-2", frames=3, substeps=2)) == {}
    assert library.asked == 2


def test_those_that_were_looked_at_last_are_kept() -> None:
    library = Counting()
    defaults = FailureDefaults(lambda _since: library)
    jobs = [_failed(f"bake-{number}") for number in range(MOST_KEPT + 1)]
    for job in jobs:
        defaults.of(job)
    defaults.of(jobs[1])
    assert library.asked == MOST_KEPT + 1
    defaults.of(jobs[0])
    assert library.asked == MOST_KEPT + 2


def test_a_library_is_asked_as_it_was_when_the_job_began_or_was_resumed() -> None:
    asked: list[float] = []

    def library_at(since: float) -> Counting:
        asked.append(since)
        return Counting()

    job = _failed()
    FailureDefaults(library_at).of(job)
    job.resumed_at = NOON
    FailureDefaults(library_at).of(job)
    assert asked == [job.started_at, NOON]


def test_a_file_that_was_written_since_is_not_what_ran(tmp_path: Path) -> None:
    file = tmp_path / "bake.py"
    file.write_text(SOURCE)
    library = UnchangedFiles(ScriptLibrary([tmp_path]), since=NOON)
    os.utime(file, (NOON, NOON))
    assert library.find("bake") == Source(SOURCE, str(file))
    replace(library, library=Counting()).find("bake")  # no file, as in an archive
    os.utime(file, (NOON + 1, NOON + 1))
    with pytest.raises(ScriptNotFound, match="was changed"):
        library.find("bake")
    unchanged = FailureDefaults(lambda since: UnchangedFiles(ScriptLibrary([tmp_path]), since))
    assert unchanged.of(_failed()) == {}


def test_neither_is_an_ensoscript() -> None:
    cluster = InMemoryCluster()
    scripts = cluster.objects("fx").beside(SCRIPTS)
    created = scripts.create(library_script("bake", source=SOURCE))["metadata"]
    at = datetime.fromisoformat(created["creationTimestamp"]).timestamp()
    library = EnsoScriptLibrary(scripts, unchanged_since=at)
    assert library.find("bake") == Source(SOURCE, "bake.py")

    stored = scripts.cluster.stored["fx", "bake"]["metadata"]
    written = datetime.fromtimestamp(at + 1, UTC).isoformat()
    stored["managedFields"] = [{"manager": "kubectl", "time": written}, {"manager": "old"}]
    with pytest.raises(ScriptNotFound, match="was changed"):
        library.find("bake")
    replace(library, unchanged_since=at + 1).find("bake")
    replace(library, unchanged_since=None).find("bake")
