"""The namespaces in which a caller may list jobs, as far as the API server tells it."""

from __future__ import annotations

from enso_operator.kube.client import Refused
from enso_operator.kube.objects import Objects

_API = "authorization.k8s.io/v1"
MOST_NAMESPACES = 200
"""Namespaces that are asked about one by one, where not all of them may be listed together."""


def namespaces_of(jobs: Objects) -> list[str]:
    """Return them by name, with that of `jobs`. Who may list no namespaces sees this one alone."""
    here = jobs.namespace
    try:
        found = [str(one["name"]) for one in jobs.beside("namespaces", "v1").within("").metadata()]
    except Refused:  # Forbidden among them: RBAC lets few people list namespaces
        return [here]
    if not _may_list(jobs, ""):
        found = [name for name in found[:MOST_NAMESPACES] if _may_list(jobs, name)]
    return sorted({here, *found})


def _may_list(jobs: Objects, namespace: str) -> bool:
    """Whether the caller may list jobs of a namespace; of all where it is ""."""
    attributes = {"group": "enso.dev", "resource": "ensojobs", "verb": "list"}
    attributes |= {"namespace": namespace} if namespace else {}
    review = {
        "apiVersion": _API,
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    reviews = jobs.beside("selfsubjectaccessreviews", _API).within("")
    return bool(reviews.create(review)["status"]["allowed"])
