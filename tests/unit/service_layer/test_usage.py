"""The usage that was promised, verbatim."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_execution_framework.domain.events import Event
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork

SNIPPET = """\
from job_execution_framework.service_layer.services import add, execute
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork

instructions = [("script_1", {"arg1": "value1"}), ("script_2", {"arg2": "value2"})]
uow = InMemoryJobUnitOfWork()
job_id = add(instructions, job_uow=uow)
execute(job_id=job_id, job_uow=uow)
job = uow.jobs.get(job_id)
for event in job.events:
    print(event)
"""


def run_snippet() -> list[Event]:
    names: dict[str, object] = {}
    exec(SNIPPET, names)  # noqa: S102  # it is above
    uow, job_id = names["uow"], names["job_id"]
    assert isinstance(uow, InMemoryJobUnitOfWork)
    assert isinstance(job_id, str)
    return uow.jobs.get(job_id).events


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the printed lines without their times."""
    return [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()]


def test_two_scripts_of_the_library_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENSO_SCRIPTS_PATH", str(tmp_path))
    for number in (1, 2):
        source = f"def main(arg{number}):\n    print('said', arg{number})\n"
        (tmp_path / f"script_{number}.py").write_text(source)
    kinds = [type(event).__name__ for event in run_snippet()]
    script = ["ScriptStarted", "ScriptSucceeded"]
    assert kinds == ["JobAdded", "JobStarted", *script, *script, "JobSucceeded"]
    said = [f"said value{number}" for number in (1, 2)]
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == said
    assert len(lines) == 2 + len(kinds), "each event is one line"
    for number in (1, 2):
        started = f"{number}/2 script-{number}, attempt 1; args arg{number}=value{number}"
        assert any(line.endswith(f"ScriptStarted {started}") for line in lines)


def test_without_the_scripts_the_events_say_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ENSO_SCRIPTS_PATH", raising=False)
    kinds = [type(event).__name__ for event in run_snippet()]
    assert kinds == ["JobAdded", "JobStarted", "ScriptStarted", "ScriptFailed", "JobFailed"]
    failed = printed(capsys)[3]
    assert failed.startswith("ScriptFailed 1/2 script-1, attempt 1, ")
    assert "there is no script 'script_1' in the library" in failed
    assert "ENSO_SCRIPTS_PATH is not set" in failed
    assert failed.endswith("; args arg1=value1")
