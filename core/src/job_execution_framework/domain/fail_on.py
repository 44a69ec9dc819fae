"""Lines of output by which an attempt fails, though its `main` returned.

Many applications write that they have no licence, and go on. `runtime.fail_on` looks for such
lines, `service_layer.report` makes the failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from job_execution_framework.domain import patterns
from job_execution_framework.domain.cause import Reason

MOST_PATTERNS = 10
LONGEST_PATTERN = 256
LONGEST_REASON = 64
REASON = "[A-Z][A-Za-z0-9]*"
"""A regular expression: one word in CamelCase, as Kubernetes has its reasons."""
LONGEST_LINE_BYTES = 4096
"""The first bytes of a line, in which alone a pattern is looked for."""

NOT_OF_CONTAINERS = (
    "has failOn, but is a container, whose output nobody reads: remove it, and let the program "
    "exit with another code than 0"
)
"""Why a container script has no such lines, to follow its name."""


@dataclass(frozen=True)
class FailOn:
    """A line in which `pattern` is found makes the attempt fail with `reason`."""

    pattern: str
    reason: str


def wrong_patterns(fail_on: Sequence[FailOn]) -> Iterator[str]:
    """Yield what is wrong, each to follow "script NAME: "."""
    if len(fail_on) > MOST_PATTERNS:
        yield f"failOn has {len(fail_on)} entries: use at most {MOST_PATTERNS}"
    for number, one in enumerate(fail_on):
        if why := _why_not(one.pattern):
            yield f"failOn[{number}].pattern {one.pattern!r} {why}"
        if not re.fullmatch(REASON, one.reason) or len(one.reason) > LONGEST_REASON:
            yield (
                f"failOn[{number}].reason is {one.reason!r}: write one word of at most "
                f"{LONGEST_REASON} letters and digits, such as LicenseUnavailable"
            )
        if one.reason == Reason.CANCELLED:
            yield f"failOn[{number}].reason is {one.reason}, which only a cancel has: rename it"


def _why_not(pattern: str) -> str:
    """Return why lines cannot be searched for it, to follow the pattern; empty if they can."""
    if len(pattern) > LONGEST_PATTERN:
        return f"has {len(pattern)} characters: use at most {LONGEST_PATTERN}"
    return patterns.why_not_searchable(pattern)
