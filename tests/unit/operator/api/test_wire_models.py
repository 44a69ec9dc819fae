"""The wire models: what the API server checks, and how they become objects of the domain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from enso_operator.api.ensoaction import EnsoAction
from enso_operator.api.fields import PATTERN_HINTS
from enso_operator.api.rules import broken_rules, broken_script_rules
from enso_operator.api.v1alpha1 import API_VERSION, EnsoJob, EnsoScript
from enso_operator.manifests.to_domain import SecretKey, job_definition
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import (
    Container,
    Function,
    LibraryScript,
    Script,
    Session,
    Source,
)
from job_execution_framework.domain.secret import Secret, shown

SCHEMAS = [model.model_json_schema() for model in (EnsoJob, EnsoScript, EnsoAction)]


def a_job(*scripts: Mapping[str, object], **spec: object) -> EnsoJob:
    return EnsoJob.model_validate(
        {
            "apiVersion": API_VERSION,
            "kind": "EnsoJob",
            "metadata": {"name": "publish-shot"},
            "spec": {"scripts": list(scripts), **spec},
        }
    )


def a_script(**fields: object) -> dict[str, object]:
    return {"name": "save", "source": "def main(): pass", **fields}


def fields_of(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of every model, and what lists, maps and options hold."""
    for model in (schema, *schema["$defs"].values()):
        for name, field in model["properties"].items():
            yield f"{model['title']}.{name}", field


def parts_of(path: str, field: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, field
    for option in field.get("anyOf", []):
        yield from parts_of(path, option)
    if "items" in field:
        yield from parts_of(f"{path}[]", field["items"])
    for inner in ("additionalProperties", "propertyNames"):
        if isinstance(field.get(inner), dict):
            yield from parts_of(f"{path}.{inner}", {"type": "string", **field[inner]})


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema["title"])
def test_every_field_has_a_sentence(schema: dict[str, Any]) -> None:
    for path, field in fields_of(schema):
        assert field.get("description", "").endswith("."), path


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema["title"])
def test_every_text_list_map_and_number_is_bounded(schema: dict[str, Any]) -> None:
    bounds = {
        "string": {"maxLength", "enum", "const"},
        "array": {"maxItems"},
        "object": {"maxProperties"},
        "integer": {"maximum"},
    }
    for field_path, field in fields_of(schema):
        for path, part in parts_of(field_path, field):
            wanted = bounds.get(part.get("type", ""), set())
            assert not wanted or wanted & part.keys(), path


def test_only_arguments_may_have_any_fields() -> None:
    free = [
        path
        for schema in SCHEMAS
        for path, field in fields_of(schema)
        if field.get("additionalProperties") is True
    ]
    assert free == [
        "EnsoJobSpec.params",
        "FinallySpec.args",
        "ScriptSpec.args",
        "ScriptChange.args",
    ]


def test_every_form_says_what_to_write_instead() -> None:
    parts = [
        part
        for schema in SCHEMAS
        for path, field in fields_of(schema)
        for _, part in parts_of(path, field)
    ]
    assert {part["pattern"] for part in parts if "pattern" in part} == set(PATTERN_HINTS)


def test_an_older_operator_survives_a_newer_resource() -> None:
    job = a_job(a_script(tomorrow=1), tomorrow={"a": 1})
    assert [script.name for script in job.spec.scripts] == ["save"]


def test_nothing_is_converted_except_whole_quantities() -> None:
    with pytest.raises(ValidationError):
        a_job(a_script(timeoutSeconds="60"))
    limits = {"limits": {"cpu": 4, "memory": "16Gi"}}
    job = a_job(a_script(), sessions=[{"name": "houdini", "resources": limits}])
    assert job.spec.sessions[0].resources.limits == {"cpu": "4", "memory": "16Gi"}
    with pytest.raises(ValidationError):
        a_job(a_script(), sessions=[{"name": "h", "resources": {"limits": {"cpu": True}}}])


def test_what_was_written_can_be_written_again() -> None:
    job = a_job(
        a_script(args={"frames": [1, {"a": None}]}, timeoutSeconds=60),
        sessions=[{"name": "main", "interpreter": ["hython"], "onInterrupted": {"policy": "Fail"}}],
    )
    written = job.model_dump(by_alias=True, exclude_unset=True)
    assert EnsoJob.model_validate(written) == job
    assert written["spec"]["sessions"][0]["onInterrupted"] == {"policy": "Fail"}


def test_a_job_in_the_words_of_the_domain() -> None:
    made = job_definition(
        a_job(
            {"name": "open", "scriptRef": {"name": "open_scene"}, "args": {"a": 1}, "setup": True},
            a_script(checkpoint=True, retries={"limit": 2, "backoffSeconds": 30}, timeoutSeconds=9),
            {"name": "publish", "function": "studio.publish:publish", "session": "plain"},
            {"name": "notify", "container": {"image": "curl", "command": ["curl"], "args": ["-f"]}},
            sessions=[
                {
                    "name": "houdini",
                    "interpreter": ["hython"],
                    "startTimeoutSeconds": 900,
                    "onInterrupted": {"policy": "Retry", "limit": 3, "backoffSeconds": 60},
                },
                {"name": "plain", "onInterrupted": {"policy": "Retry"}},
            ],
            activeDeadlineSeconds=7200,
        )
    )
    source = Source("def main(): pass", "save.py")
    assert made.scripts == (
        Script("open", LibraryScript("open_scene"), {"a": 1}, "houdini", setup=True),
        Script(
            "save",
            source,
            session="houdini",
            checkpoint=True,
            retries=Retries(2, 30),
            timeout_seconds=9,
        ),
        Script("publish", Function("studio.publish:publish"), session="plain"),
        Script("notify", Container("curl", ("curl",), ("-f",))),
    )
    assert made.sessions == (
        Session("houdini", ("hython",), 900, retry_lost=3, lost_backoff_seconds=60),
        Session("plain", ("python3",), 300, retry_lost=1, lost_backoff_seconds=10),
    )
    assert made.deadline_seconds == 7200


def test_without_sessions_there_is_the_default_one() -> None:
    made = job_definition(a_job(a_script()))
    assert made.sessions == (Session(),)
    assert made.scripts[0].session == "main"
    assert made.deadline_seconds is None


def test_a_secret_is_a_reference_that_nobody_sees() -> None:
    reference = {"name": "token", "secretKeyRef": {"name": "tracker", "key": "api-token"}}
    made = job_definition(a_job(a_script(args={"a": 1}, argsFrom=[reference])))
    parameters = made.scripts[0].parameters
    assert parameters == {"a": 1, "token": Secret(SecretKey("tracker", "api-token"))}
    assert shown(parameters) == {"a": 1, "token": "***"}


IN_A_SESSION: list[tuple[dict[str, object], str]] = [
    (
        {"tolerations": [{"value": "a"}]},
        "tolerations[0] has no key: add one, or operator: Exists",
    ),
    (
        {"env": [{"name": "A"}]},
        "env[A] has none of value, valueFrom: give it exactly one",
    ),
    (
        {"env": [{"name": "A", "valueFrom": {}}]},
        "env[A].valueFrom has none of secretKeyRef, configMapKeyRef: give it exactly one",
    ),
    (
        {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
        "env has A more than once: remove all but one, or rename them",
    ),
    (
        {"volumes": [{"name": "v", "emptyDir": {}, "secret": {"secretName": "s"}}]},
        "volumes[v] has secret and emptyDir: keep exactly one",
    ),
    (
        {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
        "volumeMounts[v] names none of the volumes: add it to volumes",
    ),
    (
        {"podAnnotations": {"enso.dev/run": "x"}},
        "podAnnotations[enso.dev/run] is Kubernetes' or enso's own: remove it",
    ),
    (
        {"onInterrupted": {"limit": 2}},
        "onInterrupted.limit means nothing with policy Fail: write policy: Retry",
    ),
]


@pytest.mark.parametrize(("spec", "sentence"), IN_A_SESSION, ids=lambda case: str(case)[:20])
def test_rules_of_a_session(spec: dict[str, object], sentence: str) -> None:
    job = a_job(a_script(), sessions=[{"name": "main", **spec}])
    assert list(broken_rules(job)) == [f"spec.sessions[main].{sentence}"]
    with pytest.raises(InvalidJob, match=re.escape(sentence)):
        job_definition(job)


@pytest.mark.parametrize(("spec", "sentence"), IN_A_SESSION, ids=lambda case: str(case)[:20])
def test_the_same_rules_hold_for_a_container(spec: dict[str, object], sentence: str) -> None:
    job = a_job({"name": "tell", "container": {"image": "curl", **spec}})
    assert list(broken_rules(job)) == [f"spec.scripts[tell].container.{sentence}"]


OF_A_CONTAINER: list[tuple[str, str]] = [
    (
        "my-token",
        (
            "argsFrom[my-token] is an environment variable, as this is a container: use letters, "
            "digits and '_', beginning with a letter"
        ),
    ),
    ("LEVEL", "argsFrom[LEVEL] is in container.env, too: remove one of the two"),
]


@pytest.mark.parametrize(("name", "sentence"), OF_A_CONTAINER)
def test_arguments_of_a_container_are_its_environment(name: str, sentence: str) -> None:
    given = {"name": name, "secretKeyRef": {"name": "tracker", "key": "token"}}
    container = {"image": "curl", "env": [{"name": "LEVEL", "value": "1"}]}
    job = a_job({"name": "tell", "container": container, "argsFrom": [given]})
    assert list(broken_rules(job)) == [f"spec.scripts[tell].{sentence}"]


def test_a_lost_container_is_started_again_where_it_says_so() -> None:
    lost = {"policy": "Retry", "limit": 3}
    job = a_job({"name": "tell", "container": {"image": "curl", "onInterrupted": lost}})
    work = Container("curl", retry_lost=3, lost_backoff_seconds=10)
    assert job_definition(job).scripts[0].work == work


def test_a_library_script_is_exactly_one_thing() -> None:
    def script(**spec: object) -> EnsoScript:
        return EnsoScript.model_validate(
            {
                "apiVersion": API_VERSION,
                "kind": "EnsoScript",
                "metadata": {"name": "open-scene"},
                "spec": spec,
            }
        )

    assert list(broken_script_rules(script(source="def main(): pass", description="Opens."))) == []
    assert list(broken_script_rules(script())) == [
        "spec has none of source, function: give it exactly one"
    ]
    assert list(broken_script_rules(script(source="x", function="a:b"))) == [
        "spec has source and function: keep exactly one"
    ]
    with pytest.raises(ValidationError):
        script(source="x" * (256 * 1024 + 1))
