"""What `enso plan` and `enso resume --dry-run` show of a job, and of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from enso_operator.cli.jobs.plan import plan_files, plan_jobs, plan_of
from enso_operator.cli.jobs.table import Screen
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.workstation.errors import NoCluster
from job_execution_framework.domain.errors import InvalidAction, InvalidJob
from tests.support.resources import Document, of_scripts
from tests.support.statuses import EARLY, FAILED_JOB, condition

NAMES = ("open", "simulate", "publish", "notify")


def job(status: Document | None = None, *scripts: Document, **spec: object) -> dict[str, Any]:
    document = of_scripts(*(scripts or ({"name": name} for name in NAMES)), **spec)
    document["metadata"] |= {
        "namespace": "shows",
        "uid": "0c9f",
        "creationTimestamp": EARLY,
        "generation": 1,
    }
    return document | ({"status": status} if status else {})


def lines(document: Document, block: Document | None = None, width: int = 80) -> list[str]:
    return plan_of(EnsoJobObject.of(document), block).lines(Screen(width))


def test_a_resume_says_what_runs_what_is_kept_and_what_is_changed() -> None:
    described: list[Document] = [{"name": name} for name in NAMES]
    described[0] |= {"checkpoint": True}
    described[1] |= {"args": {"frames": 240}}
    block: Document = {
        "scripts": [{"name": "simulate", "args": {"frames": 12}}],
        "skip": ["notify"],
    }
    assert lines(job(FAILED_JOB, *described), block) == [
        "shot: Failed, 1 of 4 scripts done",
        "When it is resumed, 2 of 4 scripts will be started:",
        "",
        "Changes: simulate.args.frames: 240 → 12",
        "",
        "#  SCRIPT    PLAN     WHY",
        "1  open      kept     checkpoint: its effect is on disk",
        "2  simulate  runs     attempt 3 failed: OutOfMemory",
        "3  publish   runs",
        "4  notify    skipped  as you ask",
    ]


def test_changes_are_told_with_their_values_and_programs_get_their_names() -> None:
    scripts: list[Document] = [{"name": name} for name in NAMES]
    scripts[1] |= {"args": {"frames": 240, "note": "first"}, "timeoutSeconds": 60}
    sessions = [{"name": "houdini", "image": "studio/houdini:20"}]
    change: Document = {"name": "simulate", "args": {"substeps": 4}, "unsetArgs": ["note"]}
    block: Document = {
        "scripts": [
            change
            | {"timeoutSeconds": 90, "retries": {"limit": 2}, "source": "def main(**_): ..."},
            {"name": "publish", "timeoutSeconds": 5},
        ],
        "sessions": [{"name": "houdini", "image": "studio/houdini:21"}],
    }
    plan = plan_of(EnsoJobObject.of(job(FAILED_JOB, *scripts, sessions=sessions)), block)
    assert set(plan.told) == {
        "simulate.source",
        'simulate.args.note: "first" → not given',
        "simulate.args.substeps: not given → 4",
        "simulate.timeoutSeconds: 60 → 90",
        'simulate.retries: {"limit": 0, "backoffSeconds": 0} → {"limit": 2, "backoffSeconds": 0}',
        "publish.timeoutSeconds: not given → 5",
        'houdini.image: "studio/houdini:20" → "studio/houdini:21"',
    }
    assert plan.lines(Screen(80))[3] == f"Changes: {'; '.join(plan.told)}"
    assert plan.document("shot")["changes"] == [told.partition(":")[0] for told in plan.told]


def test_what_is_to_come_of_a_job_that_nobody_resumes() -> None:
    assert lines(job())[1] == "From now on, 4 of 4 scripts will be started:"
    assert lines(job(suspend=True))[1] == (
        "Once spec.suspend is false, 4 of 4 scripts will be started:"
    )
    paused: Document = {
        "observedGeneration": 1,
        "conditions": [condition("Succeeded", "Unknown", "Suspended", "paused")],
        "scripts": [{"name": name, "state": "NotStarted"} for name in NAMES],
        "ledger": {"pause": {}},
    }
    assert lines(job(paused))[1] == "When it is resumed, 4 of 4 scripts will be started:"


def test_sessions_are_shown_where_there_are_several() -> None:
    scripts: list[Document] = [{"name": "open"}, {"name": "save", "session": "maya"}]
    sessions = [{"name": "houdini"}, {"name": "maya"}]
    header, first, _ = lines(job(None, *scripts, sessions=sessions))[-3:]
    assert header.split() == ["#", "SCRIPT", "SESSION", "PLAN", "WHY"]
    assert first.split() == ["1", "open", "houdini", "runs"]


def test_a_hundred_scripts_with_long_names_fit_into_a_terminal() -> None:
    scripts: list[Document] = [
        {"name": f"script-{number:03}-{'x' * 50}", "session": f"s{number // 50}-{'y' * 58}"}
        for number in range(100)
    ]
    sessions = [{"name": f"s{number}-{'y' * 58}"} for number in range(2)]
    shown = lines(job(None, *scripts, sessions=sessions))
    table = [line for line in shown if " runs" in line]
    assert len(table) == 100
    assert max(map(len, table)) <= 80
    wide = lines(job(None, *scripts, sessions=sessions), width=200)
    assert f"script-041-{'x' * 50}" in wide[45]


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"from": "save"}, "has no script 'save'; it has open, simulate, publish, notify"),
        ({"skip": ["open"]}, "cannot skip 'open', which is done already"),
        ({"scripts": [{"name": "open", "args": {"a": 1}}]}, "is done and does not run again"),
        ({"scripts": [{"name": "open", "arg": 1}]}, "job shot cannot be resumed so: scripts"),
        ({"colour": "red"}, "job shot cannot be resumed so: colour"),
        (
            {"scripts": [{"name": "simulate", "args": {"a": 1}, "unsetArgs": ["a"]}]},
            "job shot cannot be resumed so: scripts[simulate].unsetArgs has a, which is in args",
        ),
    ],
)
def test_a_resume_that_is_not_possible_is_refused_beforehand(
    block: Document, sentence: str
) -> None:
    described: list[Document] = [{"name": name} for name in NAMES]
    described[0] |= {"checkpoint": True}
    with pytest.raises(InvalidAction) as refused:
        lines(job(FAILED_JOB, *described), block)
    assert sentence in str(refused.value)


def test_a_resume_of_a_job_that_its_spec_suspends_is_refused_with_what_helps() -> None:
    suspended: Document = {
        "observedGeneration": 1,
        "conditions": [condition("Succeeded", "Unknown", "Suspended", "suspended")],
        "scripts": [{"name": name, "state": "NotStarted"} for name in NAMES],
    }
    with pytest.raises(InvalidAction) as refused:
        lines(job(suspended, suspend=True), {})
    assert str(refused.value) == (
        "job shot is suspended by its spec: set spec.suspend to false with kubectl -n shows patch "
        """ensojob shot --type=merge -p '{"spec": {"suspend": false}}'"""
    )


def test_a_job_whose_spec_was_changed_has_no_plan() -> None:
    changed = job(FAILED_JOB) | {"spec": {"scripts": [{"name": "open"}]}}
    with pytest.raises(InvalidJob, match="job shot cannot go on: "):
        lines(changed)


class ApiServerOfTwo:
    """Has the job `shot`; of `new` it has a status that nobody can read, of others it is silent."""

    def path(self, _plural: str, name: str) -> str:
        return name

    def get(self, name: str) -> Document:
        if name == "shot":
            return job(FAILED_JOB)
        if name == "new":
            return job({"scripts": 5}) | {"metadata": job()["metadata"] | {"name": "new"}}
        raise NoCluster("nobody answers")


def test_jobs_that_have_a_plan_are_shown_beside_those_that_have_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    api: Any = ApiServerOfTwo()
    assert plan_jobs(api, ["new", "shot", "away", "late"], None, "json") == 2
    said = capsys.readouterr()
    assert json.loads(said.out)["job"] == "shot"
    assert "the status of job new is none" in said.err
    assert "enso: away: nobody answers; not asked: late\n" in said.err


def test_programs_get_a_plan() -> None:
    plan = plan_of(EnsoJobObject.of(job(FAILED_JOB)), None)
    assert plan.document("shot")["scripts"][:2] == [
        {
            "name": "open",
            "session": "main",
            "plan": "runs again",
            "why": "its work was in memory, which is lost",
        },
        {
            "name": "simulate",
            "session": "main",
            "plan": "runs",
            "why": "attempt 3 failed: OutOfMemory",
        },
    ]


def test_a_file_that_was_not_created_is_planned_or_its_mistakes_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    container: Document = {"name": "notify", "container": {"image": "curl"}}
    works = {"name": "open", "source": "def main(path): pass", "args": {"path": "a"}}
    good.write_text(json.dumps(of_scripts(works, container)))
    bad.write_text(json.dumps(of_scripts(works | {"args": {}}, {"name": "b", "source": "x = ("})))
    assert plan_files([good], None) == 0
    assert "Once it is, 2 of 2 scripts will be started:" in capsys.readouterr().out
    assert plan_files([good, bad], "json") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["job"] == "shot"
    assert "bad.json: spec.scripts[open].args" in said.err
    assert "bad.json: spec.scripts[b].source" in said.err
