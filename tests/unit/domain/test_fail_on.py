"""Which lines a script may fail by, and how much of a line is searched."""

from __future__ import annotations

import pytest

from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.fail_on import FailOn
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.patterns import compiled
from job_execution_framework.domain.script import Container, Script, Source

LICENCE = FailOn("No licen[cs]e", "LicenseUnavailable")


def job(*fail_on: FailOn) -> Job:
    return Job("job", (Script("render", Source("x"), fail_on=fail_on),))


def test_the_lines_by_which_people_want_a_script_to_fail_are_taken() -> None:
    job(
        LICENCE,
        FailOn("(?i)^(error|fatal): .*", "ErrorInLog"),
        FailOn(r"\[Redshift\] .*(VRAM|memory)", "OutOfMemory"),
        FailOn(r"ERROR.*license.*denied", "LicenseDenied"),
        FailOn(r"^\d{2}:\d{2} .*Segmentation fault", "Crashed"),
        FailOn("Fatal|Traceback", "Broken"),
    )


@pytest.mark.parametrize(
    ("fail_on", "mistake"),
    [
        (
            FailOn("(?=a)", "A"),
            "failOn[0].pattern '(?=a)' has '(?=a': of what begins with '(?' only '(?:', '(?P<nam",
        ),
        (FailOn(r"(a)\1", "A"), r"has the back-reference '\\1'"),
        (FailOn("(a+)+", "A"), "has the quantifier + on a group that holds a quantifier"),
        (FailOn("a*b*c*", "A"), "has 3 of '*', '+' and '{n,}': use at most 2"),
        (FailOn("(a", "A"), "is no regular expression"),
        (FailOn("a" * 257, "A"), "has 257 characters: use at most 256"),
        (
            FailOn("a*", "A"),
            "failOn[0].pattern 'a*' is found even in an empty line: write what such a line has",
        ),
        (FailOn("", "A"), "is found even in an empty line"),
        (
            FailOn("(a|b|c|d|e)(a|b|c|d|e).*x.*y", "A"),
            "repeats 2 parts without a bound and can match in 25 ways by its '?', '{m,n}' and '|',",
        ),
        (
            FailOn("a", "no licence"),
            "failOn[0].reason is 'no licence': write one word of at most 64 letters and digits",
        ),
        (FailOn("a", "A" * 65), "write one word of at most 64 letters and digits"),
        (FailOn("a", "A\n"), "write one word of at most 64 letters and digits"),
        (
            FailOn("a", "Cancelled"),
            "failOn[0].reason is Cancelled, which only a cancel has: rename it",
        ),
    ],
)
def test_others_are_refused_before_anything_starts(fail_on: FailOn, mistake: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        job(fail_on)
    assert str(refused.value).startswith("script 'render': failOn[0].")
    assert mistake in str(refused.value)


def test_there_are_at_most_ten() -> None:
    job(*[LICENCE] * 10)
    with pytest.raises(InvalidJob, match="script 'render': failOn has 11 entries: use at most 10"):
        job(*[LICENCE] * 11)


def test_a_container_has_none() -> None:
    with pytest.raises(InvalidJob, match="script 'tell' has failOn, but is a container, whose out"):
        Job("job", (Script("tell", Container("curl"), fail_on=(LICENCE,)),))


@pytest.mark.parametrize(
    ("pattern", "reach"),
    [
        ("No licence", 4096),
        ("ERROR.*licence", 4096),
        ("(error|fatal): .*licence", 4096),
        ("ERROR.*licence.*denied", 645),
        ("^.*ERROR.*licence", 4096),
        ("(?i)^.*ERROR.*licence", 4096),
        ("(?m)^.*ERROR.*licence", 645),
        ("(error|fatal).*licen[cs]e.*denied", 512),
    ],
)
def test_how_many_characters_of_a_line_are_searched(pattern: str, reach: int) -> None:
    found = compiled(pattern)
    assert found.reach == reach


def test_what_stands_behind_is_not_found() -> None:
    found = compiled("ERROR.*licence.*denied")
    assert found.is_in("x" * (found.reach - 21) + "ERROR licence denied")
    assert not found.is_in("x" * found.reach + "ERROR licence denied")
    assert compiled("licence").is_in("x" * 4089 + "licence")
    assert not compiled("licence").is_in("x" * 4090 + "licence")
