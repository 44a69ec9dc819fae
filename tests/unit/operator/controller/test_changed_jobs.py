"""A job that is changed while an operator drives it."""

from __future__ import annotations

from enso_operator.api.ensoaction import ResumeSpec
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from enso_operator.manifests.changes import changed_definition
from job_execution_framework.domain.actions import Pause, Resume
from tests.support.in_memory_operator import Operator, operate
from tests.support.resources import of_scripts

SHOT = of_scripts(
    {"args": {"frames": 1}},
    {"args": {"frames": 1}},
    sessions=[{"name": "a", "image": "houdini:20"}],
)
CHANGES = ResumeSpec.model_validate(
    {
        "scripts": [{"name": "script-1", "args": {"frames": 2}}],
        "sessions": [{"name": "a", "image": "houdini:21"}],
    }
)


def change(operator: Operator) -> None:
    """Pause the job and resume it with changes, as another operator does."""
    with KubernetesJobUnitOfWork(operator.jobs) as uow:
        job = uow.jobs.get("shot")
        definition = changed_definition(uow.ensojob("shot").document, job, CHANGES)
        job.obey(Pause(), operator.clock.now())
        job.obey(Resume(definition=definition), operator.clock.now())
        uow.commit()


def test_the_next_session_of_the_same_drive_is_planned_from_what_was_changed() -> None:
    async def story(operator: Operator) -> None:
        operator.backend.waits_for_control = True
        operator.create(SHOT)
        await operator.until(lambda: operator.get().committed_uid)
        (sessions,) = operator.backend.created
        await operator.until(lambda: [run for run in sessions.runs.values() if run.released])
        change(operator)
        sessions.waits_for_control = False
        await operator.until(lambda: operator.get().is_finished)

        assert operator.backend.created == [sessions], "one drive"
        first, second = sessions.plans.values()
        assert first.session.platform == {"image": "houdini:20"}
        assert second.session.platform == {"image": "houdini:21"}
        assert [plan.scripts[1].parameters for plan in (first, second)] == [
            {"frames": 1},
            {"frames": 2},
        ]
        rows = operator.get().raw_status["scripts"]
        assert operator.get().state == "Succeeded"
        assert rows[1]["definition"] == 2

    operate(story)
