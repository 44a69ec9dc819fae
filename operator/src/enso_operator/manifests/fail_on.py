"""Converts the lines by which a script fails from a manifest to the domain's, and back."""

from __future__ import annotations

from collections.abc import Iterable

from enso_operator.api.document import Document
from enso_operator.api.fail_on import FailOnSpec
from job_execution_framework.domain.fail_on import FailOn


def fail_on_of(specs: Iterable[FailOnSpec]) -> tuple[FailOn, ...]:
    """Return what a manifest says."""
    return tuple(FailOn(spec.pattern, spec.reason) for spec in specs)


def written(fail_on: Iterable[FailOn]) -> list[Document]:
    """Return it as a manifest has it."""
    return [{"pattern": one.pattern, "reason": one.reason} for one in fail_on]
