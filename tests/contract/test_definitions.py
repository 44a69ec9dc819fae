"""Changed definitions are ControllerRevisions, which are used only if the ledger has their name.

Run in memory; tests/cluster runs the same tests on a real API server.
"""

from __future__ import annotations

import json

import pytest

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import ResumeSpec
from enso_operator.controller.ensojob_actor import spec_actions_of
from enso_operator.http_api.responses import ScriptShown
from enso_operator.kube.client import Refused
from enso_operator.kube.definitions import REVISIONS, REVISIONS_API
from enso_operator.kube.ensoaction import ACTIONS, EnsoActionObject
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.objects import Objects
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from enso_operator.manifests.changes import changed_definition
from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Resume
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.errors import Conflict
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.observations import Observations
from tests.support.in_memory_objects import InMemoryCluster
from tests.support.job_history import JobHistory
from tests.support.resources import action, of_scripts

SECRET = {"name": "token", "secretKeyRef": {"name": "tracker", "key": "key"}}
SHOT = of_scripts(
    {"name": "open", "checkpoint": True, "args": {"scene": "a.hip"}},
    {"name": "simulate", "args": {"frames": 1}, "argsFrom": [SECRET]},
    sessions=[{"name": "houdini", "image": "houdini:20"}],
)
FAILURE = Cause("Exception", "no", "ValueError")
DEEPEST: object = json.loads("[" * 64 + "]" * 64)
STRANGE = {
    "none": None,
    "whole": 1.0,
    "small": 1e-7,
    "text": "é\U0001f3ac",
    "deep": [{"a": [None]}],
    "deepest": DEEPEST,
}


@pytest.fixture(name="jobs")
def _in_memory() -> Objects:
    return InMemoryCluster().objects("shows")


def revisions(jobs: Objects) -> list[Document]:
    items = jobs.beside(REVISIONS, REVISIONS_API).each()
    return sorted(items, key=lambda revision: int(revision["revision"]))


def load(jobs: Objects) -> Job:
    """Load the job as an operator does that was just started."""
    return KubernetesJobUnitOfWork(jobs).jobs.get("shot")


def ledger(jobs: Objects) -> Document:
    return EnsoJobObject(jobs.get("shot")).raw_ledger


def fail(jobs: Objects) -> None:
    """Run the job until `simulate` fails for good."""
    uow = KubernetesJobUnitOfWork(jobs)
    with uow:
        history = JobHistory(uow.jobs.get("shot"))
        history.opens("houdini")
        if not history.job.rows["open"].done:
            history.runs("open")
        history.runs("simulate", FAILURE)
        history.ends()
        history.fails("simulate", FAILURE)
        uow.commit()


def resumed(uow: KubernetesJobUnitOfWork, action_id: str = "", **fields: object) -> None:
    """Resume the job with a change of `simulate`; the caller commits."""
    resume = ResumeSpec.model_validate({"scripts": [{"name": "simulate", **fields}]})
    job = uow.jobs.get("shot")
    definition = changed_definition(uow.ensojob("shot").document, job, resume)
    job.obey(Resume(definition=definition, action_id=action_id), 2000)


def resume(jobs: Objects, action_id: str = "", **fields: object) -> None:
    uow = KubernetesJobUnitOfWork(jobs)
    with uow:
        resumed(uow, action_id, **fields)
        uow.commit()


def create_action(jobs: Objects, name: str, **fields: object) -> str:
    """Create an EnsoAction with this change; return its id in the ledger."""
    change = action("resume", name, resume={"scripts": [{"name": "simulate", **fields}]})
    return EnsoActionObject(jobs.beside(ACTIONS).create(change)).action_id


@pytest.fixture
def failed(jobs: Objects) -> Objects:
    jobs.create(SHOT)
    fail(jobs)
    return jobs


def test_each_attempt_shows_the_arguments_that_it_was_started_with(failed: Objects) -> None:
    for number in (2, 3, 4):
        resume(failed, args={"frames": number})
        fail(failed)

    job = load(failed)
    row = job.rows["simulate"]
    frames = [{"frames": number, "token": "***"} for number in (1, 2, 3, 4)]
    assert [attempt.parameters for attempt in (*row.earlier, row.latest)] == frames
    script_events = [event for event in job.events if isinstance(event, events.ScriptEvent)]
    for kind in (events.ScriptStarted, events.ScriptFailed):
        of_kind = [
            event for event in script_events if type(event) is kind and event.script == "simulate"
        ]
        assert [event.parameters for event in of_kind] == frames
    card = failure_card(job)
    assert card
    assert "args    frames=4 token=***" in card.why


def test_events_of_an_attempt_after_a_resume_have_the_arguments_of_its_start(
    failed: Objects,
) -> None:
    resume(failed, args={"frames": 2})
    job = load(failed)
    before = job.script_event(events.ScriptInterrupted, "simulate", 1, 3000, cause=FAILURE)
    after = job.script_event(events.ScriptStarted, "simulate", 2, 3000)
    assert (before.parameters["frames"], after.parameters["frames"]) == (1, 2)
    assert ScriptShown.of(job, job.script("simulate")).parameters["frames"] == 1


def test_a_session_of_before_the_resume_has_its_own_arguments(jobs: Objects) -> None:
    """It still runs when its job is resumed with changes, and may record another start."""
    jobs.create(SHOT)
    uow = KubernetesJobUnitOfWork(jobs)
    with uow:
        history = JobHistory(uow.jobs.get("shot"))
        history.opens("houdini")
        history.runs("open")
        history.record(events.JobCancelled)
        uow.commit()
    resume(jobs, args={"frames": 2})

    with uow:
        history = JobHistory(uow.jobs.get("shot"))
        history.runs("simulate", FAILURE)
        history.ends()
        history.opens("houdini")
        history.runs("simulate", FAILURE)
        uow.commit()
    (first,), second = load(jobs).rows["simulate"].earlier, load(jobs).rows["simulate"].latest
    assert [(first.definition, second.definition)] == [(1, 2)]
    assert [attempt.parameters and attempt.parameters["frames"] for attempt in (first, second)] == [
        1,
        2,
    ]
    assert [row.get("definition") for row in jobs.get("shot")["status"]["scripts"]] == [None, 2]


def test_a_revision_has_what_differs_and_goes_with_its_job(failed: Objects) -> None:
    resume(failed, args={"frames": 2}, timeoutSeconds=60)

    (revision,) = revisions(failed)
    uid = failed.get("shot")["metadata"]["uid"]
    assert revision["data"] == {
        "scripts": [{"name": "simulate", "args": {"frames": 2}, "timeoutSeconds": 60}]
    }
    assert revision["revision"] == 2
    (owner,) = revision["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("EnsoJob", "shot", uid)
    assert "blockOwnerDeletion" not in owner
    assert ledger(failed)["definitions"] == [{"number": 2, "name": revision["metadata"]["name"]}]


def test_every_argument_comes_back_as_it_was_given(failed: Objects) -> None:
    resume(failed, args=STRANGE, unsetArgs=["frames"])
    (revision,) = revisions(failed)
    stored = load(failed).script("simulate").parameters
    assert {name: stored[name] for name in STRANGE} == STRANGE
    assert "frames" not in stored
    assert revision["metadata"]["name"] == ledger(failed)["definitions"][0]["name"]


def test_a_job_without_changes_has_no_revision(failed: Objects) -> None:
    resume(failed, args={"frames": 1})
    assert revisions(failed) == []
    assert "definitions" not in ledger(failed)


def test_a_resume_that_changes_everything_back_has_a_revision_without_differences(
    failed: Objects,
) -> None:
    described = load(failed).definition
    resume(failed, args={"frames": 2})
    fail(failed)
    resume(failed, args={"frames": 1})

    changed, back = revisions(failed)
    assert changed["data"] == {"scripts": [{"name": "simulate", "args": {"frames": 2}}]}
    assert (back["data"], back["revision"]) == ({}, 3)
    assert [each["name"] for each in ledger(failed)["definitions"]] == [
        each["metadata"]["name"] for each in (changed, back)
    ]
    assert load(failed).definition == described
    fail(failed)
    row = load(failed).rows["simulate"]
    frames = [each.parameters and each.parameters["frames"] for each in (*row.earlier, row.latest)]
    assert frames == [1, 2, 1]


def test_only_definitions_that_something_was_started_with_are_named(failed: Objects) -> None:
    resume(failed, args={"frames": 2})
    uow = KubernetesJobUnitOfWork(failed)
    with uow:
        JobHistory(uow.jobs.get("shot")).record(events.JobCancelled)
        uow.commit()
    resume(failed, args={"frames": 3})
    assert [entry["number"] for entry in ledger(failed)["definitions"]] == [3]
    assert load(failed).script("simulate").parameters["frames"] == 3


def is_resumed_too_late(failed: Objects) -> None:
    """Resume the job with a change that is stored, but whose commit somebody else forestalls."""
    slow = KubernetesJobUnitOfWork(failed)
    with slow:
        resumed(slow, args={"frames": 2})
        version = failed.get("shot")["metadata"]["resourceVersion"]
        failed.patch("shot", version, {"ttlSecondsAfterFinished": 3600})
        with pytest.raises(Conflict):
            slow.commit()


def test_a_commit_that_fails_leaves_no_second_revision(failed: Objects) -> None:
    is_resumed_too_late(failed)
    assert len(revisions(failed)) == 1
    assert load(failed).script("simulate").parameters["frames"] == 1

    resume(failed, args={"frames": 2})
    assert len(revisions(failed)) == 1
    assert load(failed).script("simulate").parameters["frames"] == 2


def test_loading_and_storing_again_writes_nothing(failed: Objects) -> None:
    resume(failed, args={"frames": 2})
    version = failed.get("shot")["metadata"]["resourceVersion"]
    uow = KubernetesJobUnitOfWork(failed)
    with uow:
        uow.jobs.get("shot")
        uow.jobs.touch("shot")
        uow.commit()
    assert failed.get("shot")["metadata"]["resourceVersion"] == version
    assert len(revisions(failed)) == 1


def remove(jobs: Objects) -> Document:
    """Delete the newest revision and return it."""
    *_, revision = revisions(jobs)
    metadata = revision["metadata"]
    jobs.beside(REVISIONS, REVISIONS_API).delete(
        metadata["name"], metadata["uid"], metadata["resourceVersion"]
    )
    return revision


def put(jobs: Objects, revision: Document, **fields: object) -> None:
    """Create a revision of the same name, with other fields."""
    owners = fields.pop("owners", revision["metadata"]["ownerReferences"])
    metadata = {"name": revision["metadata"]["name"], "ownerReferences": owners}
    jobs.beside(REVISIONS, REVISIONS_API).create(revision | {"metadata": metadata} | fields)


def delete(jobs: Objects) -> None:
    remove(jobs)


def change(jobs: Objects) -> None:
    put(jobs, remove(jobs), data={"scripts": [{"name": "simulate", "args": {"frames": "evil"}}]})


def give_away(jobs: Objects) -> None:
    revision = remove(jobs)
    (owner,) = revision["metadata"]["ownerReferences"]
    # The owner exists: a cluster's garbage collector deletes objects whose owner does not.
    other = jobs.create(SHOT | {"metadata": {"name": "other"}})["metadata"]
    put(jobs, revision, owners=[owner | {"name": other["name"], "uid": other["uid"]}])


LOSSES = {"deleted": delete, "changed": change, "of somebody else": give_away}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_definition_is_rebuilt_from_the_jobs_actions(failed: Objects, loss: str) -> None:
    for name, frames in (("again-z", 2), ("again-a", 3)):
        args = {"frames": frames, name: None}
        resume(failed, create_action(failed, name, args=args), args=args)
        fail(failed)
    create_action(failed, "not-done", args={"frames": "evil"})
    LOSSES[loss](failed)

    job = load(failed)

    parameters = job.script("simulate").parameters
    assert [*parameters] == ["frames", "again-z", "again-a", "token"]
    assert parameters["frames"] == 3
    assert [revision["revision"] for revision in revisions(failed)] == [2, 3]


def test_a_reader_without_repairs_rebuilds_nothing(failed: Objects) -> None:
    args = {"frames": 2}
    resume(failed, create_action(failed, "again", args=args), args=args)
    delete(failed)
    with KubernetesJobUnitOfWork(failed, repairs=False) as uow:
        uow.jobs.get("shot")
        assert "its definition 2 is lost" in (uow.ensojob("shot").broken or "")
    assert revisions(failed) == []


@pytest.mark.parametrize("loss", LOSSES)
def test_a_job_whose_definition_is_lost_runs_nothing(failed: Objects, loss: str) -> None:
    resume(failed, args={"frames": 2})
    (revision,) = revisions(failed)
    LOSSES[loss](failed)

    uow = KubernetesJobUnitOfWork(failed)
    with uow:
        job = uow.jobs.get("shot")
        _, broken = spec_actions_of(uow.ensojob("shot"))
        assert broken
        services.reconcile(job, Observations(broken=broken), 3000)
        uow.commit()

    status = failed.get("shot")["status"]
    succeeded, *_, stalled = status["conditions"]
    assert (stalled["type"], stalled["status"]) == ("Stalled", "True")
    name = revision["metadata"]["name"]
    assert (
        f"its definition 2 is lost, because ControllerRevision {name} was" in succeeded["message"]
    )
    assert "evil" not in json.dumps(status)
    assert status["ledger"]["definitions"] == [{"number": 2, "name": name}]


def test_a_job_goes_on_once_its_definition_is_there_again(failed: Objects) -> None:
    resume(failed, args={"frames": 2})
    revision = remove(failed)
    uow = KubernetesJobUnitOfWork(failed)
    with uow:
        job = uow.jobs.get("shot")
        services.reconcile(job, Observations(broken=spec_actions_of(uow.ensojob("shot"))[1]), 3000)
        uow.commit()
    put(failed, revision)

    with uow:
        job = uow.jobs.get("shot")
        assert spec_actions_of(uow.ensojob("shot"))[1] is None
        job.obey(Resume(), 4000)
        uow.commit()
    assert load(failed).script("simulate").parameters["frames"] == 2
    assert len(revisions(failed)) == 1


def test_the_arguments_of_an_attempt_are_not_guessed(failed: Objects) -> None:
    resume(failed, args={"frames": 2})
    fail(failed)
    delete(failed)
    row = load(failed).rows["simulate"]
    (first,), second = row.earlier, row.latest
    assert (first.parameters and first.parameters["frames"], second.parameters) == (1, {})


def test_a_name_that_somebody_else_has_taken_is_not_believed(failed: Objects) -> None:
    is_resumed_too_late(failed)
    change(failed)

    with pytest.raises(Refused, match="is there already, and is not this job's: delete it"):
        resume(failed, args={"frames": 2})
    assert load(failed).script("simulate").parameters["frames"] == 1
