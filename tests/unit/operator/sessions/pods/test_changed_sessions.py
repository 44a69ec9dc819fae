"""The Pod of a session whose job a template or a resume has made: it is that of its definition."""

from __future__ import annotations

from typing import Any, cast

import pytest

from enso_operator.api.ensoaction import ResumeSpec
from enso_operator.api.status import TemplateStatus
from enso_operator.kube.ensojob import EnsoJobObject, Expansion
from enso_operator.manifests.changes import changed_definition
from enso_operator.manifests.render import parse_ensojob
from enso_operator.sessions.pods import names
from enso_operator.sessions.pods.manifest import SessionPod
from enso_operator.sessions.pods.sessions import PodSessions
from enso_operator.settings import PodSettings
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan
from tests.support.resources import Document, of_scripts

SHOT = of_scripts(
    {"args": {"frames": 1}},
    {"name": "notify", "container": {"image": "curl"}, "timeoutSeconds": 60},
    sessions=[
        {
            "name": "houdini",
            "image": "houdini:20",
            "env": [{"name": "A", "value": "1"}],
            "nodeSelector": {"disk": "slow"},
            "tolerations": [{"key": "old", "value": "x"}],
            "resources": {"limits": {"memory": "16Gi"}},
            "runAsUser": 1234,
        }
    ],
)
SHOT["metadata"] |= {"namespace": "shows", "uid": "job-uid", "resourceVersion": "1"}
SHOT["metadata"] |= {"generation": 1, "creationTimestamp": "2026-11-28T12:00:00Z"}
ENSOJOB = EnsoJobObject(SHOT)


def changed(**resume: list[dict[str, Any]]) -> Job:
    """The job after a resume with these changes."""
    job = ENSOJOB.job()
    definition = changed_definition(SHOT, job, ResumeSpec.model_validate(resume))
    assert definition
    job.redefine(definition)
    return job


def pod_of(job: Job, session: str, script: str) -> tuple[Document, str]:
    """Return the Pod of the next run, and its plan."""
    plan = Plan.of(job, Open(f"{session}-2", session, (script,)), ScriptLibrary([]))
    settings = PodSettings(records_image="enso", session_image="enso")
    made = SessionPod(ENSOJOB, parse_ensojob(SHOT).spec, plan, settings)
    return made.pod("plan"), plan.to_json()


def test_what_a_resume_changed_of_a_session_is_in_its_next_pod() -> None:
    job = changed(
        scripts=[{"name": "script-0", "args": {"frames": 2}}],
        sessions=[
            {
                "name": "houdini",
                "image": "houdini:21",
                "interpreter": ["hython"],
                "env": [],
                "nodeSelector": {"disk": "fast"},
                "tolerations": [{"key": "new", "operator": "Exists"}],
                "resources": {"limits": {"memory": "32Gi"}},
                "startTimeoutSeconds": 900,
            }
        ],
    )
    pod, plan = pod_of(job, "houdini", "script-0")

    (container,) = pod["spec"]["containers"]
    assert container["image"] == "houdini:21"
    assert [variable["name"] for variable in container["env"]] == ["HOME"]
    assert container["resources"] == {"limits": {"memory": "32Gi"}}
    assert pod["spec"]["nodeSelector"] == {"disk": "fast"}
    assert pod["spec"]["tolerations"][0]["key"] == "new"
    assert pod["spec"]["securityContext"]["runAsUser"] == 1234
    assert '"frames": 2' in plan
    assert '"interpreter": ["hython"], "start_timeout_seconds": 900' in plan
    assert "houdini:21" not in plan, "the session itself needs nothing of that"


def test_a_session_that_was_not_changed_is_as_the_spec_has_it() -> None:
    pod, _ = pod_of(ENSOJOB.job(), "houdini", "script-0")
    (container,) = pod["spec"]["containers"]
    assert (container["image"], container["env"][1]) == ("houdini:20", {"name": "A", "value": "1"})
    assert pod["spec"]["tolerations"][0] == {"key": "old", "operator": "Equal", "value": "x"}


def test_a_container_has_the_time_that_a_resume_gave_it() -> None:
    job = changed(scripts=[{"name": "notify", "timeoutSeconds": 7200}])
    for each, seconds in ((ENSOJOB.job(), "60"), (job, "7200")):
        pod, _ = pod_of(each, "notify", "notify")
        assert pod["metadata"]["annotations"][names.TIMEOUT] == seconds


def only_checking(ensojob: EnsoJobObject, settings: PodSettings) -> PodSessions:
    """Return sessions that can be checked; nothing is there to open one with."""
    nothing = cast("Any", None)
    given = ensojob, nothing, nothing, settings, SystemClock(), nothing
    return PodSessions(*given, place=nothing, reads=nothing, opening=nothing)


def test_the_operators_settings_hold_for_the_present_definition() -> None:
    without = EnsoJobObject(SHOT | of_scripts({}) | {"metadata": SHOT["metadata"]})
    sessions = only_checking(without, PodSettings(records_image="enso"))
    job = without.job()
    with pytest.raises(InvalidJob, match="session 'main' names no image"):
        sessions.check(job)
    resume = ResumeSpec.model_validate({"sessions": [{"name": "main", "image": "houdini:21"}]})
    definition = changed_definition(without.document, job, resume)
    assert definition
    job.redefine(definition)
    sessions.check(job)


def test_a_session_of_a_run_is_as_its_template_has_it() -> None:
    bare = EnsoJobObject(SHOT | {"spec": {"templateRef": {"name": "publish"}}})
    template = TemplateStatus(name="publish", generation=1)
    made = bare.with_expansion(Expansion("shot-1", template, SHOT["spec"]))
    settings = PodSettings(records_image="enso", service_accounts=["render"])
    sessions = only_checking(bare, settings)
    sessions.use(made)
    sessions.check(made.job())
    forbidden = SHOT["spec"] | {
        "sessions": [SHOT["spec"]["sessions"][0] | {"serviceAccountName": "admin"}]
    }
    sessions.use(bare.with_expansion(Expansion("shot-1", template, forbidden)))
    with pytest.raises(InvalidJob, match="admin"):
        sessions.check(made.job())
