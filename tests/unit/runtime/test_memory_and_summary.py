"""What a session reads of its memory, and the few bytes that it leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Budget, Retries, Spent
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.runtime import memory, summary
from job_execution_framework.service_layer.observations import (
    LONGEST_REASON,
    Ended,
    Observations,
    Outcome,
)
from job_execution_framework.service_layer.services import reconcile
from tests.support.job_history import JobHistory
from tests.support.scripts import Scripts


def cgroup(root: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(memory, "CGROUP", root)


V1 = {
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    "memory/memory.limit_in_bytes": "67108864\n",
}
V2 = {"memory.events": "low 0\noom 4\noom_kill 3\n", "memory.max": "67108864\n"}


@pytest.mark.parametrize("files", [V1, V2], ids=["v1", "v2"])
def test_both_versions_of_cgroups_are_read(
    tmp_path: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cgroup(tmp_path, files, monkeypatch)
    assert (memory.kills(), memory.limit()) == (3, "64 MiB")


@pytest.mark.parametrize("limit", ["max\n", "9223372036854771712\n"])
def test_no_limit_is_none(tmp_path: Path, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cgroup(tmp_path, {"memory.max": limit}, monkeypatch)
    assert memory.limit() == ""


def test_a_machine_without_cgroups_has_killed_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CGROUP", tmp_path / "none")
    assert (memory.kills(), memory.limit()) == (0, "")


KILLS_A_CHILD = """
import pathlib
def main(then):
    file = pathlib.Path({file!r})
    count = int(file.read_text().split()[-1])
    file.write_text(f"oom_kill {{count + 1}}\\n")
    exec(then)
"""


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("raise OSError('Command x died')", "OSError: {killed}; Command x died"),
        ("raise SystemExit(1)", "ExitCode: 1: {killed}"),
        ("raise OSError('x' * 2000)", "OSError: {killed}; xxx"),
        ("import os; os._exit(3)", "ExitedEarly: {killed}; the interpreter exited with code 3"),
    ],
)
def test_a_failure_says_beside_its_own_words_that_the_kernel_killed_a_child_for_memory(
    tmp_path: Path, scripts: Scripts, monkeypatch: pytest.MonkeyPatch, then: str, said: str
) -> None:
    cgroup(tmp_path, {"memory.events": "oom_kill 3\n", "memory.max": "67108864\n"}, monkeypatch)
    file = str(tmp_path / "memory.events")
    cause = scripts.fails(KILLS_A_CHILD.format(file=file), then=then)
    killed = "the kernel killed a process of it, beyond its memory limit of 64 MiB"
    assert str(cause).startswith(said.format(killed=killed))


def test_a_child_that_was_killed_for_memory_is_no_blame_for_what_comes_after_it(
    tmp_path: Path, scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    cgroup(tmp_path, {"memory.events": "oom_kill 3\n"}, monkeypatch)
    file = str(tmp_path / "memory.events")
    assert scripts.run(KILLS_A_CHILD.format(file=file), then="pass").cause is None
    assert str(scripts.fails("def main(): raise OSError('no file')")) == "OSError: no file"
    cause = scripts.fails("import os\ndef main(): os.kill(os.getpid(), 9)")
    assert (cause.reason, cause.signal) == (Reason.SIGNAL, "SIGKILL")


def job_of(count: int) -> Job:
    scripts = tuple(Script(f"{'s' * 55}-{i:03}", Source("x")) for i in range(count))
    job = Job("job", scripts)
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    return job


def test_the_largest_job_fits_with_its_causes_and_nothing_is_cut_in_the_file(
    tmp_path: Path,
) -> None:
    job, file = job_of(100), tmp_path / "log"
    file.write_bytes(b"x" * 10)
    for name in job.rows:
        job.record(job.script_event(events.ScriptStarted, name, 1, 0))
        cause = Cause(Reason.INTERPRETER_DID_NOT_START, "no licence")
        job.record(job.script_event(events.ScriptFailed, name, 1, 0, cause=cause))
    inode = file.stat().st_ino
    summary.write(file, job, job.rows, ended=True)
    assert file.stat().st_ino == inode
    assert file.stat().st_size <= summary.SIZE
    found = summary.read(file.read_text(), list(job.rows))
    assert found
    outcomes, is_all = found
    assert is_all
    reason = Reason.INTERPRETER_DID_NOT_START[:LONGEST_REASON]
    assert outcomes == tuple(Outcome(n, 1, ScriptState.FAILED, reason) for n in job.rows)


def test_a_summary_that_becomes_shorter_leaves_nothing_of_the_longer_one(tmp_path: Path) -> None:
    job, file = job_of(1), tmp_path / "log"
    (name,) = job.rows
    job.record(job.script_event(events.ScriptStarted, name, 1, 0))
    cause = Cause(Reason.INTERPRETER_DID_NOT_START, "no licence")
    job.record(job.script_event(events.ScriptFailed, name, 1, 0, cause=cause))
    summary.write(file, job, job.rows)
    longest = file.stat().st_size
    job.record(job.script_event(events.ScriptStarted, name, 2, 0))
    job.record(job.script_event(events.ScriptSucceeded, name, 2, 0))
    summary.write(file, job, job.rows, ended=True)
    assert file.stat().st_size == longest < 64
    assert file.read_text().split() == ["enso/1", "ended", "1S2"]


def test_only_the_sessions_own_scripts_are_in_it(tmp_path: Path) -> None:
    job, file = job_of(3), tmp_path / "log"
    first, second, _ = job.rows
    for name in (first, second):
        job.record(job.script_event(events.ScriptStarted, name, 1, 0))
    summary.write(file, job, [second])
    assert summary.read(file.read_text(), list(job.rows)) == (
        (Outcome(second, 1, ScriptState.RUNNING),),
        False,
    )


@pytest.mark.parametrize(
    "text", ["", "Killed", "enso/1", "enso/1 ended 9S1", "enso/1 ended 1X1", "enso/1 ended 1S"]
)
def test_what_is_no_summary_is_not_read_as_one(text: str) -> None:
    assert summary.read(text, ["open", "save"]) is None


def test_a_long_reason_that_has_retries_of_its_own_is_still_known_when_the_log_is_lost(
    tmp_path: Path,
) -> None:
    reason = "LicenseServerUnreachable"
    retries = Retries(on_reasons=(Budget(reason, 1),))
    job = Job("job", (Script("open", Source("x"), retries=retries),))
    history = JobHistory(job)
    history.opens("main")
    history.runs("open", Cause(reason, "nobody answers"))
    summary.write(tmp_path / "summary", job, ("open",))
    told = summary.read((tmp_path / "summary").read_text(), ["open"])
    assert told
    (outcome,), _ = told
    assert len(outcome.reason) == LONGEST_REASON
    again = JobHistory(Job("job", job.scripts))
    again.opens("main")
    lost = Observations(ended=Ended(log_is_complete=False, outcomes=(outcome,)), run="main-1")
    reconcile(again.job, lost, now=9)
    assert again.job.rows["open"].spent == (Spent(reason, 1),)
