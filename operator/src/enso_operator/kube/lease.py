"""A Lease of the API server, as leadership needs it: read, created, replaced if unchanged."""

from __future__ import annotations

from dataclasses import dataclass

from kubernetes.client import ApiClient

from enso_operator.api.document import Document
from enso_operator.kube.client import NoSuchObject, request

API_VERSION = "coordination.k8s.io/v1"


@dataclass(frozen=True)
class Lease:
    """One Lease by its name. Every call blocks, and may raise Unavailable and Refused."""

    client: ApiClient
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    def read(self) -> Document | None:
        """Return the Lease; None where there is none."""
        try:
            return request(self.client, "GET", f"{self._folder}/{self.name}")
        except NoSuchObject:
            return None

    def create(self, spec: Document) -> Document:
        """Create the Lease and return the stored one; raise Conflict where it exists."""
        document: Document = {
            "apiVersion": API_VERSION,
            "kind": "Lease",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": spec,
        }
        return request(self.client, "POST", self._folder, document)

    def replace(self, document: Document) -> Document:
        """Replace the Lease, if its version is the document's; else Conflict or NoSuchObject."""
        return request(self.client, "PUT", f"{self._folder}/{self.name}", document)

    @property
    def _folder(self) -> str:
        return f"/apis/{API_VERSION}/namespaces/{self.namespace}/leases"
