"""EnsoActions: each is done or refused once, in the order of their creation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from enso_operator.api.document import Document
from enso_operator.controller import action_dispatcher
from enso_operator.kube.client import Refused
from enso_operator.kube.ensoaction import EnsoActionObject
from job_execution_framework.domain.errors import Unavailable
from tests.support.in_memory_objects import InMemoryCluster, InMemoryObjects
from tests.support.in_memory_operator import SHOT, Operator, operate
from tests.support.resources import of_scripts


def test_a_failed_job_is_resumed_and_the_action_says_so() -> None:
    async def story(operator: Operator) -> None:
        await operator.fails()
        writes = operator.cluster.version
        operator.create_action("resume", why="a licence was missing", by="ann")
        await operator.until(lambda: operator.get().state == "Succeeded")
        await operator.until_idle()
        resumed = "resumed; it goes on at 'script-1' after script-0 has run again"
        assert operator.result() == ("Done", resumed)
        action = operator.actions.get("again")
        assert [owner["uid"] for owner in action["metadata"]["ownerReferences"]] == [
            operator.get().uid
        ]
        assert operator.get().raw_ledger["actions"] == [f"{action['metadata']['uid']}/again"]
        assert operator.action_cluster.version == 3, "created, owned, told"
        assert operator.cluster.version - writes <= 4, "resumed, opened, ended"
        assert len(operator.pending) == 0

    operator = operate(story)
    (resumed,) = [
        event for event in operator.events.stored.values() if event["reason"] == "JobResumed"
    ]
    assert "ann" in resumed["message"]
    assert "a licence was missing" in resumed["message"]


def test_an_event_says_where_nobody_knows_who_asked() -> None:
    async def story(operator: Operator) -> None:
        await operator.fails()
        operator.create_action("resume")
        await operator.until(lambda: operator.result()[0])

    events = operate(story).events.stored.values()
    messages = {event["reason"]: event["message"] for event in events}
    assert messages["JobResumed"] == "by unknown"


def test_a_refusal_is_told_and_changes_nothing() -> None:
    async def story(operator: Operator) -> None:
        await operator.fails()
        before = operator.get()
        operator.create_action("pause", name="too-late")
        operator.create_action("skip", name="unknown", skip={"script": "no-such"})
        await operator.until(lambda: operator.result("unknown")[0])
        await operator.until_idle()
        why = "job shot is Failed: only a job that has not ended can be paused"
        assert operator.result("too-late") == ("NotPossible", why)
        assert operator.get().version == before.version

    operate(story)


def test_a_resting_job_is_acted_on() -> None:
    async def story(operator: Operator) -> None:
        await operator.waits_suspended()
        operator.create_action("pause", name="one")
        operator.create_action("resume", name="two")
        await operator.until(lambda: operator.result("two")[0])
        assert operator.result("two") == ("Done", "resumed; still suspended by its spec")
        operator.create_action("cancel", name="three")
        await operator.until_finished()
        assert operator.result("three") == ("Done", "cancelled")
        assert operator.get().state == "Cancelled"

    operate(story)


def test_actions_that_the_watch_shows_in_another_order_are_done_in_that_of_their_creation() -> None:
    async def story(operator: Operator) -> None:
        await operator.waits_suspended()
        operator.action_cluster.watch = lambda _kind, _document: None
        asked = [
            operator.create_action(verb, name=f"{99 - number}-{verb}")
            for number in range(20)
            for verb in ("pause", "resume")
        ]
        labelled = operator.actions.own(asked[4].name, asked[4].version, [])
        for action in [*reversed(asked), EnsoActionObject(labelled)]:
            operator.pending.on_event("ADDED", action.document)
        await operator.until(lambda: operator.result(asked[-1].name)[0])
        await operator.until_idle()
        assert {operator.result(action.name)[0] for action in asked} == {"Done"}
        ledger = operator.get().raw_ledger["actions"]
        assert ledger == [action.action_id for action in asked]

    operate(story)


def test_an_action_that_was_withdrawn_in_time_is_not_done() -> None:
    async def story(operator: Operator) -> None:
        await operator.fails()
        watch = operator.action_cluster.watch
        operator.action_cluster.watch = lambda _kind, _document: None
        action = operator.create_action("resume")
        operator.actions.delete("again", action.uid, action.version)
        watch("ADDED", action.document)
        await operator.until(lambda: not len(operator.pending))
        await operator.until_idle()
        assert operator.get().state == "Failed"

    operate(story)


@pytest.mark.parametrize("says_uid", [True, False])
def test_what_an_old_watch_shows_does_nothing_to_a_job_that_was_created_again(
    says_uid: bool,
) -> None:
    async def story(operator: Operator) -> None:
        jobs, actions = recorded(operator.cluster), recorded(operator.action_cluster)
        await operator.fails()
        uid = {"jobUID": operator.get().uid} if says_uid else {}
        acted = operator.create_action("pause", name="acted", **uid)
        await operator.until(lambda: operator.result("acted")[0])
        show_action = operator.action_cluster.watch
        operator.action_cluster.watch = lambda _kind, _document: None
        waits = operator.create_action("resume", name="waits", **uid)
        actions.append(("ADDED", waits.document))
        for action in (acted, waits):
            version = operator.actions.get(action.name)["metadata"]["resourceVersion"]
            operator.actions.delete(action.name, action.uid, version)
        old = [*jobs], [*actions]
        operator.action_cluster.watch = show_action
        operator.delete()
        await operator.fails()
        new, sessions = operator.get(), len(operator.backend.created)

        for kind, document in old[0]:
            operator.reconciler.on_event(kind, document)
        for kind, document in old[1]:
            operator.pending.on_event(kind, document)
        await operator.until(lambda: not len(operator.pending))
        await operator.until_idle()
        assert operator.get().document == new.document
        assert [
            created.plans for created in operator.backend.created[sessions:] if created.plans
        ] == []

    operate(story)


def recorded(cluster: InMemoryCluster) -> list[tuple[str, Document]]:
    """Return a list to which the watch's events are added from now on."""
    show, events = cluster.watch, list[tuple[str, Document]]()

    def record(kind: str, document: Document) -> None:
        events.append((kind, document))
        show(kind, document)

    cluster.watch = record
    return events


def test_a_second_action_of_the_same_name_is_refused() -> None:
    async def story(operator: Operator) -> None:
        await operator.fails()
        operator.backend.failing = {"script-1"}
        first = operator.create_action("resume")
        await operator.until(lambda: operator.result()[0] and operator.get().is_finished)
        await operator.until_idle()
        operator.actions.delete(
            "again", first.uid, operator.actions.get("again")["metadata"]["resourceVersion"]
        )
        operator.create_action("resume")
        await operator.until(lambda: operator.result()[0])
        why = "an action again was done on job shot before: give it a new name"
        assert operator.result() == ("NameUsed", why)
        await operator.until_idle()
        assert operator.get().raw_ledger["resumes"] == 1

    operate(story)


def test_an_action_whose_job_has_another_uid_is_refused() -> None:
    async def story(operator: Operator) -> None:
        await operator.fails()
        operator.create_action("resume", jobUID="of-the-one-before")
        await operator.until(lambda: operator.result()[0])
        assert operator.result()[0] == "AnotherJob"
        assert "ownerReferences" not in operator.actions.get("again")["metadata"]

    operate(story)


def test_an_action_on_a_job_that_there_is_not_is_refused_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(action_dispatcher, "UNKNOWN_SECONDS", 0.1)

    async def story(operator: Operator) -> None:
        operator.create_action("resume")
        assert operator.result() == ("", "")
        await operator.until(lambda: operator.result()[0])
        assert operator.result() == ("JobNotFound", "there is no job 'shot' in namespace 'shows'")

    operate(story)


def test_an_action_may_be_applied_before_its_job() -> None:
    async def story(operator: Operator) -> None:
        operator.create_action("pause")
        await asyncio.sleep(0)
        operator.create(SHOT)
        await operator.until(lambda: operator.result()[0])
        assert operator.result()[0] == "Done"
        assert operator.get().state == "Suspended"

    operate(story)


def test_actions_on_what_makes_no_job_are_refused() -> None:
    async def story(operator: Operator) -> None:
        token = {"name": "x", "secretKeyRef": {"name": "tracker"}}
        operator.create(of_scripts({"args": {"x": 1}, "argsFrom": [token]}))
        await operator.until_finished()
        operator.create_action("resume")
        await operator.until(lambda: operator.result()[0])
        why = "spec.scripts[script-0].argsFrom[x].secretKeyRef.key is missing: add it"
        assert operator.result() == ("InvalidJob", f"job shot cannot be acted on: {why}")
        await operator.until_idle()

    operate(story)


def test_an_action_that_cannot_be_read_or_written_holds_up_no_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The job goes on meanwhile; later the action is told, and was done once."""

    async def story(operator: Operator) -> None:
        await operator.fails()
        away, own = ["get", "own"], InMemoryObjects.own

        def fails_first(self: InMemoryObjects, *args: object) -> Document:
            if self.cluster is operator.action_cluster and away:
                raise Unavailable(f"{away.pop()} is away")
            return own(self, *args)  # type: ignore[arg-type]

        monkeypatch.setattr(InMemoryObjects, "own", fails_first)
        operator.create_action("resume")
        await operator.until(lambda: operator.get().state == "Succeeded")
        await operator.until(lambda: operator.result()[0])
        await operator.until_idle()
        assert not away
        assert operator.result()[0] == "Done"
        assert operator.get().raw_ledger["resumes"] == 1

    operate(story)


def test_a_refusal_is_decided_on_the_job_as_it_is_now() -> None:
    async def story(operator: Operator) -> None:
        operator.backend.waits_for_control = True
        operator.create()
        await operator.until(lambda: operator.get().committed_uid)
        operator.cluster.watch = lambda _kind, _document: None
        operator.patch(suspend=True)
        operator.create_action("resume")
        await operator.until(lambda: operator.result()[0])
        patch = (
            """kubectl -n shows patch ensojob shot --type=merge -p '{"spec": {"suspend": false}}'"""
        )
        why = f"job shot is suspended by its spec: set spec.suspend to false with {patch}"
        assert operator.result() == ("NotPossible", why)

    operate(story)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"scripts": [{"name": "script-1", "source": "y"}]}, "source of script 'script-1'"),
        ({"sessions": [{"name": "main", "image": "b"}]}, "image of session 'main'"),
        (
            {"sessions": [{"name": "main", "env": [{"name": "A", "value": "b"}]}]},
            "env of session 'main'",
        ),
    ],
)
def test_without_a_policy_no_resume_changes_code(change: Document, what: str) -> None:
    async def story(operator: Operator) -> None:
        await operator.fails()
        operator.create_action("resume", resume=change)
        await operator.until(lambda: operator.result()[0])
        why = (
            f"this operator lets no resume change the {what}: no admission policy here says who "
            "may; create a new job"
        )
        assert operator.result() == ("InvalidAction", why)

    operate(story)


def test_an_api_server_that_selects_by_names_alone_does_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    each = InMemoryObjects.each

    def selects_by_name(self: InMemoryObjects, *, fields: str = "") -> Iterator[Document]:
        if fields:
            raise Refused("field label not supported: spec.job")
        return each(self)

    monkeypatch.setattr(InMemoryObjects, "each", selects_by_name)

    async def story(operator: Operator) -> None:
        await operator.fails()
        operator.create_action("resume")
        operator.create_action("cancel", name="of-another", job="another")
        await operator.until(lambda: operator.get().state == "Succeeded")
        await operator.until(lambda: operator.result()[0])
        assert operator.result()[0] == "Done"

    operate(story)
