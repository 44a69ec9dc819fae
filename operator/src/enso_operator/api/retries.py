"""How often a script that failed is started again: a field of scripts, and of changes to them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from enso_operator.api.fields import LONGEST_SECONDS, FailureReason, Seconds, WireModel
from job_execution_framework.domain.retries import LARGEST_FACTOR, MOST_REASONS

Limit = Annotated[int, Field(ge=0, le=100)]
Backoff = Annotated[int, Field(ge=0, le=LONGEST_SECONDS)]


class ReasonRetries(WireModel):
    """Retries of a script that failed for one reason; they do not count against its limit."""

    reason: FailureReason
    """The reason of the failure, such as Timeout, one of failOn, or the type of an exception."""
    limit: Limit
    """How often the script may fail for this reason and be started again."""
    backoff_seconds: Backoff | None = None
    """How long, in seconds, to wait before that; without it as for any other reason."""


class RetriesSpec(WireModel):
    """How a script that failed is started again."""

    limit: Limit = 0
    """How often the script may fail and be started again."""
    backoff_seconds: Backoff = 0
    """How long, in seconds, to wait before the script is started again.

    From 60 on the session ends meanwhile.
    """
    factor: Annotated[float, Field(ge=1, le=LARGEST_FACTOR)] | None = None
    """By what each wait is longer than the one before it for the same reason; 1 by default."""
    max_seconds: Seconds | None = None
    """How long, in seconds, a wait is at most."""
    on_reasons: Annotated[list[ReasonRetries], Field(max_length=MOST_REASONS)] = Field(
        default_factory=list[ReasonRetries]
    )
    """Retries for single reasons: an entry for the type of an exception goes before its reason."""
