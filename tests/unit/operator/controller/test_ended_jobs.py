"""What an operator that begins reads of jobs that have ended, and what it makes of that."""

from __future__ import annotations

import asyncio

import pytest

from enso_operator.api.document import Document
from enso_operator.controller import rereads
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.finished import FINISHED, ended
from tests.support.in_memory_operator import Operator, operate
from tests.support.resources import of_scripts


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rereads, "SETTLES_SECONDS", 0.01)


def listed(operator: Operator) -> Document:
    (document,) = operator.jobs.each(fields=FINISHED, read=ended)
    return document


def unwatched(operator: Operator) -> None:
    """Show the operator no changes any more, as if it were away."""
    operator.cluster.watch = lambda _kind, _document: None


def observed(operator: Operator) -> object:
    return operator.get().raw_status["observedGeneration"]


async def ends(operator: Operator, **spec: object) -> None:
    operator.create(of_scripts({}, **spec))
    await operator.until_finished()


@pytest.mark.parametrize("spec", [{}, {"ttlSecondsAfterFinished": 3600}], ids=["kept", "expires"])
def test_a_few_fields_tell_what_the_whole_object_does(spec: Document) -> None:
    async def story(operator: Operator) -> None:
        await ends(operator, **spec)
        for _ in ("as it ended", "changed since"):
            part, whole = EnsoJobObject(listed(operator)), operator.get()
            assert "scripts" not in part.document["spec"]
            assert part.reference == whole.reference
            assert part.needs_work == whole.needs_work
            assert part.expires_at == whole.expires_at
            unwatched(operator)
            operator.patch(suspend=True)

    operate(story)


def test_one_that_was_changed_is_read_as_a_whole() -> None:
    async def story(operator: Operator) -> None:
        await ends(operator)
        unwatched(operator)
        operator.patch(suspend=True)
        operator.reconciler.on_ended(listed(operator))
        await operator.until(lambda: observed(operator) == 2)
        assert operator.get().state == "Succeeded"

    assert len(operate(story).backend.requested_uids) == 2  # when it began, and to look at it


def test_one_that_was_changed_is_read_though_a_later_version_was_seen_before_a_restore() -> None:
    async def story(operator: Operator) -> None:
        await ends(operator)
        unwatched(operator)
        ensojob = operator.patch(suspend=True)
        operator.reconciler.known[ensojob.uid] = int(ensojob.version) + 100
        operator.reconciler.on_ended(listed(operator))
        await operator.until(lambda: observed(operator) == 2)

    operate(story)


def test_one_that_has_an_actor_is_left_to_it() -> None:
    async def story(operator: Operator) -> None:
        await ends(operator)
        part = listed(operator)
        operator.patch(suspend=True)
        await asyncio.sleep(0)  # the watch has shown it, and its actor is at work
        assert operator.reconciler.actors
        operator.reconciler.on_ended(part)
        await operator.until(lambda: observed(operator) == 2)
        await operator.until_idle()
        assert operator.reconciler.live == 0

    operate(story)


def test_one_whose_time_is_over_is_deleted() -> None:
    async def story(operator: Operator) -> None:
        await ends(operator)
        unwatched(operator)
        version = operator.patch(ttlSecondsAfterFinished=0).version
        operator.jobs.patch_status("shot", version, {"observedGeneration": 2})
        operator.reconciler.on_ended(listed(operator))
        await operator.until(lambda: not operator.cluster.stored)

    operate(story)
