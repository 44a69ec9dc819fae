"""Patterns of users: what is taken, what is refused, and that nothing taken runs away."""

from __future__ import annotations

import itertools
import re

import pytest

from job_execution_framework.domain import patterns
from job_execution_framework.domain.patterns import compiled, why_not


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "[0-9]{3}",
        r"v\d+(\.\d+)?",
        r"(?i)^sh(ot)?_[a-z0-9]{1,16}$",
        r"(?:ab)+c",
        r"(?P<show>\w+)/(seq|shot)",
        r"/shots/[^/]+/.*",
        r"\\1 [\]x] [^]] \( \[ x{ {}",
        "a*?b+?",
        r"[^\x00-\x1f]*",
    ],
)
def test_what_people_write_is_taken(pattern: str) -> None:
    assert why_not(pattern) == ""
    assert compiled(pattern).regex == re.compile(pattern)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a(?=b)", "has '(?=b'"),
        ("(?<!a)b", "has '(?<!'"),
        ("(?#a)", "has '(?#a'"),
        ("(a)(?(1)b)", "has '(?(1'"),
        ("(?P<a>b)(?P=a)", "has '(?P='"),
        ("(?x) a", "has '(?x)'"),
        (r"(a)\1", r"has the back-reference '\\1'"),
        ("(a+)+", "has the quantifier + on a group that holds a quantifier or '|'"),
        ("(a|a)*", "has the quantifier * on a group"),
        ("((a|b)c){2,3}", "has the quantifier {2,3} on a group"),
        ("(?:(?:x?)y){9}", "has the quantifier {9} on a group"),
        ("a*b+c{3,}", "has 3 of '*', '+' and '{n,}': use at most 2"),
        ("a?" * 13, "can match in 8192 ways"),
        ("(a|a)" * 13, "can match in 8192 ways"),
        ("a{0,99}b{0,99}", "can match in 10000 ways"),
        ("a{1,99999}", "has the quantifier {1,99999}: use numbers of at most 4 digits"),
        ("(", "is no regular expression: missing ), unterminated subpattern"),
        ("a**", "is no regular expression: multiple repeat"),
        ("[z-a]", "is no regular expression: bad character range"),
        ("[[:alpha:]]", "has the set [[:alpha:], whose '['"),
        ("x" * 513, "has 513 characters: use at most 512"),
    ],
)
def test_what_is_not_taken_is_refused_with_a_reason(pattern: str, why: str) -> None:
    assert why_not(pattern).startswith(why)


def test_no_pattern_that_is_taken_runs_away() -> None:
    """The worst that the limits let through ends; without them one of these takes for ever."""
    parts = ["a*", "a+", "a?", "(a?)?", "(?:aa)*", "(a|aa)", "a{0,9}", "(a*)?", "[ab]+", "(a+)+"]
    tried = 0
    for chosen in itertools.product(parts, repeat=3):
        pattern = "".join(chosen) + "$b"
        if not why_not(pattern):
            one = compiled(pattern)
            text = next("a" * n for n in (4096, 512, 128, 32) if not one.is_too_long("a" * n))
            assert not one.is_whole(text)
            tried += 1
    assert tried > 100


def test_only_so_much_of_a_text_is_looked_at() -> None:
    one = compiled("a*a*")
    assert not one.is_too_long("a" * 2000)
    assert one.is_too_long("a" * 2048)
    assert compiled("a").is_too_long("a" * (patterns.LONGEST_TEXT + 1))
