"""What `add`, `execute` and `resume` promise, in one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from job_execution_framework.domain.actions import Resume
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import GO_ON, PAUSE, SessionControl
from job_execution_framework.domain.errors import (
    InvalidAction,
    InvalidJob,
    JobAlreadyStarted,
    JobNotFound,
)
from job_execution_framework.domain.final import JobEnd
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import Output
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import (
    Container,
    Function,
    Script,
    Source,
)
from job_execution_framework.service_layer.runner import Result
from job_execution_framework.service_layer.services import act, add, execute, resume
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork
from tests.support.jobs import FakeClock

WORK = Source("def main(): pass")
FAILED = Result(cause=Cause(Reason.EXCEPTION, "it broke", error="ValueError"))


@dataclass
class FakeRunner:
    """Notes what it runs; `results` are what comes of it, `look` is called while it runs."""

    results: list[Result] = field(default_factory=list[Result])
    look: Callable[[], None] = lambda: None
    control: SessionControl = GO_ON
    ran: list[str] = field(default_factory=list[str])

    def check(self, scripts: Sequence[Script]) -> None:
        del scripts

    def announce(self, script: Script, attempt: int) -> None:
        del script, attempt

    def job_ended(self, end: JobEnd) -> None:
        del end

    def run(self, script: Script, attempt: int) -> Result:
        self.ran.append(f"{script.name}:{attempt}")
        self.look()
        return self.results.pop(0) if self.results else Result()


def added(uow: InMemoryJobUnitOfWork, *scripts: Script, deadline: float | None = None) -> str:
    two = [Script("open", WORK), Script("save", WORK)]
    return add(scripts or two, job_uow=uow, deadline_seconds=deadline)


def kinds(job: Job) -> list[str]:
    return [type(event).__name__ for event in job.events]


def test_the_start_is_committed_before_it_and_the_outcome_after_it() -> None:
    uow, seen = InMemoryJobUnitOfWork(), list[list[str]]()
    job_id = added(uow)
    other = InMemoryJobUnitOfWork(uow.repository)
    execute(
        job_id,
        job_uow=uow,
        runner=FakeRunner(look=lambda: seen.append(kinds(other.jobs.get(job_id)))),
    )
    first = ["JobAdded", "JobStarted", "ScriptStarted"]
    assert seen == [first, [*first, "ScriptSucceeded", "ScriptStarted"]]
    assert kinds(other.jobs.get(job_id))[-2:] == ["ScriptSucceeded", "JobSucceeded"]


def test_it_stops_at_the_first_failure_and_raises_nothing() -> None:
    uow, runner = InMemoryJobUnitOfWork(), FakeRunner([FAILED])
    job_id = added(uow)
    execute(job_id, job_uow=uow, runner=runner)
    job = uow.jobs.get(job_id)
    assert runner.ran == ["open:1"]
    assert kinds(job)[-2:] == ["ScriptFailed", "JobFailed"]
    assert [str(row.state) for row in job.rows.values()] == ["Failed", "NotStarted"]
    assert str(job.events[-1]).endswith("JobFailed open: ValueError: it broke")


def test_an_unknown_job_is_not_found() -> None:
    for call in (execute, resume):
        with pytest.raises(JobNotFound):
            call("job-1", job_uow=InMemoryJobUnitOfWork())


@pytest.mark.parametrize("results", [[], [FAILED]])
def test_a_second_execution_is_an_error_and_no_second_run(results: list[Result]) -> None:
    uow, runner = InMemoryJobUnitOfWork(), FakeRunner(results)
    job_id = added(uow)
    execute(job_id, job_uow=uow, runner=runner)
    before, ran = uow.jobs.get(job_id), list(runner.ran)
    with pytest.raises(JobAlreadyStarted, match="executed only once"):
        execute(job_id, job_uow=uow, runner=runner)
    assert runner.ran == ran
    assert uow.jobs.get(job_id) == before


def test_an_execution_while_it_runs_is_an_error() -> None:
    uow = InMemoryJobUnitOfWork()
    job_id, runner = added(uow), FakeRunner()

    def execute_again() -> None:
        with pytest.raises(JobAlreadyStarted):
            execute(job_id, job_uow=InMemoryJobUnitOfWork(uow.repository), runner=runner)

    runner.look = execute_again
    execute(job_id, job_uow=uow, runner=runner)
    assert runner.ran == ["open:1", "save:1"]


def test_of_two_executions_at_the_same_moment_one_runs() -> None:
    uow, runner = InMemoryJobUnitOfWork(), FakeRunner()
    job_id = added(uow)

    class Late(InMemoryJobUnitOfWork):
        """Somebody else starts the job between its load and its first commit."""

        def commit(self) -> None:
            execute(job_id, job_uow=uow, runner=runner)
            super().commit()

    with pytest.raises(JobAlreadyStarted, match="somebody else"):
        execute(job_id, job_uow=Late(uow.repository), runner=runner)
    assert runner.ran == ["open:1", "save:1"]


def test_when_something_of_ours_breaks_the_doubt_is_said_and_a_resume_goes_on() -> None:
    def breaks() -> None:
        raise OSError("our disk is full")

    uow = InMemoryJobUnitOfWork()
    job_id = added(uow)
    with pytest.raises(OSError, match="our disk is full"):
        execute(job_id, job_uow=uow, runner=FakeRunner(look=breaks))
    for job_uow in (uow, InMemoryJobUnitOfWork(uow.repository)):
        job = job_uow.jobs.get(job_id)
        assert kinds(job)[2:] == ["ScriptStarted", "ScriptInterrupted", "JobFailed"]
        assert str(job.events[-1]).endswith(
            "JobFailed open: SessionLost: enso itself broke: OSError"
        )
    resume(job_id, job_uow=uow)
    execute(job_id, job_uow=uow, runner=(runner := FakeRunner()))
    assert runner.ran == ["open:2", "save:1"]


@pytest.mark.parametrize(
    "source",
    [
        "import os, time\ndef main():\n    os.kill(os.getpid(), 2)\n    time.sleep(60)\n",
        "import os, time\nos.kill(os.getpid(), 2)\ntime.sleep(60)\n",
        "class V(dict):\n    def items(self): raise KeyboardInterrupt\ndef main(): return V(a=1)",
    ],
    ids=["in main", "in the module", "while its result is read"],
)
def test_ctrl_c_is_recorded_never_retried_and_raised_again(source: str) -> None:
    uow = InMemoryJobUnitOfWork()
    job_id = added(uow, Script("open", Source(source), retries=Retries(3)), Script("save", WORK))
    with pytest.raises(KeyboardInterrupt):
        execute(job_id, job_uow=uow)
    job = InMemoryJobUnitOfWork(uow.repository).jobs.get(job_id)
    assert kinds(job)[2:] == ["ScriptStarted", "ScriptFailed", "JobCancelled"]
    assert "open, attempt 1" in str(job.events[-2])
    assert str(job.events[-2]).endswith(": KeyboardInterrupt")
    assert str(job.state) == "Cancelled"
    resume(job_id, job_uow=uow)
    execute(job_id, job_uow=uow, runner=(runner := FakeRunner()))
    assert runner.ran == ["open:2", "save:1"]


def test_ctrl_c_between_two_attempts_cancels_the_job() -> None:
    class Stopped(FakeClock):
        def sleep(self, seconds: float) -> None:
            raise KeyboardInterrupt(seconds)

    uow, clock = InMemoryJobUnitOfWork(), Stopped()
    job_id = added(uow, Script("open", WORK, retries=Retries(2, 30)))
    with pytest.raises(KeyboardInterrupt):
        execute(job_id, job_uow=uow, runner=FakeRunner([FAILED]), clock=clock)
    job = uow.jobs.get(job_id)
    assert kinds(job)[2:] == ["ScriptStarted", "ScriptFailed", "ScriptRetrying", "JobCancelled"]


def test_a_cancelled_script_is_not_said_to_be_retried() -> None:
    uow, runner = InMemoryJobUnitOfWork(), FakeRunner([FAILED])
    job_id = added(uow, Script("open", WORK, retries=Retries(2)))
    runner.look = lambda: setattr(runner, "control", PAUSE)
    execute(job_id, job_uow=uow, runner=runner)
    assert kinds(uow.jobs.get(job_id))[2:] == ["ScriptStarted", "ScriptFailed"]


def test_retries_wait_for_their_backoff_on_the_clock() -> None:
    uow, clock, runner = InMemoryJobUnitOfWork(), FakeClock(), FakeRunner([FAILED, FAILED])
    times: list[float] = []
    runner.look = lambda: times.append(clock.now())
    job_id = added(uow, Script("open", WORK, retries=Retries(2, 30)))
    execute(job_id, job_uow=uow, runner=runner, clock=clock)
    assert runner.ran == ["open:1", "open:2", "open:3"]
    assert times == [1000, 1030, 1060]
    job = uow.jobs.get(job_id)
    assert kinds(job)[2:5] == ["ScriptStarted", "ScriptFailed", "ScriptRetrying"]
    assert str(job.events[4]).endswith("1/1 open, attempt 1, retry 1 of 2, again in 30 s")
    assert str(job.state) == "Succeeded"


def test_retries_end() -> None:
    uow, runner = InMemoryJobUnitOfWork(), FakeRunner([FAILED] * 9)
    job_id = added(uow, Script("open", WORK, retries=Retries(1)))
    execute(job_id, job_uow=uow, runner=runner)
    assert runner.ran == ["open:1", "open:2"]
    assert kinds(uow.jobs.get(job_id))[-3:] == ["ScriptStarted", "ScriptFailed", "JobFailed"]


def test_a_lost_interpreter_replays_what_lived_in_it() -> None:
    lost = Result(cause=Cause(Reason.TIMEOUT), interpreter_lost=True)
    uow, runner = InMemoryJobUnitOfWork(), FakeRunner([Result(), lost])
    job_id = added(uow, Script("open", WORK), Script("save", WORK, retries=Retries(1)))
    execute(job_id, job_uow=uow, runner=runner)
    assert runner.ran == ["open:1", "save:1", "open:2", "save:2"]


def test_a_deadline_ends_the_job_between_two_scripts() -> None:
    uow, clock, runner = InMemoryJobUnitOfWork(), FakeClock(), FakeRunner()
    runner.look = lambda: clock.sleep(60)
    job_id = added(uow, deadline=50)
    execute(job_id, job_uow=uow, runner=runner, clock=clock)
    assert runner.ran == ["open:1"]
    assert "DeadlineExceeded" in str(uow.jobs.get(job_id).events[-1])


def test_a_resume_in_this_process_replays_by_the_checkpoint_rule() -> None:
    uow, runner = InMemoryJobUnitOfWork(), FakeRunner([Result(), Result(), FAILED])
    do = Script("do", WORK, checkpoint=True)
    job_id = added(uow, Script("open", WORK, setup=True), do, Script("save", WORK))
    execute(job_id, job_uow=uow, runner=runner)
    resume(job_id, job_uow=uow, by="ann")
    with pytest.raises(InvalidAction, match="is Running"):
        resume(job_id, job_uow=uow)
    execute(job_id, job_uow=uow, runner=runner)
    assert runner.ran == ["open:1", "do:1", "save:1", "open:2", "save:2"]
    assert str(uow.jobs.get(job_id).state) == "Succeeded"
    with pytest.raises(InvalidAction, match="nothing left to do"):
        resume(job_id, job_uow=uow)
    resume(job_id, job_uow=uow, from_script="save")
    execute(job_id, job_uow=uow, runner=runner)
    assert runner.ran[5:] == ["open:3", "save:3"]


@pytest.mark.parametrize(
    ("start", "says"),
    [("svae", "has no script 'svae'; it has open, save"), ("save", "'open' before it is not done")],
)
def test_a_resume_that_the_rules_do_not_allow_is_refused(start: str, says: str) -> None:
    uow = InMemoryJobUnitOfWork()
    job_id = added(uow)
    with pytest.raises(InvalidAction, match="only a job that has ended"):
        resume(job_id, job_uow=uow)
    execute(job_id, job_uow=uow, runner=FakeRunner([FAILED]))
    before = uow.jobs.get(job_id)
    with pytest.raises(InvalidAction, match=says):
        resume(job_id, job_uow=uow, from_script=start)
    assert uow.jobs.get(job_id) == before


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (Script("open", WORK, timeout_seconds=5), "has a timeout, but a script in this process"),
        (Script("curl", Container("curl")), "is a container, which needs a cluster"),
    ],
)
def test_what_needs_another_process_is_refused_in_this_one(script: Script, says: str) -> None:
    uow = InMemoryJobUnitOfWork()
    job_id = added(uow, script)
    with pytest.raises(InvalidJob, match=says):
        execute(job_id, job_uow=uow)
    assert str(uow.jobs.get(job_id).state) == "Waiting", "it never started"


def test_functions_and_sources_need_no_library(capsys: pytest.CaptureFixture[str]) -> None:
    uow = InMemoryJobUnitOfWork()
    hello = Script("hello", Source("def main(name): print('hello', name)"), {"name": "ann"})
    job_id = added(uow, hello, Script("join", Function("posixpath:basename"), {"p": "/a/b.hip"}))
    execute(job_id, job_uow=uow)
    job = uow.jobs.get(job_id)
    assert str(job.state) == "Succeeded", job.events[-1]
    assert job.rows["join"].output == Output("b.hip", 1)
    assert capsys.readouterr().out == "hello ann\n"


def test_a_resume_may_change_nothing_but_the_deadline() -> None:
    uow = InMemoryJobUnitOfWork()
    job_id = added(uow, Script("open", WORK))
    execute(job_id, job_uow=uow, runner=FakeRunner([FAILED]))
    definition = replace(uow.jobs.get(job_id).definition, deadline_seconds=60)
    act(job_id, Resume(definition=definition), job_uow=uow)
    job = InMemoryJobUnitOfWork(uow.repository).jobs.get(job_id)
    assert job.deadline_seconds == 60
    assert str(job.events[-1])[21:] == "JobResumed changed activeDeadlineSeconds"
