"""People of a namespace with rights of their own: ServiceAccounts, with tokens of kubectl's."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dev.cluster.plane import Cluster

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import token_of
from tests.support.eventually import until
from tests.support.resources import Document

READ = ("ensojobs.enso.dev=get,list,watch",)
WRITE = ("ensojobs.enso.dev=get,list,watch,create,patch", "ensoscripts.enso.dev=get,list")


@dataclass(frozen=True)
class User:
    """A ServiceAccount of the namespace."""

    name: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def user(ns: ClusterNamespace, account: str, *rights: str) -> User:
    """Create a ServiceAccount with these rights, each `resource=verb,verb`."""
    ns.kubectl("create", "serviceaccount", account)
    for number, right in enumerate(rights):
        resource, _, verbs = right.partition("=")
        role = f"{account}-{number}"
        ns.kubectl("create", "role", role, f"--verb={verbs}", f"--resource={resource}")
        whom = f"--serviceaccount={ns.namespace}:{account}"
        ns.kubectl("create", "rolebinding", role, f"--role={role}", whom)
    name = name_of(ns.namespace, account)
    if rights:
        until_granted(ns.cluster, ns.namespace, name, *rights)
    return User(name, token_of(ns.cluster, ns.namespace, account))


def name_of(namespace: str, account: str = "default") -> str:
    """Return how the API server calls a ServiceAccount."""
    return f"system:serviceaccount:{namespace}:{account}"


def until_granted(cluster: Cluster, namespace: str, name: str, *rights: str) -> None:
    """Wait until somebody has rights in a namespace: a moment after roles and bindings are there.

    A right is `resource=verb,verb`, or `resource/name=verb` of one object.
    """
    reviews = [
        _review(name, namespace, resource, verb)
        for resource, _, verbs in (right.partition("=") for right in rights)
        for verb in verbs.split(",")
    ]
    asked = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
    given = ("create", "-f", "-", "-o", 'jsonpath={.status.allowed}{" "}')
    until(lambda: {*cluster.kubectl(*given, stdin=asked).split()} == {"true"})


def _review(name: str, namespace: str, what: str, verb: str) -> Document:
    what, _, name_of_object = what.partition("/")
    resource, _, group = what.partition(".")
    about = {"group": group, "resource": resource, "name": name_of_object}
    about |= {"namespace": namespace, "verb": verb}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": name, "resourceAttributes": about},
    }
