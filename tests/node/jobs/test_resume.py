"""A job in a Pod that fails for a wrong argument: understood, resumed with another one, and done.

What is done stays done, and whoever looks later finds the whole story.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.enso_program import Enso
from tests.node.jobs.one_job import Document, OneJob
from tests.support.curl import RESUME_WITH_SUBSTEPS, shell
from tests.support.resources import action
from tests.support.serve_program import serving

WHY = "one substep is too few"
OPEN = """
from enso import shared
def main(scene):
    print("start open", flush=True)
    shared["scene"] = [scene]
"""
BAKE = """
def main(frames):
    print("start bake", flush=True)
"""
SIMULATE = """
from enso import shared
def main(frames, substeps):
    print("start simulate", flush=True)
    if substeps < 2:
        raise ValueError(f"stiffness 5000 needs at least 2 substeps, not {substeps}")
    shared["scene"].append(f"{frames} frames")
"""
SAVE = """
from enso import shared
def main(release):
    print("start save", flush=True)
    print("saved", *shared["scene"], "as", release, flush=True)
"""
PUBLISH = """
def main():
    print("start publish", flush=True)
"""
SCRIPTS: list[Document] = [
    {"name": "open", "setup": True, "source": OPEN, "args": {"scene": "a.hip"}},
    {"name": "bake", "checkpoint": True, "source": BAKE, "args": {"frames": 48}},
    {"name": "simulate", "source": SIMULATE, "args": {"frames": 48, "substeps": 1}},
    {"name": "save", "source": SAVE, "args": {"release": "b.hip"}},
    {"name": "publish", "source": PUBLISH},
]


STARTED_FIRST = ["open", "bake", "simulate"]
STARTED_AGAIN = ["open", "simulate", "save", "publish"]


@pytest.fixture
def enso(job: OneJob, tmp_path: Path) -> Enso:
    return Enso(job, tmp_path)


def by_enso(job: OneJob, enso: Enso) -> str:
    """Resume from a terminal; return why, and who did."""
    typed = ("resume", job.name, "--set", "simulate.substeps=4", "--why", WHY)
    assert enso(*typed) == (
        0,
        f"{job.name}: resumed; it goes on at 'simulate' after open has run again\n",
        "",
    )
    who = json.loads(job.kubectl("auth", "whoami", "-o", "json"))
    return f"{WHY}; by {who['status']['userInfo']['username']}"


def by_kubectl(job: OneJob, _: Enso) -> str:
    """Resume by an EnsoAction, as a manifest; return why, and who did."""
    changed = {"scripts": [{"name": "simulate", "args": {"substeps": 4}}]}
    document = action("resume", job=job.name, why=WHY, by="ann", resume=changed)
    document["metadata"] = {"generateName": f"{job.name}-"}
    name = job.kubectl("create", "-f", "-", "-o", "name", stdin=json.dumps(document)).strip()
    job.kubectl("wait", "--for=condition=Finished", name, "--timeout=150s")
    (succeeded,) = [
        condition
        for condition in json.loads(job.kubectl("get", name, "-o", "json"))["status"]["conditions"]
        if condition["type"] == "Succeeded"
    ]
    assert succeeded["status"] == "True"
    assert succeeded["message"] == "resumed; it goes on at 'simulate' after open has run again"
    return f"{WHY}; by ann"


def by_curl(job: OneJob, _: Enso) -> str:
    """Resume over HTTP, as docs/http.md has it; return why, and who did."""
    with serving(job.cluster.kubeconfig, "--namespace", job.namespace) as server:
        answer = shell(RESUME_WITH_SUBSTEPS, server.port, job.name)
    assert answer["outcome"] == "resumed; it goes on at 'simulate' after open has run again"
    return "two were too few; by unknown"


@pytest.mark.parametrize("resume", [by_enso, by_kubectl, by_curl])
def test_a_job_of_five_goes_on_at_the_third_with_another_argument(
    job: OneJob, enso: Enso, resume: Callable[[OneJob, Enso], str]
) -> None:
    job.run(*SCRIPTS)
    job.fails()
    is_understood(*enso("why", job.name)[:2], job.name)

    why_and_who = resume(job, enso)

    assert job.ends()["done"] == "5/5"
    assert job.columns() == [job.name, "Succeeded", "5/5"]
    first, second = job.pods()
    assert starts_in(job, first) == STARTED_FIRST
    assert starts_in(job, second) == STARTED_AGAIN
    assert "saved a.hip 48 frames as b.hip" in job.output(second["metadata"]["name"])
    ledger_has_both_definitions(job)
    attempts_have_their_own_arguments(job)
    events_tell_the_story(job, why_and_who)


def is_understood(code: int, card: str, name: str) -> None:
    """Assert that the card says which script failed, why, with which arguments, how to go on."""
    assert code == 0
    lines = card.splitlines()
    assert lines[0].startswith("simulate (3 of 5), attempt 1, failed after ")
    assert lines[1] == "  ValueError: stiffness 5000 needs at least 2 substeps, not 1"
    assert lines[2].startswith("at      simulate, line 6 in main: raise ValueError(")
    assert lines[3] == "args    frames=48 substeps=1"
    assert lines[-2:] == [
        f"resume  kubectl enso resume {name}",
        "        runs open (setup), simulate, save, publish",
    ]


def starts_in(job: OneJob, pod: Document) -> list[str]:
    """Return the scripts that were started in a Pod, as they say themselves."""
    lines = job.whole_output(pod["metadata"]["name"]).splitlines()
    return [line.removeprefix("start ") for line in lines if line.startswith("start ")]


def ledger_has_both_definitions(job: OneJob) -> None:
    """Assert that each attempt names the definition it was started with; none is the spec."""
    status = job.get()["status"]
    assert status["ledger"]["resumes"] == 1
    (definition,) = status["ledger"]["definitions"]
    assert definition["number"] == 2
    revision = json.loads(
        job.kubectl("get", "controllerrevision", definition["name"], "-o", "json")
    )
    assert revision["data"] == {"scripts": [{"name": "simulate", "args": {"substeps": 4}}]}
    attempts = {
        row["name"]: [
            (attempt["attempt"], attempt["state"], attempt.get("definition", 1))
            for attempt in (*row.get("earlier", ()), row)
        ]
        for row in status["scripts"]
    }
    assert attempts == {
        "open": [(1, "Succeeded", 1), (2, "Succeeded", 2)],
        "bake": [(1, "Succeeded", 1)],
        "simulate": [(1, "Failed", 1), (2, "Succeeded", 2)],
        "save": [(1, "Succeeded", 2)],
        "publish": [(1, "Succeeded", 2)],
    }


def attempts_have_their_own_arguments(job: OneJob) -> None:
    """Assert that what is read of an attempt later is what it was started with."""
    row = job.uow().jobs.get(job.name).rows["simulate"]
    assert [attempt.parameters for attempt in (*row.earlier, row.latest)] == [
        {"frames": 48, "substeps": 1},
        {"frames": 48, "substeps": 4},
    ]


def events_tell_the_story(job: OneJob, why_and_who: str) -> None:
    """Assert what `kubectl describe` shows, from the first start to the end of the resumed job."""
    # A call that fails for long is told about, too: on a busy machine that happens.
    told = [reason for reason, _ in job.outcomes(job.name) if reason != "NotGoingOn"]
    run = "ScriptSucceeded"
    assert told == [
        *["JobAdded", "JobStarted", "SessionOpened", run, run, "ScriptFailed"],
        *["SessionEnded", "JobFailed"],
        *["JobResumed", "SessionOpened", run, run, run, run, "SessionEnded", "JobSucceeded"],
    ]
    assert job.events("JobResumed") == [f"changed simulate.args.substeps; {why_and_who}"]
    outcomes = [*job.events("ScriptFailed"), *job.events("ScriptSucceeded")]
    simulates = [message for message in outcomes if message.startswith("3/5 simulate")]
    for message, attempt, args in zip(simulates, (1, 2), ("substeps=1", "substeps=4"), strict=True):
        assert message.startswith(f"3/5 simulate, attempt {attempt}, ")
        assert message.endswith(f"; args frames=48 {args}")
    described = job.kubectl("describe", "ensojob", job.name).split("Events:")[1].splitlines()
    shown = [line.split()[1] for line in described[3:] if line.strip()]
    assert [reason for reason in shown if reason not in ("NotGoingOn", "ScriptStarted")] == told
