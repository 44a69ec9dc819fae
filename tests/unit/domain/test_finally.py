"""The finally scripts of a job: which of them run after which end, and what becomes of the job."""

from __future__ import annotations

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Cancel, Pause, Resume, Retry, Skip
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import CANCEL, GO_ON, control_of
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.failed_run import failed_run
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.final import JobEnd
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import (
    FINALLY,
    Container,
    Script,
    Session,
    Source,
    When,
)
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.plan import Plan
from tests.support.cells import Cell, driven
from tests.support.jobs import job_of

LOST = Cause(Reason.IMAGE_PULL_FAILED, "no such image")


TABLE = {
    "they run after a success, in a session of their own": Cell(
        "open save finally clean tell", "", "| open:1 save:1 | clean:1 tell:1"
    ),
    "and after a failure": Cell(
        "open save finally clean tell", "open:1 fails", "| open:1 | clean:1 tell:1", ends="Failed"
    ),
    "each when it is wanted": Cell(
        "open finally a.failed b.succeeded c.always", "", "| open:1 | b:1 c:1"
    ),
    "or not": Cell(
        "open finally a.failed b.succeeded c.always",
        "open:1 fails",
        "| open:1 | a:1 c:1",
        ends="Failed",
    ),
    "where none is wanted no session is opened": Cell("open finally a.failed", "", "| open:1"),
    "one that fails makes a job that had succeeded fail, and the others run": Cell(
        "open finally clean tell", "clean:1 fails", "| open:1 | clean:1 tell:1", ends="Failed"
    ),
    "for the others the job has succeeded still": Cell(
        "open finally clean a.failed b.succeeded",
        "clean:1 fails",
        "| open:1 | clean:1 b:1",
        ends="Failed",
    ),
    "retries are theirs, too": Cell(
        "open finally clean.retry1 tell", "clean:1 fails", "| open:1 | clean:1 clean:2 tell:1"
    ),
    "nothing is replayed after a time-out": Cell(
        "open finally clean tell copy",
        "tell:1 times-out",
        "| open:1 | clean:1 tell:1 ~ copy:1",
        ends="Failed",
    ),
    "after a lost session the others are in doubt, and not run again": Cell(
        "open finally clean tell", "clean:1 dies", "| open:1 | clean:1", ends="Failed"
    ),
    "a resumed job cleans up again": Cell(
        "open save finally clean tell",
        "save:1 fails",
        "| open:1 save:1 | clean:1 tell:1 | open:2 save:2 | clean:2 tell:2",
        ("resume",),
    ),
    "also after one that failed": Cell(
        "open save finally clean",
        "save:1 fails, clean:1 fails",
        "| open:1 save:1 | clean:1 | open:2 save:2 | clean:2",
        ("resume",),
    ),
    "or was lost": Cell(
        "open save finally clean tell",
        "save:1 fails, clean:1 dies",
        "| open:1 save:1 | clean:1 | open:2 save:2 | clean:2 tell:2",
        ("resume",),
    ),
    "a job that failed for one of them alone is resumed to clean up": Cell(
        "open finally clean", "clean:1 fails", "| open:1 | clean:1 | clean:2", ("resume",)
    ),
}  # fmt: skip


@pytest.mark.parametrize("cell", TABLE.values(), ids=TABLE.keys())
def test_which_finally_scripts_run(cell: Cell) -> None:
    cell.check()


def test_their_session_ends_for_a_long_wait_and_waits_a_short_one_itself() -> None:
    job = "open finally clean.retry1 tell"
    for backoff, ran in (
        (60, "| open:1 | clean:1 | clean:2 tell:1"),
        (59, "| open:1 | clean:1 clean:2 tell:1"),
    ):
        coordinator = driven(job, "clean:1 fails", backoff=backoff)
        assert " ".join(coordinator.starts) == ran
        first, second = (one.at for one in coordinator.job.events if _is_start_of("clean", one))
        assert second - first == backoff


def _is_start_of(name: str, event: events.Event) -> bool:
    return isinstance(event, events.ScriptStarted) and event.script == name


def test_the_first_failure_is_never_hidden() -> None:
    job = driven("open save finally clean", "open:1 fails, clean:1 fails").job
    card = failure_card(job)
    assert card
    assert card.why[0] == "open (1 of 2), attempt 1, failed after 0 ms"
    assert "also    clean: ValueError: it broke" in card.why


def test_a_card_tells_of_a_finally_script_what_it_is() -> None:
    card = failure_card(
        driven("open save finally clean tell", "tell:1 fails").job, resume="enso run"
    )
    assert card
    assert card.why[0] == "tell (finally, 2 of 2), attempt 1, failed after 0 ms"
    assert card.why[-1] == "        runs clean (finally), tell (finally)"


@pytest.mark.parametrize("fates", ["save:1 fails", "save:1 fails, clean:1 fails", "clean:1 fails"])
def test_the_run_that_failed_is_that_of_the_first_failure(fates: str) -> None:
    job = driven("open save finally clean", fates).job
    assert failed_run(job) == ("s1-1" if "save" in fates else "finally-1")


def started(text: str) -> Job:
    job = job_of(text)
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    return job


def cleaning_up(text: str = "open finally clean tell") -> Job:
    """Return a job that was cancelled and whose finally scripts run."""
    job = started(text)
    job.obey(Cancel(by="ann"), 1)
    step = services.reconcile(job, Observations(), 1)
    assert isinstance(step, Open)
    open_run(job, step)
    return job


def open_run(job: Job, step: Open) -> None:
    job.record(
        events.SessionOpened(
            at=1, run=step.run, session=step.session, uid="u", scripts=step.scripts
        )
    )


def test_a_cancelled_job_has_not_failed() -> None:
    job = started("open finally a.failed b.always")
    job.obey(Cancel(), 1)
    assert not job.finished
    assert job.next(1) == Open("finally-1", FINALLY, ("b",))
    assert job.end == JobEnd("Cancelled")


def test_the_session_that_ran_has_ended_before_they_begin() -> None:
    job = started("open finally clean")
    step = job.next(0)
    assert isinstance(step, Open)
    open_run(job, step)
    job.obey(Cancel(), 1)
    assert control_of(job) == CANCEL
    assert not isinstance(services.reconcile(job, Observations(), 1), Open)
    step = services.reconcile(job, Observations(ended=Ended(log_is_complete=True)), 2)
    assert isinstance(step, Open)
    assert step == Open("finally-1", FINALLY, ("clean",))
    open_run(job, step)
    assert control_of(job) == GO_ON


def test_they_are_outside_of_the_deadline() -> None:
    job = job_of("open finally clean", deadline=10)
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    assert services.reconcile(job, Observations(), 10) == Open("finally-1", FINALLY, ("clean",))
    assert job.end == JobEnd("Failed", "", Reason.DEADLINE_EXCEEDED)
    assert job.deadline is None


@pytest.mark.parametrize("action", [Resume(), Pause(), Retry(), Skip(script="clean")])
def test_only_a_cancel_is_possible_meanwhile(
    action: Resume | Pause | Retry | Skip,
) -> None:
    job = cleaning_up()
    assert job.why_not(action).startswith("job job is Cancelled")


def test_a_resume_says_what_it_waits_for() -> None:
    assert cleaning_up().why_not(Resume()) == (
        "job job is Cancelled, and its finally scripts run (clean, tell): wait until they are "
        "over, or cancel them"
    )


def test_a_cancel_ends_them_and_the_job_stays_what_it_was() -> None:
    job = cleaning_up()
    job.obey(Cancel(by="bob"), 2)
    assert str(job.state) == "Cancelled"
    assert control_of(job) == CANCEL
    assert job.why_not(Cancel()) != ""
    services.reconcile(job, Observations(ended=Ended(log_is_complete=True)), 3)
    assert job.finished
    assert job.why_not(Resume()) == ""


def test_a_job_that_is_deleted_cleans_nothing_up() -> None:
    job = started("open finally clean")
    job.obey(Cancel(without_finally=True), 1)
    assert job.finished


def test_no_action_names_a_finally_script() -> None:
    job = driven("open save finally clean", "save:1 fails").job
    for action in (Resume(from_script="clean"), Resume(skip=("clean",))):
        assert "runs 'clean' at each of its ends" in job.why_not(action)
    assert "runs 'clean'" in started("open finally clean").why_not(Pause(after="clean"))


def test_a_session_that_cannot_start_fails_the_script_and_not_the_others() -> None:
    job = cleaning_up()
    step = services.reconcile(job, Observations(ended=Ended(True, LOST)), 2)
    assert (str(job.rows["clean"].state), job.rows["clean"].latest.cause) == ("Failed", LOST)
    assert step == Open("finally-2", FINALLY, ("tell",))


def test_a_session_that_cannot_be_opened_fails_the_script_and_not_the_others() -> None:
    job = started("open finally clean.retry1 tell")
    job.obey(Cancel(), 1)
    step = job.next(1)
    assert isinstance(step, Open)
    again = services.fail_to_open(job, step, LOST, 1)
    assert isinstance(again, Open)
    assert again == Open("finally-1", FINALLY, ("clean", "tell"))
    assert services.fail_to_open(job, again, LOST, 1) == Open("finally-1", FINALLY, ("tell",))


def test_their_session_is_as_the_first_one_of_the_job() -> None:
    work = Source("def main(): pass")
    first, other = Session("maya", ("mayapy",), retry_lost=3), Session("nuke", ("nuke", "-t"))
    scripts = (
        Script("open", work, session="maya"),
        Script("render", work, session="nuke"),
        Script("clean", work, session=FINALLY, when=When.ALWAYS),
        Script("tell", work, session="nuke", when=When.ALWAYS),
        Script("curl", Container("curl"), when=When.ALWAYS),
    )
    job = Job("job", scripts, (first, other))
    job.record(events.JobAdded(at=0))
    job.record(events.JobCancelled(at=0))
    steps, interpreters = list[Open](), list[str]()
    while isinstance(step := services.reconcile(job, Observations(), 1), Open):
        steps.append(step)
        plan = Plan.of(job, step, ScriptLibrary([]))
        interpreters.append(plan.session.interpreter[0])
        open_run(job, step)
        services.reconcile(job, Observations(ended=Ended(True, LOST)), 1)
    assert [step.run for step in steps] == ["finally-1", "nuke-1", "curl-1"]
    assert interpreters[:2] == ["mayapy", "nuke"]


@pytest.mark.parametrize(
    ("scripts", "why"),
    [
        ([("a", None), ("a", When.ALWAYS)], "is used more than once"),
        ([("a", When.ALWAYS)], "at least one script beside its finally scripts"),
        ([("a", None), ("b", When.ALWAYS), ("c", None)], "stand behind all others"),
    ],
)
def test_what_makes_no_job(scripts: list[tuple[str, When | None]], why: str) -> None:
    with pytest.raises(InvalidJob, match=why):
        Job("job", tuple(Script(name, Source(""), when=when) for name, when in scripts))
