"""The archive with the runtime that the records container brings into a session's Pod."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

import job_execution_framework
from enso_operator.sessions.pods import runtime_archive, sidecar
from enso_operator.sessions.pods.boot import ARCHIVE

SOURCES = Path(*job_execution_framework.__path__)
IMPORT = """
import sys
sys.path.append(sys.argv[1])
from job_execution_framework.runtime import launcher, session
assert launcher.__loader__.get_data(str(launcher._OURS[0]))
print(session.__file__)
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    made = tmp_path / ARCHIVE.name
    runtime_archive.make(made)
    return made


def changed(archive: Path, suffix: str, change: Callable[[bytes], bytes]) -> Path:
    """Return a copy of the archive in which all files of one kind are others."""
    copy = archive.with_name("changed.zip")
    with ZipFile(archive) as made, ZipFile(copy, "w") as other:
        for info in made.infolist():
            data = made.read(info)
            other.writestr(info, change(data) if info.filename.endswith(suffix) else data)
    return copy


def imported(archive: Path) -> str:
    """Return the file of a module that Python imports from the archive as a session does."""
    command = [sys.executable, "-I", "-S", "-c", IMPORT, str(archive)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_it_has_every_source_and_its_bytecode_uncompressed(archive: Path) -> None:
    with ZipFile(archive) as made:
        infos = made.infolist()
    sources = {str(file.relative_to(SOURCES.parent)) for file in SOURCES.rglob("*.py")}
    assert {info.filename for info in infos} == sources | {f"{name}c" for name in sources}
    assert {info.compress_type for info in infos} == {ZIP_STORED}


def test_a_session_compiles_nothing(archive: Path) -> None:
    broken = changed(archive, ".py", lambda _: b"this is no Python\n")
    assert imported(broken) == f"{broken}/job_execution_framework/runtime/session.pyc"


def test_another_python_compiles_the_sources(archive: Path) -> None:
    foreign = changed(archive, ".pyc", lambda data: b"\0\0\r\n" + data[4:])
    assert imported(foreign) == f"{foreign}/job_execution_framework/runtime/session.py"


def test_the_sidecar_brings_it_once(tmp_path: Path) -> None:
    sidecar.bring(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [ARCHIVE.name]
    (tmp_path / ARCHIVE.name).write_bytes(b"in use")
    sidecar.bring(tmp_path)
    assert (tmp_path / ARCHIVE.name).read_bytes() == b"in use"
