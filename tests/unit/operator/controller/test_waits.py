"""What metrics tell of jobs that wait for something outside of them: a node, an image."""

from __future__ import annotations

from dataclasses import replace

from enso_operator.coordinator.session_location import NOWHERE
from job_execution_framework.domain.cause import Cause, Reason
from tests.support.in_memory_operator import Operator, operate

NO_NODE = Cause(Reason.UNSCHEDULABLE, "0/3 nodes are available")


def test_a_job_is_told_to_wait_from_when_it_does_until_it_goes_on() -> None:
    async def story(operator: Operator) -> None:
        reconciler, backend = operator.reconciler, operator.backend
        backend.waits_for_control = True
        job = operator.create()
        await operator.until(lambda: backend.created and backend.created[0].runs)
        sessions, actor = backend.created[0], reconciler.actors[job.uid]
        await operator.until(lambda: actor.waits_since is None and operator.get().is_observed)
        assert [*reconciler.waits()] == []

        sessions.location = replace(NOWHERE, waits=NO_NODE)
        actor.wake()
        await operator.until(lambda: [*reconciler.waits()])
        ((cause, seconds),) = reconciler.waits()
        assert (cause, seconds >= 0) == (NO_NODE, True)
        since = actor.waits_since

        # Other words for the same wait, as when one more node is full: it goes on.
        sessions.location = replace(NOWHERE, waits=replace(NO_NODE, message="0/4 nodes"))
        actor.wake()
        await operator.until(lambda: "0/4 nodes" in str(operator.get().document["status"]))
        assert actor.waits_since == since

        sessions.location = NOWHERE
        actor.wake()
        await operator.until(lambda: not [*reconciler.waits()])
        assert actor.waits_since is None

    operate(story)
