"""Arguments of EnsoJobs, compared with what EnsoScripts declare: at first sight and at resumes."""

from __future__ import annotations

import pytest

from enso_operator.api.document import Document
from enso_operator.controller import planner
from enso_operator.kube.library import EnsoScriptLibrary
from job_execution_framework.service_layer.plan import Defaults
from tests.support.in_memory_operator import Operator, operate
from tests.support.resources import library_script, of_scripts

PARAMETERS: list[Document] = [
    {"name": "frames", "type": "integer", "required": True, "minimum": 1},
    {"name": "shot", "type": "string", "pattern": "[0-9]{3}", "default": "010"},
    {"name": "token", "type": "string", "secret": True},
]
TOKEN = [{"name": "token", "secretKeyRef": {"name": "tracker", "key": "token"}}]


def operator_with(**spec: object) -> Operator:
    operator = Operator()
    scripts = operator.jobs.beside("ensoscripts")
    scripts.create(library_script("simulate", source="def main(:", **spec))
    operator.library = EnsoScriptLibrary(scripts)
    return operator


def simulate(**args: object) -> Document:
    return {"scriptRef": {"name": "simulate"}, "args": args}


def test_all_of_a_job_is_told_before_anything_of_it_starts() -> None:
    needs_token = [*PARAMETERS[:2], PARAMETERS[2] | {"required": True}]
    unfit = [simulate(frames="24", shot=8) | {"argsFrom": TOKEN}, {}, simulate(frame=24)]

    async def story(operator: Operator) -> None:
        operator.create(of_scripts(*unfit))
        await operator.until(lambda: operator.get().is_finished)
        ensojob = operator.get()
        assert ensojob.raw_status["reason"] == "InvalidJob"
        assert ensojob.raw_status["failure"]["message"].split("; ") == [
            (
                "script 'script-0': argument 'frames' is \"24\", a string, but takes an integer of "
                "at least 1: write it without quotes"
            ),
            (
                "script 'script-0': argument 'shot' is 8, an integer, but takes a string that "
                "matches [0-9]{3}: put it in quotes, as YAML reads an unquoted 010 as 8"
            ),
            "script 'script-2': argument 'frames' is missing: it takes an integer of at least 1",
            "script 'script-2': argument 'token' is missing: it takes a string",
            (
                "script 'script-2': argument 'frame' is nothing that script-2 takes: did you mean "
                "'frames'?"
            ),
        ]
        assert [sessions.plans for sessions in operator.backend.created] == [{}]

    operate(story, operator_with(parameters=needs_token))


def test_a_script_that_is_missing_hides_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "LIBRARY_PATIENCE_SECONDS", 0)

    async def story(operator: Operator) -> None:
        operator.create(of_scripts(simulate(), {"scriptRef": {"name": "save_scene"}}))
        await operator.until(lambda: operator.get().is_finished)
        failure = operator.get().raw_status["failure"]
        assert failure["reason"] == "ScriptNotFound"
        missing, unfit = failure["message"].split("; ")
        assert missing.startswith("script 'script-1': there is no script 'save_scene' in")
        assert unfit.startswith("script 'script-0': argument 'frames' is missing: ")

    operate(story, operator_with(parameters=PARAMETERS))


def test_a_script_gets_the_defaults_that_are_declared() -> None:
    async def story(operator: Operator) -> None:
        operator.create(of_scripts(simulate(frames=24)))
        await operator.until(lambda: operator.get().is_finished)
        assert operator.get().state == "Succeeded"

    operator = operate(story, operator_with(parameters=PARAMETERS))
    (plan,) = operator.backend.created[0].plans.values()
    assert plan.scripts[0].parameters == {"frames": 24}
    assert plan.defaults == (Defaults("script-0", {"shot": "010"}),)


def test_a_script_that_declares_nothing_takes_anything() -> None:
    async def story(operator: Operator) -> None:
        operator.create(of_scripts(simulate(frame=24)))
        await operator.until(lambda: operator.get().is_finished)
        assert operator.get().state == "Succeeded"

    operate(story, operator_with())


def test_a_declaration_that_cannot_be_meant_so_is_told() -> None:
    async def story(operator: Operator) -> None:
        operator.create(of_scripts(simulate(shot="010")))
        await operator.until(lambda: operator.get().raw_status.get("reason"))
        why = str(operator.get().condition("Succeeded")["message"])
        assert "spec.parameters[shot] has a pattern that has the quantifier +" in why

    operate(story, operator_with(parameters=[{"name": "shot", "pattern": "(a+)+"}]))


def test_a_resume_with_arguments_that_do_not_fit_is_refused_and_changes_nothing() -> None:
    async def story(operator: Operator) -> None:
        operator.backend.failing = {"script-1"}
        operator.create(of_scripts({}, simulate(frames=24)))
        await operator.until(lambda: operator.get().is_finished)
        await operator.until_idle()
        operator.backend.failing = set()
        before = operator.get()
        for name, args in (("unfit", {"frames": 0}), ("fit", {"frames": 12})):
            change = {"name": "script-1", "args": args}
            operator.create_action("resume", name=name, resume={"scripts": [change]})
        await operator.until(lambda: operator.result("unfit")[0])
        why = "script 'script-1': argument 'frames' is 0, but takes an integer of at least 1"
        assert operator.result("unfit") == ("InvalidAction", f"job shot cannot go on so: {why}")
        assert before.state == "Failed"
        await operator.until(lambda: operator.get().state == "Succeeded")
        assert operator.result("fit")[0] == "Done"

    operate(story, operator_with(parameters=PARAMETERS))
