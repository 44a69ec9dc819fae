"""Outputs are handed on: in one process, in a plan, and in sessions over plans."""

from __future__ import annotations

import json

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Resume
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import Output, OutputOf
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Container, Script, Session, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Observations
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.services import act, add, execute, reconcile
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork

BAKE = Script("bake", Source("def main(): return {'path': '/fx/010.bgeo', 'frames': [1, 2]}"))
RETURNS_IT = Source("def main(cache): return cache")


def executed(*scripts: Script) -> tuple[Job, InMemoryJobUnitOfWork]:
    uow = InMemoryJobUnitOfWork()
    execute(add(scripts, job_uow=uow, job_id="job"), job_uow=uow)
    return uow.jobs.get("job"), uow


def cause_of(job: Job, script: str) -> Cause:
    cause = job.rows[script].latest.cause
    assert cause
    return cause


def test_a_later_script_is_given_the_output_or_one_key_of_it() -> None:
    whole = Script("whole", RETURNS_IT, {"cache": OutputOf("bake")})
    part = Script("part", RETURNS_IT, {"cache": OutputOf("whole", "path")})
    job, _ = executed(BAKE, whole, part)
    assert str(job.state) == "Succeeded", job.events[-1]
    assert job.outputs["whole"] == Output({"path": "/fx/010.bgeo", "frames": [1, 2]}, 1)
    assert job.outputs["part"] == Output("/fx/010.bgeo", 1)


def test_what_a_script_does_to_an_argument_changes_no_output() -> None:
    changes = Source("def main(cache): cache['frames'].append(3)")
    job, _ = executed(BAKE, Script("change", changes, {"cache": OutputOf("bake")}))
    assert job.outputs["bake"].value == {"path": "/fx/010.bgeo", "frames": [1, 2]}


def test_a_script_whose_output_is_missing_is_not_called() -> None:
    nothing = Script("bake", Source("def main(): pass"))
    shouts = Source("def main(cache): raise OSError('called')")
    job, uow = executed(nothing, Script("render", shouts, {"cache": OutputOf("bake", "path")}))
    assert cause_of(job, "render").reason == Reason.NO_OUTPUT
    assert cause_of(job, "render").message.startswith(
        "argument 'cache' is path of the output of bake, which has none: "
    )
    assert isinstance(job.events[-3], events.ScriptStarted)
    assert str(job.events[-3]).endswith('args "cache=<path of the output of bake>"') or (
        "<path of the output of bake>" in str(job.events[-3])
    )
    act("job", Resume(from_script="bake"), job_uow=uow)


def test_a_replay_that_returns_something_else_is_what_later_scripts_see(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    count = tmp_path_factory.mktemp("outputs") / "count"
    counts = Source(
        "import pathlib\n"
        "def main(file):\n"
        "    with open(file, 'a') as count: count.write('x')\n"
        "    return len(pathlib.Path(file).read_text())\n"
    )
    fails_once = Source("def main(cache):\n    assert cache > 1\n    return cache")
    bake = Script("bake", counts, {"file": str(count)})
    job, uow = executed(bake, Script("render", fails_once, {"cache": OutputOf("bake")}))
    assert str(job.state) == "Failed"
    act("job", Resume(), job_uow=uow)
    execute("job", job_uow=uow)
    job = uow.jobs.get("job")
    assert job.outputs == {"bake": Output(2, 2), "render": Output(2, 2)}


def test_outputs_of_a_job_are_bounded_together() -> None:
    large = Source("def main(): return 'x' * 4000")
    job, _ = executed(*(Script(f"s{i}", large) for i in range(5)))
    assert cause_of(job, "s4").reason == Reason.BAD_RESULT
    assert "the outputs of the job would have 20010, at most 16384" in cause_of(job, "s4").message
    assert job.rows["s4"].output is None


def test_add_refuses_what_can_never_be_had() -> None:
    uow = InMemoryJobUnitOfWork()
    with pytest.raises(InvalidJob, match="the job has no script 'bakes'"):
        add([BAKE, Script("render", RETURNS_IT, {"cache": OutputOf("bakes")})], job_uow=uow)
    assert not uow.job_ids()


def two_sessions() -> tuple[Job, Plan]:
    """Return a job whose first session is over, and the plan of its second one."""
    needs = {"cache": OutputOf("bake", "path"), "all": OutputOf("bake"), "token": Secret("canary")}
    job = Job(
        "job", (BAKE, Script("render", RETURNS_IT, needs, "two")), (Session(), Session("two"))
    )
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    for kind in (events.ScriptStarted, events.ScriptSucceeded):
        details = {"output": {"path": "/a"}} if kind is events.ScriptSucceeded else {}
        job.record(job.script_event(kind, "bake", 1, 1, **details))
    step = job.next(2)
    assert isinstance(step, Open)
    return job, Plan.of(job, step, ScriptLibrary([]))


def test_a_plan_carries_what_earlier_sessions_gave() -> None:
    job, plan = two_sessions()
    read = Plan.from_json(plan.to_json(), plan.secrets())
    assert read == plan
    assert read.job().outputs == job.outputs == {"bake": Output({"path": "/a"}, 1)}
    assert read.scripts[1].parameters == job.script("render").parameters


def test_a_plan_that_needs_no_output_is_written_as_it_always_was() -> None:
    job = Job("job", (BAKE,))
    plan = Plan.of(job, Open("main-1", "main", ("bake",)), ScriptLibrary([]))
    assert "output" not in json.dumps(json.loads(plan.to_json())["rows"])
    assert "outputs" not in json.loads(plan.to_json())
    assert job.rows["bake"].state is ScriptState.NOT_STARTED


def test_a_container_that_lacks_an_output_fails_before_its_pod_is_made() -> None:
    needs = {"CACHE": OutputOf("bake", "file")}
    tell = Script("tell", Container("curl"), needs, retries=Retries(1))
    job = Job("job", (BAKE, tell))
    job.record(events.JobAdded(at=0))
    step = reconcile(job, Observations(), 1)
    assert isinstance(step, Open), "that of what it needs"
    assert step.scripts == ("bake",)
    for kind in (events.ScriptStarted, events.ScriptSucceeded):
        details = {"output": {"path": "/a"}} if kind is events.ScriptSucceeded else {}
        job.record(job.script_event(kind, "bake", 1, 1, **details))
    step = reconcile(job, Observations(), 2)
    assert not isinstance(step, Open)
    assert str(job.state) == "Failed"
    assert job.rows["tell"].attempt == 1, "no retry brings the output"
    assert cause_of(job, "tell").reason == Reason.NO_OUTPUT
    assert "is file of the output of bake, which has path: " in cause_of(job, "tell").message
