"""Retries of a script in a manifest, in the domain, and back; also as a resume changes them."""

from __future__ import annotations

from typing import Any

import pytest

from enso_operator.api.ensoaction import ResumeSpec
from enso_operator.manifests.changes import changed_definition, difference, with_changes
from enso_operator.manifests.render import parse_ensojob, suspended_manifest
from enso_operator.manifests.to_domain import job_definition
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Budget, Retries
from tests.support.resources import Document, of_scripts

LICENCE: dict[str, Any] = {"reason": "LicenseUnavailable", "limit": 100, "backoffSeconds": 60}
BOX = {"container": {"image": "curl"}}
CASES: list[tuple[dict[str, Any], Retries]] = [
    ({}, Retries()),
    ({"limit": 2, "backoffSeconds": 30}, Retries(2, 30)),
    ({"limit": 2, "backoffSeconds": 5, "factor": 1.5}, Retries(2, 5, 1.5)),
    ({"limit": 2, "factor": 2, "maxSeconds": 600}, Retries(2, 0, 2, 600)),
    (
        {"onReasons": [LICENCE, {"reason": "studio.Busy", "limit": 0}], "backoffSeconds": 7},
        Retries(
            0, 7, 1, None, (Budget("LicenseUnavailable", 100, 60), Budget("studio.Busy", 0, 7))
        ),
    ),
]


def definition(retries: dict[str, Any], **script: object) -> Definition:
    return job_definition(parse_ensojob(manifest(retries, **script)))


def manifest(retries: dict[str, Any], **script: object) -> Document:
    return of_scripts({"name": "save", "retries": retries, **script})


@pytest.mark.parametrize(("written", "retries"), CASES)
def test_what_a_manifest_says_of_retries(written: dict[str, Any], retries: Retries) -> None:
    assert definition(written).scripts[0].retries == retries
    assert definition(written, **BOX).scripts[0].retries == retries


@pytest.mark.parametrize(("written", "retries"), CASES)
def test_a_job_without_a_manifest_gets_one_that_says_the_same(
    written: dict[str, Any], retries: Retries
) -> None:
    job = Job("shot", definition(written).scripts)
    again = job_definition(parse_ensojob(suspended_manifest(job)))
    assert again.scripts[0].retries == retries


@pytest.mark.parametrize(("written", "retries"), CASES[1:])
def test_a_resume_replaces_them_whole(written: dict[str, Any], retries: Retries) -> None:
    before = manifest({"limit": 9, "factor": 3, "onReasons": [LICENCE | {"limit": 3}]})
    job = Job("shot", job_definition(parse_ensojob(before)).scripts)
    resume = ResumeSpec.model_validate({"scripts": [{"name": "save", "retries": written}]})
    changed = changed_definition(before, job, resume)
    assert changed
    assert changed.scripts[0].retries == retries
    stored = difference(job.definition, changed)
    assert with_changes(before, ResumeSpec.model_validate(stored)) == changed


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ({"factor": 0.5}, "retries.factor is 0.5: use at least 1"),
        ({"factor": 11}, "retries.factor is 11: use at most 10"),
        ({"maxSeconds": 0}, "retries.maxSeconds is 0: use at least 1"),
        ({"onReasons": [{"reason": "A"}]}, "retries.onReasons[0].limit is missing"),
        ({"onReasons": [LICENCE | {"limit": 101}]}, ".limit is 101: use at most 100"),
        (
            {"onReasons": [LICENCE | {"reason": "no licence"}]},
            "is 'no licence': write one word, such as Timeout, or the type of an exception",
        ),
        ({"onReasons": [LICENCE, LICENCE]}, "retries.onReasons has LicenseUnavailable more than"),
    ],
)
def test_retries_that_mean_nothing_are_refused(written: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        definition(written)
    assert sentence in str(refused.value)
