"""Runs of a template: pinned at first sight, whatever becomes of the template later."""

from __future__ import annotations

from typing import Any

import pytest

from enso_operator.api.v1alpha1 import TemplateReference
from enso_operator.controller import ensojob_actor
from enso_operator.kube.client import NoSuchObject
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.templates import TemplateMissing, find
from tests.support.in_memory_objects import InMemoryCluster, InMemoryObjects
from tests.support.in_memory_operator import Operator, operate
from tests.support.resources import Document
from tests.support.templates import run, template

TWO = ("open", "simulate")


def templates_of(operator: Operator) -> InMemoryObjects:
    return operator.jobs.beside("ensojobtemplates")


def revisions_of(operator: Operator) -> InMemoryObjects:
    return operator.jobs.beside("controllerrevisions")


def change(operator: Operator, document: Document) -> None:
    """Replace the template's spec by this one's."""
    templates = templates_of(operator)
    version = templates.get("publish")["metadata"]["resourceVersion"]
    templates.patch("publish", version, {"job": document["spec"]["job"]})


def delete(objects: InMemoryObjects, name: str) -> None:
    metadata = objects.get(name)["metadata"]
    objects.delete(name, metadata["uid"], metadata["resourceVersion"])


def arguments(operator: Operator, backend_run: int = -1) -> list[Any]:
    """The arguments that the sessions' plans have."""
    plans = [plan for sessions in operator.backend.created for plan in sessions.plans.values()]
    return [script.parameters for script in plans[backend_run].scripts]


async def succeeds(operator: Operator) -> EnsoJobObject:
    await operator.until(lambda: operator.get().is_finished)
    ensojob = operator.get()
    assert ensojob.state == "Succeeded", ensojob.raw_status
    return ensojob


def test_a_run_is_made_from_the_template_and_its_parameters() -> None:
    async def story(operator: Operator) -> None:
        templates_of(operator).create(template(ttlSecondsAfterFinished=3600))
        operator.create(run(shot="010"))
        ensojob = await succeeds(operator)
        assert arguments(operator) == [{"path": "/shots/010/a.hip"}, {"frames": 24}]
        assert ensojob.raw_status["template"] == {
            "name": "publish",
            "generation": 1,
            "ttlSecondsAfterFinished": 3600,
        }
        assert ensojob.expires_at is not None
        (definition,) = ensojob.raw_ledger["definitions"]
        pinned = revisions_of(operator).get(definition["name"])
        assert pinned["metadata"]["ownerReferences"][0]["uid"] == ensojob.uid
        assert pinned["data"]["spec"]["scripts"][0]["args"] == {"path": "/shots/010/a.hip"}

    operate(story)


def test_a_run_that_waits_keeps_what_it_was_made_from() -> None:
    async def story(operator: Operator) -> None:
        templates_of(operator).create(template())
        await operator.waits_suspended(run(shot="010"))
        change(operator, template({"name": "other", "source": "y"}, parameters=[]))
        operator.patch(suspend=False)
        ensojob = await succeeds(operator)
        assert [row["name"] for row in ensojob.raw_status["scripts"]] == [*TWO]
        assert ensojob.raw_status["template"]["generation"] == 1

    operate(story)


def test_a_run_that_is_paused_and_resumed_keeps_what_it_was_made_from() -> None:
    async def story(operator: Operator) -> None:
        operator.backend.waits_for_control = True
        templates_of(operator).create(template())
        operator.create(run(shot="010"))
        await operator.until(lambda: operator.get().committed_uid)
        change(operator, template({"name": "other", "source": "y"}, parameters=[]))
        operator.create_action("pause")
        await operator.until(lambda: operator.get().is_paused)
        await operator.until(lambda: not operator.get().committed_uid)
        delete(templates_of(operator), "publish")
        operator.backend.waits_for_control = False
        for sessions in operator.backend.created:
            sessions.waits_for_control = False
        operator.create_action("resume", "go-on")
        await succeeds(operator)
        assert arguments(operator) == arguments(operator, 0)
        assert arguments(operator) == [{"path": "/shots/010/a.hip"}, {"frames": 24}]

    operate(story)


def test_a_run_is_resumed_with_changes_after_its_template_was_deleted() -> None:
    async def story(operator: Operator) -> None:
        operator.backend.failing = {"simulate"}
        templates_of(operator).create(template())
        operator.create(run(shot="010"))
        await operator.until(lambda: operator.get().is_finished)
        await operator.until_idle()
        operator.backend.failing = set()
        delete(templates_of(operator), "publish")
        changes = {"scripts": [{"name": "simulate", "args": {"frames": 48}}]}
        operator.create_action("resume", resume=changes)
        await operator.until(lambda: operator.result() != ("", ""))
        ensojob = await succeeds(operator)
        assert arguments(operator)[1] == {"frames": 48}
        assert [entry["number"] for entry in ensojob.raw_ledger["definitions"]] == [1, 2]

    operate(story)


def test_a_run_waits_for_its_template_and_says_so() -> None:
    async def story(operator: Operator) -> None:
        templates_of(operator).create(template() | {"metadata": {"name": "publish-all"}})
        operator.create(run(shot="010"))
        await operator.until(lambda: operator.get().raw_status.get("reason"))
        ensojob = operator.get()
        condition = ensojob.condition("Succeeded")
        assert (ensojob.state, ensojob.is_finished) == ("Waiting", False)
        assert ensojob.raw_status["reason"] == "TemplateNotFound"
        assert condition["status"] == "Unknown"
        assert condition["message"] == (
            "the job waits: there is no EnsoJobTemplate publish in namespace shows: did you mean "
            "publish-all?"
        )
        await operator.until_idle()
        templates_of(operator).create(template())
        ensojob = await succeeds(operator)
        assert "reason" not in ensojob.raw_status
        reasons = operator.events.reasons()
        assert (reasons["NotGoingOn"], reasons["JobAdded"], reasons["JobSucceeded"]) == (1, 1, 1)

    operate(story)


def test_an_action_on_a_run_that_waits_for_its_template_is_refused() -> None:
    async def story(operator: Operator) -> None:
        operator.create(run(shot="010"))
        await operator.until(lambda: operator.get().raw_status.get("reason"))
        operator.create_action("cancel")
        await operator.until(lambda: operator.result() != ("", ""))
        assert operator.result() == (
            "TemplateNotFound",
            (
                "job shot cannot be acted on: there is no EnsoJobTemplate publish in namespace "
                "shows: apply it"
            ),
        )

    operate(story)


@pytest.mark.parametrize(
    ("document", "params", "message"),
    [
        pytest.param(
            template(),
            {"shto": "010"},
            "template publish cannot be run so: spec.params.shot is missing: it takes a string; "
            "spec.params.shto is nothing that template publish takes: did you mean 'shot'?",
            id="wrong parameters",
        ),
        pytest.param(
            template(suspend=True),
            {"shot": "010"},
            "template publish makes no job: spec.job.suspend is a matter of each run: write it in "
            "the EnsoJob",
            id="an invalid template",
        ),
        pytest.param(
            template({"name": "a", "source": "x", "session": "b"}, sessions=[{"name": "a"}]),
            {"shot": "010"},
            "template publish cannot be run so: script 'a' names session 'b', but the job has a",
            id="a rule between fields",
        ),
    ],
)
def test_what_makes_no_job_fails_at_once(
    document: Document, params: dict[str, Any], message: str
) -> None:
    async def story(operator: Operator) -> None:
        templates_of(operator).create(document)
        operator.create(run(**params))
        await operator.until(lambda: operator.get().is_finished)
        ensojob = operator.get()
        assert (ensojob.state, ensojob.raw_status["reason"]) == ("Failed", "InvalidJob")
        assert ensojob.condition("Succeeded")["message"] == message

    operate(story)


def test_a_run_is_resumed_once_its_template_is_mended() -> None:
    async def story(operator: Operator) -> None:
        templates_of(operator).create(template({"name": "open", "source": "x", "container": {}}))
        operator.create(run(shot="010"))
        await operator.until(lambda: operator.get().is_finished)
        await operator.until_idle()
        operator.create_action("resume", "too-early")
        await operator.until(lambda: operator.result("too-early") != ("", ""))
        assert operator.result("too-early")[0] == "InvalidJob"
        change(operator, template())
        operator.create_action("resume")
        await operator.until(lambda: operator.result() != ("", ""))
        assert operator.result() == ("Done", "resumed; it goes on at 'open'")
        ensojob = await succeeds(operator)
        assert ensojob.raw_status["template"]["generation"] == 2
        assert "reason" not in ensojob.raw_status
        assert "why" not in ensojob.raw_status

    operate(story)


@pytest.mark.parametrize(("wanted", "state"), [(1, "Failed"), (2, "Succeeded"), (3, "Waiting")])
def test_a_run_may_ask_for_one_generation(wanted: int, state: str) -> None:
    async def story(operator: Operator) -> None:
        templates_of(operator).create(template())
        change(operator, template(activeDeadlineSeconds=600))
        document = run(shot="010")
        document["spec"]["templateRef"]["generation"] = wanted
        operator.create(document)
        await operator.until(lambda: operator.get().raw_status.get("conditions"))
        await operator.until_idle()
        assert operator.get().state == state
        if state == "Waiting":
            change(operator, template(activeDeadlineSeconds=900))
            await succeeds(operator)

    operate(story)


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_lost_expansion_is_made_again_where_the_template_is_what_it_was(
    is_changed: bool,
) -> None:
    async def story(operator: Operator) -> None:
        templates_of(operator).create(template())
        await operator.waits_suspended(run(shot="010"))
        (definition,) = operator.get().raw_ledger["definitions"]
        delete(revisions_of(operator), definition["name"])
        if is_changed:
            change(operator, template(activeDeadlineSeconds=600))
        operator.patch(suspend=False)
        await operator.until(lambda: operator.get().is_finished)
        ensojob = operator.get()
        if is_changed:
            assert ensojob.state == "Failed"
            assert (
                "what template publish made of it is lost"
                in (ensojob.condition("Succeeded")["message"])
            )
        else:
            assert ensojob.state == "Succeeded"
            assert revisions_of(operator).get(definition["name"])

    operate(story)


def test_a_params_change_that_an_older_crd_lets_through_stops_the_job() -> None:
    async def story(operator: Operator) -> None:
        templates_of(operator).create(template())
        await operator.waits_suspended(run(shot="010"))
        operator.patch(params={"shot": "020"}, suspend=False)
        await operator.until(lambda: operator.get().is_finished)
        assert operator.get().state == "Failed"
        assert "its spec was changed" in operator.get().condition("Succeeded")["message"]

    operate(story)


def test_each_load_gives_the_actor_the_expansion(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Document] = []

    class Actor(ensojob_actor.EnsoJobActor):
        def __init__(self, **parts: Any) -> None:  # noqa: ANN401  # those of the base
            super().__init__(**parts, on_loaded=lambda ensojob: seen.append(ensojob.manifest))

    monkeypatch.setattr("tests.support.in_memory_operator.EnsoJobActor", Actor)

    async def story(operator: Operator) -> None:
        templates_of(operator).create(template(sessions=[{"name": "a", "image": "houdini:20"}]))
        operator.create(run(shot="010"))
        await succeeds(operator)
        assert seen
        assert all(
            manifest["spec"]["sessions"] == [{"name": "a", "image": "houdini:20"}]
            for manifest in seen
        )

    operate(story)


class Late(InMemoryObjects):
    """Templates of which each is created a moment after it was looked for."""

    def get(self, name: str) -> Document:
        self.create(template() | {"metadata": {"name": name}})
        raise NoSuchObject(name)


def test_a_template_that_comes_as_it_is_looked_for_is_not_what_may_have_been_meant() -> None:
    with pytest.raises(TemplateMissing, match=r"namespace shows: apply it$"):
        find(TemplateReference(name="publish"), Late(InMemoryCluster(), "shows"))
