"""What the release's roles grant, and what was asked for, both as (resource, verb)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from dev.cluster.audit import Request

from tests.node.chart.release import Release
from tests.node.jobs.pod_namespace import Document

Rights = set[tuple[str, str]]


def granted(release: Release, account: str) -> Rights:
    """Return what the bindings of both namespaces give an account, names of objects aside."""
    kinds = ("get", "roles,rolebindings", "-o", "json")
    answers = (release.kubectl(*kinds), release.ns.kubectl(*kinds))
    found = [document for answer in answers for document in json.loads(answer)["items"]]
    roles = {
        document["metadata"]["name"]: document for document in found if document["kind"] == "Role"
    }
    return {
        (resource, verb)
        for document in found
        if account in [subject["name"] for subject in document.get("subjects", ())]
        for rule in roles[document["roleRef"]["name"]]["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def asked(requests: Iterable[Request]) -> Rights:
    """Return what requests were for; paths such as /version need no role of ours."""
    return {(request.resource, request.verb) for request in requests if request.resource}


def requests_of(release: Release, account: str, mark: int) -> list[Request]:
    """Return what an account of the release has asked for since then."""
    user = f"system:serviceaccount:{release.namespace}:{account}"
    return [request for request in release.ns.node.audit.since(mark) if request.user == user]


def quota(pods: int) -> Document:
    """Return a quota that lets a namespace have so many Pods that have not ended."""
    hard = {"pods": str(pods)}
    about: Document = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}}
    return about | {"spec": {"hard": hard}}
