"""Paths that scripts read are looked for before a session's interpreter starts."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from job_execution_framework.domain.events import ScriptFailed, ScriptStarted, ScriptSucceeded
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import Script, Session, Source
from job_execution_framework.runtime import missing_paths
from job_execution_framework.runtime.missing_paths import missing
from job_execution_framework.service_layer.read_paths import ReadPath
from job_execution_framework.service_layer.record_line import JOURNAL
from tests.support.eventually import until
from tests.support.supervised import supervised

SOURCE = """
from pathlib import Path
from typing import Annotated

def main(scene: Annotated[Path, {"access": "read"}]):
    return scene.read_text()
"""


def test_all_of_a_session_are_told_before_its_first_script(tmp_path: Path) -> None:
    there, open_, bake = tmp_path / "there", tmp_path / "a.hip", tmp_path / "b.hip"
    there.write_text("smoke")
    scripts = [
        Script(name, Source(SOURCE, f"{name}.py"), {"scene": str(scene)})
        for name, scene in (("fine", there), ("open", open_), ("bake", bake))
    ]
    session = Session(interpreter=("no-such-interpreter",))  # it is not even started
    records, _ = supervised(tmp_path, *scripts, session=session)
    started, failed, _ = records
    assert isinstance(started, ScriptStarted)
    assert isinstance(failed, ScriptFailed)
    assert (started.script, failed.cause.reason) == ("fine", "PathNotFound")
    assert failed.cause.message == (
        f"open reads {open_} (argument 'scene'): No such file or directory; "
        f"bake reads {bake} (argument 'scene'): No such file or directory"
    )


def test_a_retry_looks_again(tmp_path: Path) -> None:
    scene, journal = tmp_path / "late.hip", tmp_path / JOURNAL
    retries = Retries(limit=100, backoff_seconds=0.2)
    script = Script("open", Source(SOURCE), {"scene": str(scene)}, retries=retries)

    def save_late() -> None:
        until(lambda: journal.exists() and "ScriptFailed" in journal.read_text())
        scene.write_text("smoke")

    saving = threading.Thread(target=save_late)
    saving.start()
    records, _ = supervised(tmp_path, script)
    saving.join()
    assert [type(record).__name__ for record in records][:2] == ["ScriptStarted", "ScriptFailed"]
    assert isinstance(records[-2], ScriptSucceeded)


def test_what_may_not_be_read_and_what_is_no_path(tmp_path: Path) -> None:
    paths = [str(tmp_path), str(tmp_path / "a\0b"), str(tmp_path / ("x" * 300))]
    told = missing([ReadPath("open", "scene", path) for path in paths])
    assert [sentence.rpartition(": ")[2] for sentence in told] == [
        "embedded null byte",
        "File name too long",
    ]
    assert missing([]) == []


def test_a_file_server_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def never(path: str) -> str:
        with Path(path).open():  # nobody writes: it waits, as for a file server
            return ""

    monkeypatch.setattr(missing_paths, "_why_not", never)
    told = missing([ReadPath("open", "scene", str(fifo))], patience=0.05)
    (sentence,) = told
    assert sentence.endswith("its file system has not answered within 0.05 s")
    os.close(os.open(fifo, os.O_WRONLY))
