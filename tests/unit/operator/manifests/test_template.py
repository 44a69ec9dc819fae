"""What a template and the values of its parameters make, and what of them is refused."""

from __future__ import annotations

import pytest

from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.template import (
    as_written_out,
    expanded,
    parse_template,
    run_of,
    unused,
)
from enso_operator.manifests.to_domain import job_definition
from job_execution_framework.domain.errors import InvalidJob
from tests.support.resources import Document
from tests.support.templates import SHOT, run, template


def of(document: Document, **params: object) -> Document:
    return expanded(parse_template(document), params)


def refusal(document: Document, **params: object) -> str:
    with pytest.raises(InvalidJob) as caught:
        of(document, **params)
    return str(caught.value)


def test_a_run_is_what_its_author_would_have_written() -> None:
    spec = of(template(activeDeadlineSeconds=60), shot="010")
    job = job_definition(parse_ensojob(as_written_out(run(shot="010"), spec)))
    assert [script.parameters for script in job.scripts] == [
        {"path": "/shots/010/a.hip"},
        {"frames": 24},
    ]
    assert job.deadline_seconds == 60


def test_a_run_may_have_a_deadline_of_its_own() -> None:
    own = run(shot="010")
    own["spec"] |= {"activeDeadlineSeconds": 5, "suspend": True}
    written = as_written_out(own, of(template(activeDeadlineSeconds=60), shot="010"))
    assert written["spec"].keys() == {"scripts", "activeDeadlineSeconds", "suspend"}
    assert written["spec"]["activeDeadlineSeconds"] == 5


def test_all_mistakes_in_the_parameters_are_told_at_once() -> None:
    assert refusal(template(), frames=0, shto=1).split("; ") == [
        "spec.params.shot is missing: it takes a string",
        "spec.params.frames is 0, but takes an integer of at least 1",
        "spec.params.shto is nothing that template publish takes: did you mean 'shot'?",
    ]


@pytest.mark.parametrize(
    ("scripts", "spec", "sentence"),
    [
        pytest.param(
            [{"name": "a", "source": "x", "timeoutSeconds": "$(params.shot)"}],
            {},
            "spec.job.scripts[a].timeoutSeconds is '010', not a whole number: write it without "
            "quotes",
            id="a text where a number must stand",
        ),
        pytest.param(
            [{"name": "A $(params.shot)", "source": "x"}],
            {},
            "spec.job.scripts[A 010].name is 'A 010': use lower-case letters, digits and '-', "
            "beginning and ending with a letter or digit",
            id="a name that is none",
        ),
        pytest.param(
            [{"name": "a"}],
            {},
            "spec.job.scripts[a] has none of scriptRef, source, function, container: give it "
            "exactly one",
            id="a rule between fields",
        ),
        pytest.param(
            [{"name": "a", "source": "x", "session": "$(params.shot)"}],
            {"sessions": [{"name": "main"}]},
            "script 'a' names session '010', but the job has main",
            id="a rule of the domain",
        ),
        pytest.param([], {"scripts": []}, "spec.job.scripts is empty: give it at least one item"),
    ],
)
def test_the_rules_of_a_job_hold_for_what_a_template_makes(
    scripts: list[Document], spec: Document, sentence: str
) -> None:
    assert refusal(template(*scripts, **spec), shot="010") == sentence


def test_a_number_may_stand_where_the_template_has_a_text() -> None:
    document = template(
        {
            "name": "s-$(params.frames)",
            "source": "x",
            "timeoutSeconds": "$(params.frames)",
            "setup": "$(params.setup)",
        },
        parameters=[
            {"name": "frames", "type": "integer"},
            {"name": "setup", "type": "boolean", "default": False},
        ],
    )
    (script,) = of(document, frames=7)["scripts"]
    assert script == {"name": "s-7", "source": "x", "timeoutSeconds": 7, "setup": False}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        pytest.param(
            template(suspend=True),
            "spec.job.suspend is a matter of each run: write it in the EnsoJob",
            id="a field of runs",
        ),
        pytest.param(
            template(parameters=[SHOT | {"secret": True}]),
            "spec.parameters[shot] is secret, but whoever may read a job can read its params: "
            "take the value from a Secret, with argsFrom",
            id="a secret",
        ),
        pytest.param(
            template(parameters=[{"name": "a)"}]),
            "spec.parameters[a)] has one of ( ) = in its name: rename it",
            id="a name that no reference can have",
        ),
        pytest.param(
            template(parameters=[SHOT | {"default": "1"}]),
            "spec.parameters[shot] is required, yet has a default: remove one of the two",
            id="a parameter that cannot be meant so",
        ),
    ],
)
def test_a_template_that_no_run_can_have_is_refused(document: Document, sentence: str) -> None:
    with pytest.raises(InvalidJob) as caught:
        parse_template(document)
    assert str(caught.value) == sentence


def test_a_parameter_that_is_not_used_is_known() -> None:
    document = template({"name": "a", "source": "x", "args": {"a": "$(params.frames)"}})
    assert unused(parse_template(document)) == ["shot"]


def test_a_job_has_scripts_or_a_template() -> None:
    for spec, sentence in (
        ({}, "spec has none of scripts, templateRef: give it exactly one"),
        (
            {"templateRef": {"name": "a"}, "scripts": [{"name": "a", "source": "x"}]},
            "spec has scripts and templateRef: keep exactly one",
        ),
        (
            {"params": {"a": 1}, "scripts": [{"name": "a", "source": "x"}]},
            "spec.params are those of a template: remove them, or name it in templateRef",
        ),
        (
            {"templateRef": {"name": "a"}, "sessions": [{"name": "a"}]},
            "spec.sessions come from the template: remove them, or templateRef",
        ),
    ):
        with pytest.raises(InvalidJob) as caught:
            job_definition(parse_ensojob(run() | {"spec": spec}))
        assert str(caught.value) == sentence


def test_a_run_has_the_template_s_labels_but_for_those_of_a_tool() -> None:
    """Argo CD and Flux would take it for a part of what is in Git, and prune it."""
    document = template()
    document["metadata"]["labels"] = {
        "studio/show": "banner",
        "app.kubernetes.io/instance": "shows",
        "kustomize.toolkit.fluxcd.io/name": "shows",
    }
    made = run_of(parse_template(document), "shot", {"shot": "010"})
    assert made["metadata"] == {"name": "shot", "labels": {"studio/show": "banner"}}
