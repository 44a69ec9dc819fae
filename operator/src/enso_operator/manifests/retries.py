"""Converts the retries of a script from a manifest to the domain's, and back."""

from __future__ import annotations

from enso_operator.api.document import Document
from enso_operator.api.retries import RetriesSpec
from job_execution_framework.domain.retries import Budget, Retries


def retries_of(spec: RetriesSpec) -> Retries:
    """Return what a manifest says of retries."""
    budgets = (
        Budget(
            on.reason,
            on.limit,
            spec.backoff_seconds if on.backoff_seconds is None else on.backoff_seconds,
        )
        for on in spec.on_reasons
    )
    factor = 1 if spec.factor is None else spec.factor
    return Retries(spec.limit, spec.backoff_seconds, factor, spec.max_seconds, tuple(budgets))


def written(retries: Retries) -> Document:
    """Return retries as a manifest has them."""
    document: Document = {
        "limit": retries.limit,
        "backoffSeconds": round(retries.backoff_seconds),
    }
    if retries.factor != 1:
        document["factor"] = retries.factor
    if retries.max_seconds is not None:
        document["maxSeconds"] = max(1, round(retries.max_seconds))
    if retries.on_reasons:
        document["onReasons"] = [
            {
                "reason": budget.reason,
                "limit": budget.limit,
                "backoffSeconds": round(budget.backoff_seconds),
            }
            for budget in retries.on_reasons
        ]
    return document
