"""What a manifest says of finally scripts, in the domain, and back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from enso_operator.manifests.render import parse_ensojob, suspended_manifest
from enso_operator.manifests.to_domain import job_definition
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.fail_on import FailOn
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Budget, Retries
from job_execution_framework.domain.script import FINALLY, Script, When
from tests.support.resources import Document, of_scripts

LICENCE: dict[str, Any] = {"reason": "LicenseUnavailable", "limit": 9, "backoffSeconds": 60}
FAIL_ON = [{"pattern": "No licen[cs]e", "reason": "LicenseUnavailable"}]


def manifest(**fields: object) -> Document:
    document = of_scripts({"name": "save", "source": "def main(): pass"})
    document["spec"]["finally"] = [{"name": "clean", "source": "def main(): pass", **fields}]
    return document


def final(**fields: object) -> Script:
    return job_definition(parse_ensojob(manifest(**fields))).scripts[-1]


def test_one_has_what_a_script_has_where_it_makes_sense() -> None:
    retries = {"limit": 1, "factor": 2, "onReasons": [LICENCE]}
    script = final(
        when="Failed", retries=retries, failOn=FAIL_ON, idleTimeoutSeconds=30, timeoutSeconds=90
    )
    assert script.when is When.FAILED
    assert script.retries == Retries(1, 0, 2, None, (Budget("LicenseUnavailable", 9, 60),))
    assert script.fail_on == (FailOn("No licen[cs]e", "LicenseUnavailable"),)
    assert (script.idle_timeout_seconds, script.timeout_seconds) == (30, 90)


def test_without_any_field_it_always_runs_in_its_own_session_and_not_for_ever() -> None:
    script = final()
    assert (script.when, script.session, script.timeout_seconds) == (When.ALWAYS, FINALLY, 600)
    assert (script.retries, script.fail_on, script.idle_timeout_seconds) == (Retries(), (), None)


def test_a_job_without_a_manifest_gets_one_that_says_the_same() -> None:
    document = manifest(when="Succeeded", failOn=FAIL_ON, idleTimeoutSeconds=30)
    job = Job("shot", job_definition(parse_ensojob(document)).scripts)
    again = job_definition(parse_ensojob(suspended_manifest(job)))
    assert again.scripts == job.scripts


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"idleTimeoutSeconds": 601}, "idleTimeoutSeconds is 601, but timeoutSeconds ends the "),
        ({"failOn": [{"pattern": "(", "reason": "A"}]}, "failOn[0].pattern '(' "),
    ],
)
def test_what_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidJob, match=re.escape(why)):
        final(**fields)
