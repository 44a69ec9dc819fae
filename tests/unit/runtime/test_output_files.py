"""What attempts write is kept in files, too; a file that cannot be written fails nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import Script, Session, Source
from job_execution_framework.runtime.output_files import OutputFile
from job_execution_framework.service_layer.records import Record
from tests.support.supervised import supervised

HEADER = re.compile(rb"--- s-1, [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z\n")
OPEN = Script("open", Source("def main(): print('opened')"), session="s")
FLAKY = """
import os
def main():
    print("trying", flush=True)
    os.system("echo from a child")
    if os.environ["ENSO_ATTEMPT"] == "1":
        raise ValueError("not yet")
"""
SAVE = Script("save", Source(FLAKY), session="s", retries=Retries(1))


def run(folder: Path, directory: Path | str, *scripts: Script) -> tuple[list[Record], bytes]:
    folder.mkdir(exist_ok=True)
    return supervised(folder, *scripts, session=Session("s", output_directory=str(directory)))


def outcomes(records: list[Record]) -> list[events.ScriptSucceeded | events.ScriptFailed]:
    ends = (events.ScriptSucceeded, events.ScriptFailed)
    return [record for record in records if isinstance(record, ends)]


def test_each_attempt_has_a_file_with_its_part_of_the_log(tmp_path: Path) -> None:
    records, log = run(tmp_path / "run", tmp_path / "kept" / "deep", OPEN, SAVE)
    folder = tmp_path / "kept" / "deep" / "job"
    names = ["01-open.1.log", "02-save.1.log", "02-save.2.log"]
    assert sorted(file.name for file in folder.iterdir()) == names
    kept = [(folder / name).read_bytes() for name in names]
    assert all(HEADER.match(text) for text in kept)
    assert b"".join(HEADER.sub(b"", text) for text in kept) == log
    assert kept[1].endswith(b"ValueError: not yet\n")
    assert kept[2].endswith(b"--- save, attempt 2\ntrying\nfrom a child\n")
    assert [outcome.output_lost for outcome in outcomes(records)] == ["", "", ""]


def test_others_may_read_them_as_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        run(tmp_path / "run", tmp_path / "kept", OPEN)
    finally:
        os.umask(before)
    folder = tmp_path / "kept" / "job"
    assert folder.stat().st_mode & 0o777 == 0o750
    assert (folder / "01-open.1.log").stat().st_mode & 0o777 == 0o640


def test_a_job_of_the_same_name_writes_behind_what_is_there(tmp_path: Path) -> None:
    for name in ("first", "second"):
        run(tmp_path / name, tmp_path, OPEN)
    kept = (tmp_path / "job" / "01-open.1.log").read_bytes()
    assert len(HEADER.findall(kept)) == 2
    assert HEADER.sub(b"", kept) == b"--- open, attempt 1\nopened\n" * 2


def test_what_cannot_be_written_fails_no_script_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    records, log = run(tmp_path / "run", tmp_path / "file", OPEN, SAVE)
    opened, failed, saved = outcomes(records)
    lost = f"{tmp_path}/file/job/01-open.1.log: File exists"
    assert opened.output_lost == lost
    assert opened.details() == f"1/2 open, attempt 1, {opened.outcome()[2:]}"
    assert opened.outcome().endswith(f"; its output was not kept: {lost}")
    assert isinstance(failed, events.ScriptFailed)
    assert isinstance(saved, events.ScriptSucceeded)
    assert b"opened\n" in log


def test_without_a_directory_nothing_is_kept(tmp_path: Path) -> None:
    records, _ = supervised(tmp_path, Script("open", OPEN.work), session=Session())
    assert not (tmp_path / "job").exists()
    assert outcomes(records)[0].output_lost == ""


def test_a_full_disk_is_told() -> None:
    file = OutputFile(Path("/dev/full"))
    file.write(b"a line\n")
    file.write(b"another\n")
    assert file.settle(20) == "/dev/full: No space left on device"
    assert file.settle(20) == "/dev/full: No space left on device"


def test_a_folder_that_may_not_be_written_to_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    is_root = os.geteuid() == 0
    try:
        if is_root:
            os.seteuid(65534)
        told = OutputFile(tmp_path / "job" / "a.log").settle(20)
    finally:
        if is_root:
            os.seteuid(0)
        tmp_path.chmod(0o700)
    assert told == f"{tmp_path}/job/a.log: Permission denied"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.log").symlink_to(tmp_path / "other")
    told = OutputFile(tmp_path / "a.log").settle(20)
    assert told == f"{tmp_path}/a.log: Too many levels of symbolic links"
    assert not (tmp_path / "other").exists()


def test_a_file_system_that_hangs_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.log")  # opening it waits for a reader
    file = OutputFile(tmp_path / "a.log")
    file.write(b"a line\n")
    told = f"{tmp_path}/a.log: its file system has not answered within 0.1 s"
    assert file.settle(0.1) == told


@pytest.mark.parametrize("size", [1, 64 * 1024, 5 * 1024 * 1024])
def test_all_is_written_in_its_order(tmp_path: Path, size: int) -> None:
    file, pieces = OutputFile(tmp_path / "a.log"), [bytes([97 + i]) * size for i in range(26)]
    for piece in pieces:
        file.write(piece)
    assert file.settle(60) == ""
    assert (tmp_path / "a.log").read_bytes() == b"".join(pieces)
    file.end()
    file.join(20)
    assert not file.is_alive()
