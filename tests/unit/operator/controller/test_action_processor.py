"""What goes wrong around an EnsoAction: nothing is done twice, out of order, or without end."""

from __future__ import annotations

import asyncio

import pytest

from enso_operator.api.document import Document
from enso_operator.controller import action_dispatcher
from enso_operator.kube.ensoaction import EnsoActionObject
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.domain.job import Job
from tests.support.in_memory_objects import InMemoryObjects
from tests.support.in_memory_operator import SHOT, Operator, operate
from tests.support.resources import of_scripts

NO_JOB = of_scripts({"args": {"x": 1}, "argsFrom": [{"name": "x"}]})


def unseen(kind: str, document: Document) -> None:
    """Show nothing, as a watch that is late."""
    del kind, document


def test_while_a_status_cannot_be_written_nothing_turns_in_circles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loads, load = list[str](), KubernetesJobUnitOfWork.load
    patch_status = InMemoryObjects.patch_status

    def counted(self: KubernetesJobUnitOfWork, job_id: str) -> tuple[Job, str]:
        loads.append(job_id)
        return load(self, job_id)

    async def story(operator: Operator) -> None:
        await operator.fails()
        tries = list[str]()

        def is_away(self: InMemoryObjects, name: str, version: str, patch: Document) -> Document:
            if self.cluster is operator.action_cluster:
                tries.append(name)
                raise Unavailable("it is away")
            return patch_status(self, name, version, patch)

        monkeypatch.setattr(InMemoryObjects, "patch_status", is_away)
        monkeypatch.setattr(KubernetesJobUnitOfWork, "load", counted)
        operator.create_action("resume")
        await operator.until(lambda: operator.get().state == "Succeeded" and tries)
        turns = list[float]()
        actor = next(iter(operator.reconciler.actors.values()))
        turn = actor._turn  # pyright: ignore[reportPrivateUsage]

        async def turned() -> object:
            turns.append(0)
            return await turn()

        actor._turn = turned  # type: ignore[assignment,method-assign]
        await asyncio.sleep(0.4)
        assert len(turns) <= 3

    operate(story)


def test_a_resumed_job_that_its_spec_suspends_opens_no_session() -> None:
    async def story(operator: Operator) -> None:
        await operator.waits_suspended()
        operator.create_action("cancel", name="first")
        await operator.until(lambda: operator.result("first")[0])
        operator.create_action("resume")
        await operator.until(lambda: operator.result()[0])
        await operator.until_idle()
        assert operator.result() == ("Done", "resumed; still suspended by its spec")
        assert operator.get().state == "Suspended"

    operator = operate(story)
    assert "SessionOpened" not in operator.events.reasons()


def test_what_was_done_is_told_before_another_action_is_done() -> None:
    """The ledger of a job forgets an action after 64 others: then it could be done again."""

    async def story(operator: Operator) -> None:
        await operator.waits_suspended()
        done = operator.create_action("pause", name="done")
        await operator.until(lambda: operator.result("done")[0])
        await operator.until_idle()
        # As an operator leaves it that is killed between the owner and the status.
        stored = operator.action_cluster.stored["shows", "done"]
        del stored["status"]
        operator.action_cluster.watch = lambda _kind, _document: None
        others = [
            operator.create_action(verb, name=f"{number:02}-{verb}")
            for number in range(40)
            for verb in ("resume", "pause")
        ]
        later = EnsoActionObject(operator.actions.own("done", done_version(operator), done.owners))
        for action in (*others, later):
            operator.pending.on_event("ADDED", action.document)
        await operator.until(lambda: not len(operator.pending))
        await operator.until_idle()
        assert operator.result("done") == ("Done", "paused")
        assert {operator.result(other.name)[0] for other in others} == {"Done"}
        ledger = operator.get().raw_ledger["actions"]
        assert ledger == [other.action_id for other in others][-64:]

    operate(story)


def done_version(operator: Operator) -> str:
    return str(operator.actions.get("done")["metadata"]["resourceVersion"])


def test_the_list_that_makes_the_order_is_made_again_where_it_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    each, failures = InMemoryObjects.each, [Unavailable("it is away")]

    def fails_once(self: InMemoryObjects, *, fields: str = "") -> object:
        if fields and failures:
            raise failures.pop()
        return each(self, fields=fields)

    monkeypatch.setattr(InMemoryObjects, "each", fails_once)

    async def story(operator: Operator) -> None:
        await operator.waits_suspended()
        watch = operator.action_cluster.watch
        operator.action_cluster.watch = unseen
        first, second = (
            operator.create_action("pause", "z-pause"),
            operator.create_action("resume", "a-resume"),
        )
        watch("ADDED", second.document)
        await operator.until(
            lambda: operator.result("z-pause")[0] and operator.result("a-resume")[0]
        )
        assert operator.get().raw_ledger["actions"] == [first.action_id, second.action_id]

    operate(story)


def test_an_action_on_a_job_of_the_same_name_does_not_wait_for_the_one_that_was_deleted() -> None:
    async def story(operator: Operator) -> None:
        operator.backend.waits_for_control = True
        operator.create(SHOT)
        await operator.until(lambda: operator.get().committed_uid)
        (dying,) = operator.reconciler.actors.values()
        dying.sessions.tell = ignored  # type: ignore[method-assign]
        operator.delete()
        await operator.until(lambda: dying.is_deleted)
        operator.create(of_scripts({}, {}, suspend=True))
        await operator.until(lambda: operator.get().is_observed)
        operator.create_action("cancel")
        await operator.until(lambda: operator.result()[0])
        assert operator.result() == ("Done", "cancelled")

    operate(story)


async def ignored(run: str, uid: str, control: object) -> None:
    """Do not end, as a session on a node that cannot be reached."""
    del run, uid, control


def test_each_action_on_a_job_that_is_missing_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(action_dispatcher, "UNKNOWN_SECONDS", 0.3)

    async def story(operator: Operator) -> None:
        operator.create_action("pause", name="first")
        await asyncio.sleep(0.2)
        operator.create_action("pause", name="second")
        await operator.until(lambda: operator.result("first")[0])
        operator.create(of_scripts({}, {}, suspend=True))
        await operator.until(lambda: operator.result("second")[0])
        assert operator.result("first")[0] == "JobNotFound"
        assert operator.result("second")[0] == "Done"

    operate(story)


def test_a_refused_action_gets_its_owner_though_the_operator_was_killed_before() -> None:
    async def story(operator: Operator) -> None:
        await operator.fails()
        operator.create_action("pause")
        await operator.until(lambda: operator.result()[0])
        await operator.until_idle()
        stored = operator.action_cluster.stored["shows", "again"]
        owners = stored["metadata"].pop("ownerReferences")
        before = stored["status"]
        operator.pending.on_event(None, operator.actions.get("again"))
        await operator.until(lambda: not len(operator.pending))
        await operator.until_idle()
        assert operator.actions.get("again")["metadata"]["ownerReferences"] == owners
        assert operator.actions.get("again")["status"] == before
        assert operator.get().state == "Failed"

    operate(story)


def test_what_makes_no_job_refuses_no_action_on_the_one_that_came_after() -> None:
    async def story(operator: Operator) -> None:
        operator.create(NO_JOB)
        await operator.until_finished()
        old = operator.get()
        watch = operator.cluster.watch
        operator.cluster.watch = unseen
        operator.delete()
        new = operator.create(of_scripts({}, {}, suspend=True))
        operator.reconciler.act_on(old)
        operator.create_action("cancel", jobUID=new.uid)
        watch("DELETED", old.document)
        watch("ADDED", new.document)
        await operator.until(lambda: operator.result()[0])
        assert operator.result() == ("Done", "cancelled")

    operate(story)


def test_an_action_on_what_makes_no_job_belongs_to_it() -> None:
    async def story(operator: Operator) -> None:
        operator.create(NO_JOB)
        await operator.until_finished()
        operator.create_action("resume")
        await operator.until(lambda: not len(operator.pending) and operator.result()[0])
        (owner,) = operator.actions.get("again")["metadata"]["ownerReferences"]
        assert owner["uid"] == operator.get().uid
        assert operator.result()[0] == "InvalidJob"

    operate(story)


def test_a_rule_that_the_api_server_cannot_check_is_checked() -> None:
    async def story(operator: Operator) -> None:
        await operator.fails()
        change = {"name": "script-1", "args": {"a": 1}, "unsetArgs": ["a"]}
        operator.create_action("resume", resume={"scripts": [change]})
        await operator.until(lambda: operator.result()[0])
        where = "spec.resume.scripts[script-1].unsetArgs"
        why = f"{where} has a, which is in args, too: remove one of the two"
        assert operator.result() == ("InvalidAction", why)

    operate(story)
