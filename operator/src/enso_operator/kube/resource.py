"""What the read models of our resources, `EnsoJobObject` and `EnsoActionObject`, have in common."""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.api.document import Document

JobKey = tuple[str, str]
"""Namespace and name of an EnsoJob."""


@dataclass(frozen=True)
class ResourceObject:
    """An object of the API server at one resourceVersion; its status is read as it was stored."""

    document: Document

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.document["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The object's namespace."""
        return str(self.document["metadata"]["namespace"])

    @property
    def uid(self) -> str:
        """The object's UID."""
        return str(self.document["metadata"]["uid"])

    @property
    def version(self) -> str:
        """Its resourceVersion."""
        return str(self.document["metadata"]["resourceVersion"])

    @property
    def generation(self) -> int:
        """The metadata.generation, which counts changes of the spec."""
        return int(self.document["metadata"]["generation"])

    @property
    def raw_status(self) -> Document:
        """The status as JSON; empty before the operator has seen the object."""
        status: Document = self.document.get("status") or {}
        return status

    def condition(self, kind: str) -> Document:
        """Return the condition of this type, empty where there is none."""
        conditions: list[Document] = self.raw_status.get("conditions") or []
        found = (condition for condition in conditions if condition["type"] == kind)
        return next(found, Document())

    @property
    def is_finished(self) -> bool:
        """Whether a job has ended, or an action was done or refused."""
        return bool(self.condition("Finished").get("status") == "True")
