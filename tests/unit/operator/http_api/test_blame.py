"""Where a resume is not possible, the parts of it that are to blame are found, and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.http_api.outlook import Outlook, outlook_of
from enso_operator.manifests.render import suspended_manifest
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.parameters import Parameter, Parameters, Type
from job_execution_framework.domain.script import LibraryScript
from tests.support.coordinator import Coordinator
from tests.support.jobs import job_of
from tests.support.sessions import FAILS

TEXT = "load ; sim.checkpoint render publish"
TAKES = Parameters((Parameter("frames", Type.INTEGER), Parameter("shot", Type.STRING)))


def ended(failing: str = "render:1") -> Job:
    job = job_of(TEXT)
    scripts = tuple(replace(script, work=LibraryScript("take")) for script in job.scripts)
    coordinator = Coordinator(Job(job.id, scripts, job.sessions), {failing: FAILS})
    coordinator.drive()
    return coordinator.job


def outlook(job: Job, resume: dict[str, Any]) -> Outlook:
    document = {"job": job.id, "verb": "resume", **({"resume": resume} if resume else {})}
    spec = EnsoActionSpec.model_validate(document)
    return outlook_of(job, spec, lambda: suspended_manifest(job), lambda _: TAKES)


def change(script: str, **args: object) -> dict[str, Any]:
    return {"name": script, "args": args}


@pytest.mark.parametrize(
    ("resume", "blamed"),
    [
        ({}, []),
        ({"from": "nope"}, [("from_script", "", "")]),
        ({"from": "publish"}, [("from_script", "", "")]),
        ({"skip": ["load"]}, [("skip", "", "")]),
        ({"skip": ["load"], "from": "nope"}, [("from_script", "", ""), ("skip", "", "")]),
        (
            {"scripts": [change("load", shot="b", frames=1), change("render", shot="b")]},
            [("scripts", "load", "shot"), ("scripts", "load", "frames")],
        ),
        (
            {"scripts": [change("load", shot="b"), change("render", frames="x")], "skip": ["sim"]},
            [("scripts", "load", "shot"), ("skip", "", ""), ("scripts", "render", "frames")],
        ),
        ({"scripts": [change("render", steps=1)]}, [("scripts", "render", "steps")]),
    ],
)
def test_what_is_to_blame_is_found_and_the_plan_is_that_without_it(
    resume: dict[str, Any], blamed: list[tuple[str, str, str]]
) -> None:
    job = ended()
    found = outlook(job, resume)
    assert [(one.part, one.script, one.argument) for one in found.refusals] == blamed
    assert all(one.why for one in found.refusals)
    plan = {told.script.name: told.fate.value for told in found.scripts}
    assert plan == {"load": "kept", "sim": "kept", "render": "runs", "publish": "runs"}


def test_of_two_parts_that_contradict_each_other_one_is_to_blame() -> None:
    found = outlook(ended(), {"skip": ["render"], "from": "render"})
    assert [one.part for one in found.refusals] == ["from_script"]
    assert [told.fate.value for told in found.scripts] == ["kept", "kept", "skipped", "runs"]


def test_of_a_job_with_nothing_left_to_do_it_is_the_script_to_run_again_from() -> None:
    job = ended("nope:1")
    found = outlook(job, {"scripts": [change("load", shot="b")]})
    assert [one.part for one in found.refusals] == ["from_script"]
    assert {told.fate.value for told in found.scripts} == {"runs again"}
    assert found.changes == ("load.args.shot",)


def test_of_a_job_that_runs_no_part_is_to_blame() -> None:
    found = outlook(job_of(TEXT), {"skip": ["sim"]})
    assert [(one.part, "can be resumed" in one.why) for one in found.refusals] == [(None, True)]
    assert found.scripts == ()
