"""People of a namespace with rights of their own: ServiceAccounts, with tokens of kubectl's."""

from __future__ import annotations

from dataclasses import dataclass

from tests.cluster.cluster_namespace import ClusterNamespace

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
    token = ns.kubectl("create", "token", account).strip()
    return User(f"system:serviceaccount:{ns.namespace}:{account}", token)
