"""What `add` makes of instructions, and the sentences with which it refuses what is no job."""

from __future__ import annotations

from typing import Any

import pytest

from job_execution_framework.domain.errors import Conflict, InvalidJob
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import Container, Script, Session, Source
from job_execution_framework.service_layer.services import Instruction, add
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork

WORK = Source("def main(): pass")


def step(
    name: str = "open", session: str = "main", retries: Retries | None = None, timeout: float = 1
) -> Script:
    return Script(name, WORK, {}, session, retries=retries or Retries(), timeout_seconds=timeout)


REFUSED: list[tuple[list[Any], str]] = [
    ([], "a job needs at least one script"),
    (["open"], "instruction 'open' is not a script's name and its parameters"),
    ([("open",)], "is not a script's name and its parameters"),
    ([("open", {}, 1)], "is not a script's name and its parameters"),
    ([("open", None)], "is not a script's name and its parameters"),
    ([("", {})], "is not a script's name and its parameters"),
    ([(1, {})], "is not a script's name and its parameters"),
    ([("open", {"a\nb": 2})], r"script 'open': parameter name 'a\nb' is not printable"),
    ([step(), step()], "script name 'open' is used more than once"),
    ([step("open_scene")], "script name 'open_scene': use at most 63 lower-case letters"),
    ([step("a" * 64)], "use at most 63 lower-case letters"),
    ([step(session="nuke")], "names session 'nuke', but the job has houdini, main"),
    (
        [step("a"), step("b", session="houdini"), step("c")],
        "'c' goes back to session 'main': the scripts of one session must stand together",
    ),
    (
        [step("a"), Script("curl", Container("curl")), step("c")],
        "'c' goes back to session 'main'",
    ),
    ([Script("main", Container("curl"))], "container script 'main' has the name of a session"),
    ([step(retries=Retries(-1))], "retries.limit is -1, but must be positive"),
    ([step(retries=Retries(1, -2))], "retries.backoffSeconds is -2, but must be positive"),
    ([step(timeout=0)], "timeoutSeconds is 0, but must be positive"),
    ([step(timeout=-1)], "timeoutSeconds is -1, but must be positive"),
]


def test_an_id_of_the_users_own_is_taken_once() -> None:
    uow = InMemoryJobUnitOfWork()
    assert add([step()], job_uow=uow, job_id="publish-010") == "publish-010"
    with pytest.raises(Conflict):
        add([step()], job_uow=uow, job_id="publish-010")


def test_steps_are_named_after_their_scripts() -> None:
    uow = InMemoryJobUnitOfWork()
    names = ["open_scene", "save", "open-scene", "Open Scene", "studio.tools:publish", "__"]
    job_id = add([(name, {}) for name in names], job_uow=uow)
    expected = [
        "open-scene",
        "save",
        "open-scene-2",
        "open-scene-3",
        "studio-tools-publish",
        "script",
    ]
    assert list(uow.jobs.get(job_id).rows) == expected


@pytest.mark.parametrize(("instructions", "says"), REFUSED)
def test_what_makes_no_job_is_refused_with_a_sentence(
    instructions: list[Instruction], says: str
) -> None:
    uow = InMemoryJobUnitOfWork()
    sessions = [Session(), Session("houdini")]
    with pytest.raises(InvalidJob) as caught:
        add(instructions, job_uow=uow, sessions=sessions)
    assert says in str(caught.value)
    assert uow.jobs.all() == []
