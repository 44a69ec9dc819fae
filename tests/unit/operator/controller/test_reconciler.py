"""The reconciler: which jobs have an actor, which rest, and what becomes of those that break."""

from __future__ import annotations

import asyncio

import pytest

from enso_operator.api.document import Document
from enso_operator.controller.pending_actions import PendingActions
from enso_operator.controller.reconciler import Reconciler
from job_execution_framework.domain.control import CANCEL
from job_execution_framework.domain.errors import Unavailable
from tests.support.in_memory_objects import InMemoryObjects
from tests.support.in_memory_operator import Operator, operate
from tests.support.resources import of_scripts

NO_JOB = of_scripts({"args": {"x": 1}, "argsFrom": [{"name": "x"}]})


def test_a_job_runs_to_its_end_and_is_held_no_more() -> None:
    async def story(operator: Operator) -> None:
        operator.create()
        await operator.until_finished()
        assert (operator.reconciler.actors, operator.reconciler.live) == ({}, 0)
        assert operator.get().state == "Succeeded"
        assert not operator.get().needs_work

    operator = operate(story)
    assert operator.events.reasons()["ScriptSucceeded"] == 2
    assert len(operator.backend.requested_uids) == 1


def test_what_is_seen_of_a_job_that_has_ended_begins_nothing() -> None:
    async def story(operator: Operator) -> None:
        operator.create()
        await operator.until_finished()
        later = Reconciler(
            operator.cluster.objects,
            operator.backend,
            operator.actor,
            operator.clock,
            operator.metrics,
            PendingActions(),
        )
        later.on_event(None, operator.get().document)
        assert (later.actors, later.live) == ({}, 0)

    assert len(operate(story).backend.requested_uids) == 1


def test_two_sights_in_one_turn_of_the_loop_have_one_actor() -> None:
    async def story(operator: Operator) -> None:
        operator.create()
        operator.patch(ttlSecondsAfterFinished=60)
        await operator.until(lambda: operator.get().is_finished)

    assert len(operate(story).backend.requested_uids) == 1


def test_a_deletion_in_the_turn_of_the_first_sight_reaches_the_actor() -> None:
    async def story(operator: Operator) -> None:
        uid = operator.create().uid
        operator.delete()
        await operator.until(lambda: uid in operator.backend.forgotten)
        await operator.until_idle()
        reconciler = operator.reconciler
        assert (reconciler.known, reconciler.actors, reconciler.live) == ({}, {}, 0)

    operate(story)


def test_a_suspended_job_rests_until_it_is_let_go() -> None:
    async def story(operator: Operator) -> None:
        operator.create(of_scripts({}, suspend=True))
        await operator.until(lambda: operator.get().raw_status)
        await operator.until_idle()
        assert (operator.reconciler.actors, operator.reconciler.live) == ({}, 1)
        operator.patch(suspend=False)
        await operator.until_finished()
        assert operator.reconciler.live == 0

    operate(story)


def test_a_job_that_rests_until_something_is_due_wakes_in_time() -> None:
    async def story(operator: Operator) -> None:
        operator.cluster.watch = lambda _kind, _document: None  # nobody shows that it is due
        ensojob = operator.create()
        operator.reconciler.known[ensojob.uid] = int(ensojob.version)
        operator.reconciler._rest(ensojob, 0.05)  # pyright: ignore[reportPrivateUsage]
        await operator.until(lambda: operator.get().is_finished)

    operate(story)


def test_an_actor_that_breaks_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enso_operator.controller.reconciler.LONGEST_BACK_OFF_SECONDS", 0.01)

    async def story(operator: Operator) -> None:
        operator.failures[:] = [ValueError("a mistake"), ValueError("another one")]
        operator.create()
        await operator.until_finished()

    operator = operate(story)
    assert operator.get().state == "Succeeded"
    assert len(operator.backend.requested_uids) == 1  # they drive the same sessions
    messages = [event["message"] for event in operator.events.stored.values()]
    assert sum("enso itself broke" in message for message in messages) == 1


def test_a_job_that_is_deleted_while_its_actor_is_broken_waits_for_nothing() -> None:
    async def story(operator: Operator) -> None:
        operator.failures[:] = [ValueError("a mistake")]
        uid = operator.create().uid
        await operator.until(lambda: operator.events.stored)
        operator.delete()  # another actor would begin in 2 s
        await operator.until(lambda: uid in operator.backend.forgotten)

    operate(story)


def test_a_job_that_is_deleted_while_its_session_runs_is_ended_in_order() -> None:
    async def story(operator: Operator) -> None:
        operator.backend.waits_for_control = True
        uid = operator.create().uid
        await operator.until(lambda: operator.get().committed_uid)
        await operator.until(lambda: operator.backend.created[0].runs["main-1"].released)
        operator.delete()
        await operator.until(lambda: uid in operator.backend.forgotten)
        assert operator.reconciler.live == 0

    operator = operate(story)
    session = operator.backend.created[0].runs["main-1"]
    assert (session.control, session.dead) == (CANCEL, True)
    told = {event["reason"]: event["message"] for event in operator.events.stored.values()}
    assert told["JobCancelled"] == "its EnsoJob was deleted"
    assert "SessionEnded" in told


def test_an_object_that_makes_no_job_is_refused_once() -> None:
    async def story(operator: Operator) -> None:
        operator.create(NO_JOB)
        await operator.until_finished()
        assert operator.reconciler.live == 0
        assert operator.get().state == "Failed"

    operator = operate(story)
    assert operator.events.reasons() == {"NotGoingOn": 1}


def test_a_status_that_cannot_be_read_is_looked_at_less_and_less_often() -> None:
    async def story(operator: Operator) -> None:
        operator.create(of_scripts({}, suspend=True))
        await operator.until(lambda: operator.get().raw_status)
        await operator.until_idle()
        for odd in ("Odd", "Odder"):
            version = operator.get().version
            condition = operator.get().condition("Succeeded") | {"reason": odd}
            operator.jobs.patch_status("shot", version, {"conditions": [condition]})
            await asyncio.sleep(0.05)
            await operator.until_idle()
        assert operator.reconciler.live == 1

    assert len(operate(story).backend.requested_uids) == 2  # at first sight, and once more


@pytest.mark.parametrize(("kind", "is_news"), [("MODIFIED", False), (None, True)])
def test_only_a_listing_may_bring_what_is_older(kind: str | None, *, is_news: bool) -> None:
    async def story(operator: Operator) -> None:
        operator.cluster.watch = lambda _kind, _document: None
        older = operator.create(of_scripts({}, suspend=True)).document
        newer = operator.patch(ttlSecondsAfterFinished=60).document
        operator.reconciler.on_event("ADDED", newer)
        operator.reconciler.on_event(kind, older)
        shown = older if is_news else newer
        version = int(shown["metadata"]["resourceVersion"])
        assert [*operator.reconciler.known.values()] == [version]

    operate(story)


def test_a_sweep_finds_what_the_watch_has_missed() -> None:
    async def story(operator: Operator) -> None:
        operator.cluster.watch = lambda _kind, _document: None
        seen = operator.create(of_scripts({}, suspend=True))
        missed = operator.create(of_scripts({}) | {"metadata": {"name": "missed"}})
        operator.reconciler.on_event("ADDED", seen.document)
        operator.reconciler.known["gone"] = 1
        unseen = await operator.reconciler.sweep()
        versions = {missed.uid: int(missed.version)}
        newest = operator.get()  # its first sight may have been written meanwhile
        if newest.version != seen.version:
            versions[seen.uid] = int(newest.version)
        assert dict(unseen).items() >= {(missed.uid, int(missed.version))}
        assert dict(unseen).items() <= versions.items()
        assert "gone" not in operator.reconciler.known
        await operator.until_idle()
        assert operator.backend.kept == [{seen.uid, missed.uid}]

    operate(story)


def test_a_job_whose_time_to_live_is_over_is_deleted() -> None:
    async def story(operator: Operator) -> None:
        uid = operator.create(of_scripts({}, ttlSecondsAfterFinished=0)).uid
        await operator.until(lambda: not operator.cluster.stored)
        await operator.until(lambda: uid in operator.backend.forgotten)
        assert operator.reconciler.known == {}

    operate(story)


def test_a_reconciler_that_was_stopped_begins_nothing() -> None:
    async def story(operator: Operator) -> None:
        await operator.reconciler.stop(30)
        operator.create()
        await asyncio.sleep(0.02)
        assert not operator.get().raw_status

    operate(story)


def test_a_job_that_cannot_be_read_when_it_is_due_is_asked_for_again() -> None:
    class Shaky(InMemoryObjects):
        def get(self, name: str) -> Document:
            tries.append(name)
            if len(tries) == 1:
                raise Unavailable("it is away")
            return super().get(name)

    tries = list[str]()

    async def story(operator: Operator) -> None:
        operator.cluster.watch = lambda _kind, _document: None
        operator.reconciler.objects = lambda namespace: Shaky(operator.cluster, namespace)
        ensojob = operator.create()
        operator.reconciler._rest(ensojob, 0)  # pyright: ignore[reportPrivateUsage]
        await operator.until(lambda: operator.get().is_finished)

    operate(story)
    assert tries == ["shot", "shot"]
