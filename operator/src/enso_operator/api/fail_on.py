"""Lines of output by which a script fails: a field of scripts, and of changes to them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from enso_operator.api.fields import CAMEL_CASE, WireModel
from job_execution_framework.domain.fail_on import LONGEST_PATTERN, LONGEST_REASON, MOST_PATTERNS


class FailOnSpec(WireModel):
    """A line of output by which an attempt of a script fails, though the script returned."""

    pattern: Annotated[str, Field(min_length=1, max_length=LONGEST_PATTERN)]
    """A regular expression that is looked for in each line; docs/scripts.md says which."""
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON, pattern=CAMEL_CASE)]
    """The reason of the failure, one word in CamelCase, such as LicenseUnavailable."""


FailOnList = Annotated[list[FailOnSpec], Field(max_length=MOST_PATTERNS)]
