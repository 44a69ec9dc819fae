"""The namespaces in which a caller may list jobs, as far as the API server tells it."""

from __future__ import annotations

from enso_operator.http_api.cluster_rights import may
from enso_operator.kube.client import Refused
from enso_operator.kube.objects import Objects

_LIST = ("list", "ensojobs")
MOST_NAMESPACES = 200
"""Namespaces that are asked about one by one, where not all of them may be listed together."""


def namespaces_of(jobs: Objects) -> list[str]:
    """Return them by name, with that of `jobs`. Who may list no namespaces sees this one alone."""
    here = jobs.namespace
    try:
        found = [str(one["name"]) for one in jobs.beside("namespaces", "v1").within("").metadata()]
    except Refused:  # Forbidden among them: RBAC lets few people list namespaces
        return [here]
    if not may(jobs, *_LIST, ""):
        found = [name for name in found[:MOST_NAMESPACES] if may(jobs, *_LIST, name)]
    return sorted({here, *found})
