"""What `enso show` and `enso why` say of a job."""

from __future__ import annotations

import time
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from enso_operator.cli.jobs.show import rendered
from enso_operator.cli.jobs.started_with import started_with
from enso_operator.cli.jobs.table import Screen
from enso_operator.cli.jobs.why import card_of, why_not
from enso_operator.kube.workstation.api_server import ApiServer
from tests.support.resources import Document, of_scripts
from tests.support.statuses import EARLY, FAILED_JOB, condition

NOW = datetime(2026, 11, 24, 2, 1, 40, tzinfo=UTC)
SCRIPTS = (
    {"name": "open", "args": {"path": "/shots/010/a.hip"}},
    {"name": "simulate", "args": {"frames": 240}},
    {
        "name": "publish",
        "argsFrom": [{"name": "token", "secretKeyRef": {"name": "tracker", "key": "t"}}],
    },
    {"name": "notify", "container": {"image": "curl", "command": ["curl", "-fsS"]}},
)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Show times of day as they are in UTC, wherever this runs."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def job(status: Document | None, *scripts: Document, **spec: object) -> dict[str, Any]:
    document = of_scripts(*(scripts or SCRIPTS), **spec)
    document["metadata"] |= {"namespace": "shows", "creationTimestamp": EARLY}
    return document | ({"status": status} if status else {})


def shown(document: Document, screen: Screen | None = None) -> list[str]:
    args = started_with(cast("ApiServer", None), document)  # which asks nobody: nothing was changed
    return rendered(document, args, NOW, screen or Screen())


def test_why_it_failed_stands_before_everything_else() -> None:
    lines = shown(job(FAILED_JOB))
    assert lines[0] == "shot: Failed, 1 of 4 scripts done"
    assert lines[2:7] == ["Why:", *(f"  {line}" for line in FAILED_JOB["why"])]
    assert lines.index("Why:") < next(n for n, line in enumerate(lines) if "SCRIPT" in line)


def test_the_folder_with_the_output_of_its_attempts_is_named() -> None:
    sessions = [{"name": "a", "outputDirectory": "/logs/"}, {"name": "b"}]
    lines = shown(job(FAILED_JOB, *SCRIPTS, sessions=sessions))
    assert [line for line in lines if "utput" in line] == ["Output:    /logs/shot"]


def test_each_script_has_a_line_and_each_earlier_attempt() -> None:
    lines = shown(job(FAILED_JOB))
    (start,) = (number for number, line in enumerate(lines) if line.startswith("#"))
    said = [line.split() for line in lines[start + 1 : start + 7]]
    assert [row[:3] for row in said if row[0].isdecimal()] == [
        ["1", "open", "Succeeded"],
        ["2", "simulate", "Failed"],
        ["3", "publish", "NotStarted"],
        ["4", "notify", "NotStarted"],
    ]
    latest, second, first = said[1:4]
    assert latest[3:7] == ["3", "02:00:00", "41s", "OutOfMemory"]
    assert "MemoryError: cache exceeded 2 GiB" in " ".join(latest)
    assert second[:2] == ["Failed", "2"]
    assert first == ["Interrupted", "1", "SessionLost"]


def test_arguments_are_shown_and_secrets_by_name() -> None:
    text = "\n".join(shown(job(FAILED_JOB)))
    assert "simulate  frames=240" in text
    assert "publish   token=(secret tracker, key t)" in text
    assert "notify    curl -fsS" in text


def test_what_runs_has_taken_some_time() -> None:
    status = {
        "conditions": [condition("Succeeded", "Unknown", "Running", "simulate (2 of 4) runs")],
        "done": "1/4",
        "scripts": [{"name": "open", "state": "Running", "attempt": 1, "startTime": EARLY}],
    }
    lines = shown(job(status))
    assert lines[0] == "shot: Running, 1 of 4 scripts done; simulate (2 of 4) runs"
    assert "100s" in next(line for line in lines if " open " in line)
    assert "Why:" not in lines


def test_a_job_that_no_operator_has_seen() -> None:
    fresh = job(None, suspend=True)
    lines = shown(fresh)
    assert lines[0] == "shot: Suspended, 0 of 4 scripts done; no operator has looked at it yet"
    assert sum("NotStarted" in line for line in lines) == 4
    assert why_not(fresh) == (
        "shot has not failed, it is Suspended: no operator has looked at it yet"
    )


def test_a_hundred_scripts_are_a_hundred_lines_of_the_screens_width() -> None:
    scripts = [{"name": f"script-{number:03}-{'x' * 50}"} for number in range(100)]
    lines = shown(job(None, *scripts), Screen(80))
    table = [line for line in lines if "NotStarted" in line]
    assert len(table) == 100
    assert max(map(len, table)) <= 80
    assert table[41].split()[0] == "42"


def test_why_is_the_card_and_only_of_what_failed() -> None:
    assert card_of(job(FAILED_JOB)) == FAILED_JOB["why"]
    done = {"conditions": [condition("Succeeded", "True", "Succeeded", "4 of 4 scripts are done")]}
    assert card_of(job(done)) == []
    assert why_not(job(done)) == "shot has not failed, it is Succeeded: 4 of 4 scripts are done"


def test_a_failure_without_a_card_is_told_by_its_condition() -> None:
    status = {"conditions": [condition("Succeeded", "False", "Failed", "an older release's words")]}
    assert card_of(job(status)) == ["an older release's words"]


def test_no_argument_breaks_the_lines_or_the_terminal() -> None:
    lines = shown(job(None, {"name": "open", "args": {"text": "a\nb\x1b[2J"}}))
    assert not any("\x1b" in line or "\n" in line for line in lines)
