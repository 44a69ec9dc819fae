"""What a caller may do with the EnsoJobs of a namespace, as the API server says it beforehand."""

from __future__ import annotations

from collections.abc import Iterable

from enso_operator.http_api.rights import ALLOWED, Rights
from enso_operator.kube.client import NoSuchObject, Refused
from enso_operator.kube.objects import Objects

_API = "authorization.k8s.io/v1"
_ACT = (("create", "ensoactions"), ("get", "ensoactions"))
_ADD = (("create", "ensojobs"),)
_EXECUTE = (("patch", "ensojobs"),)


def rights_of(jobs: Objects) -> Rights:
    """Return what the caller may not do in the namespace of `jobs`.

    Where the API server does not say it, a refusal will when it is tried.
    """
    try:
        return Rights(*(_missing(jobs, needed) for needed in (_ACT, _ADD, _EXECUTE)))
    except (Refused, NoSuchObject):
        return ALLOWED


def may(jobs: Objects, verb: str, resource: str, namespace: str) -> bool:
    """Whether the caller may do that with objects of ours in a namespace; in all where it is ""."""
    attributes = {"group": "enso.dev", "resource": resource, "verb": verb}
    attributes |= {"namespace": namespace} if namespace else {}
    review = {
        "apiVersion": _API,
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    reviews = jobs.beside("selfsubjectaccessreviews", _API).within("")
    return bool(reviews.create(review)["status"]["allowed"])


def _missing(jobs: Objects, needed: Iterable[tuple[str, str]]) -> str:
    for verb, resource in needed:
        if not may(jobs, verb, resource, jobs.namespace):
            return f"You may not {verb} {resource}.enso.dev in namespace {jobs.namespace}."
    return ""
