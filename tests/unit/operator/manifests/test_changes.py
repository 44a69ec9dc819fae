"""A resume's changes make another definition of the job, which is stored as what differs."""

from __future__ import annotations

from typing import Any

import pytest

from enso_operator.api.ensoaction import ResumeSpec
from enso_operator.manifests.changes import changed_definition, difference, with_changes
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.to_domain import job_definition
from job_execution_framework.domain.changes import changes
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import InvalidAction, InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import Source
from tests.support.resources import Document, of_scripts

SECRET = {"name": "token", "secretKeyRef": {"name": "tracker", "key": "key"}}
SHOT = of_scripts(
    {"name": "open", "scriptRef": {"name": "open_scene"}},
    {"name": "simulate", "args": {"substeps": 2, "stiffness": 0.5}, "argsFrom": [SECRET]},
    {"name": "notify", "container": {"image": "curl"}},
    sessions=[{"name": "houdini", "image": "houdini:20", "env": [{"name": "A", "value": "1"}]}],
)


def job_of(manifest: Document = SHOT) -> Job:
    made = job_definition(parse_ensojob(manifest))
    return Job("shot", made.scripts, made.sessions, made.deadline_seconds)


def resume(**changed: object) -> ResumeSpec:
    return ResumeSpec.model_validate(changed)


def of(name: str, **fields: object) -> ResumeSpec:
    """The change of one script, or of the session."""
    kind = "sessions" if name in ("houdini", "main") else "scripts"
    return resume(**{kind: [{"name": name, **fields}]})


def redefined(job: Job, *resumes: ResumeSpec, manifest: Document = SHOT) -> Job:
    for each in resumes:
        definition = changed_definition(manifest, job, each)
        assert definition
        job.redefine(definition)
    return job


def stored(definition: Definition, manifest: Document = SHOT) -> Document:
    """What is stored of a definition, which the same one is made from again."""
    found = difference(job_definition(parse_ensojob(manifest)), definition)
    assert with_changes(manifest, ResumeSpec.model_validate(found)) == definition
    return found


FIELDS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("simulate", {"args": {"substeps": 4}}, ["simulate.args.substeps"]),
    ("simulate", {"args": {"more": None}}, ["simulate.args.more"]),
    ("simulate", {"args": {"substeps": True}}, ["simulate.args.substeps"]),
    ("simulate", {"unsetArgs": ["stiffness"]}, ["simulate.args.stiffness"]),
    ("simulate", {"source": "def main(): pass"}, ["simulate.source"]),
    ("simulate", {"timeoutSeconds": 60}, ["simulate.timeoutSeconds"]),
    ("simulate", {"idleTimeoutSeconds": 60}, ["simulate.idleTimeoutSeconds"]),
    ("simulate", {"retries": {"limit": 2, "backoffSeconds": 9}}, ["simulate.retries"]),
    ("open", {"source": "def main(): pass"}, ["open.source"]),
    ("notify", {"timeoutSeconds": 60}, ["notify.timeoutSeconds"]),
    ("houdini", {"image": "houdini:21"}, ["houdini.image"]),
    ("houdini", {"interpreter": ["hython", "-q"]}, ["houdini.interpreter"]),
    ("houdini", {"resources": {"limits": {"memory": "32Gi"}}}, ["houdini.resources"]),
    ("houdini", {"env": [{"name": "B", "value": "2"}]}, ["houdini.env"]),
    ("houdini", {"env": []}, ["houdini.env"]),
    ("houdini", {"nodeSelector": {"disk": "fast"}}, ["houdini.nodeSelector"]),
    ("houdini", {"tolerations": [{"key": "gpu", "operator": "Exists"}]}, ["houdini.tolerations"]),
    ("houdini", {"startTimeoutSeconds": 900}, ["houdini.startTimeoutSeconds"]),
]


@pytest.mark.parametrize(("name", "fields", "told"), FIELDS, ids=[str(case) for case in FIELDS])
def test_each_field_that_may_change(name: str, fields: dict[str, Any], told: list[str]) -> None:
    definition = changed_definition(SHOT, job_of(), of(name, **fields))
    assert definition
    assert [*map(str, changes(job_of(), definition))] == told
    ((part,),) = stored(definition).values()
    assert {key: part[key] for key in fields} == fields
    assert part.keys() == fields.keys() | {"name"}


def test_arguments_are_merged_by_name_and_the_rest_is_replaced_whole() -> None:
    job = redefined(
        job_of(),
        of("simulate", args={"substeps": 4}, retries={"limit": 2}),
        of("simulate", args={"cache": "/c"}, unsetArgs=["stiffness"]),
        of("simulate", args={"substeps": 8}, retries={"backoffSeconds": 5}),
        of("open", source="def main(): pass"),
    )
    simulate = job.script("simulate")
    assert {**simulate.parameters, "token": None} == {"substeps": 8, "cache": "/c", "token": None}
    assert simulate.retries == Retries(0, 5)
    assert job.script("open").work == Source("def main(): pass", "open.py")
    assert stored(job.definition)["scripts"][1] == {
        "name": "simulate",
        "args": {"substeps": 8, "cache": "/c"},
        "unsetArgs": ["stiffness"],
        "retries": {"limit": 0, "backoffSeconds": 5},
    }


def test_what_was_changed_back_is_not_stored() -> None:
    first, back = of("simulate", args={"substeps": 4}), of("simulate", args={"substeps": 2})
    assert stored(redefined(job_of(), first, back).definition) == {}


def test_the_session_of_a_job_that_names_none_can_be_changed() -> None:
    manifest = of_scripts({"name": "open"})
    job = redefined(job_of(manifest), of("main", image="houdini:21"), manifest=manifest)
    assert job.session("main").platform == {"image": "houdini:21"}
    stored(job.definition, manifest)


def test_a_resume_without_changes_has_no_definition() -> None:
    assert changed_definition(SHOT, job_of(), ResumeSpec(from_script="open")) is None


WRONG: list[tuple[ResumeSpec, str]] = [
    (
        of("render", args={"a": 1}),
        "there is no script 'render'; the job has open, simulate, notify",
    ),
    (
        resume(sessions=[{"name": "maya", "image": "x"}]),
        "there is no session 'maya'; the job has houdini",
    ),
    (
        of("notify", args={"a": 1}),
        "script 'notify' is a container and has no arguments: only its timeoutSeconds and ret",
    ),
    (of("notify", source="x"), "script 'notify' is a container and has no source"),
    (
        of("simulate", unsetArgs=["frames"]),
        "script 'simulate' has no argument 'frames' to take away; it has substeps, stiffness",
    ),
    (of("open", unsetArgs=["x"]), "script 'open' has no argument 'x' to take away; it has none"),
    (of("simulate", args={"token": "x"}), "'token' of script 'simulate' comes from a Secret"),
    (of("simulate", unsetArgs=["token"]), "'token' of script 'simulate' comes from a Secret"),
    (
        of("simulate", args={f"a{i}": i for i in range(99)}),
        "spec.scripts[simulate].args has 101 items: use at most 100",
    ),
]


@pytest.mark.parametrize(("wrong", "why"), WRONG, ids=[why for _, why in WRONG])
def test_what_is_wrong_is_said(wrong: ResumeSpec, why: str) -> None:
    with pytest.raises(InvalidAction) as refused:
        changed_definition(SHOT, job_of(), wrong)
    told = str(refused.value)
    assert told.startswith("job shot cannot go on with these changes: ")
    assert why in told


def test_all_changes_of_a_job_together_are_bounded() -> None:
    names = [f"script-{i}" for i in range(20)]
    manifest = of_scripts(*({"name": name} for name in names))
    large = [{"name": name, "source": "x" * 64 * 1024} for name in names]
    job = redefined(job_of(manifest), resume(scripts=large[:10]), manifest=manifest)
    with pytest.raises(InvalidAction, match="of at most 1048576; create a new job"):
        changed_definition(manifest, job, resume(scripts=large[10:]))


def test_what_is_stored_of_another_job_makes_none() -> None:
    with pytest.raises(InvalidJob, match="there is no script 'render'"):
        with_changes(SHOT, of("render", args={"a": 1}))
