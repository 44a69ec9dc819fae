"""The port to the objects of one kind, EnsoJobs or EnsoScripts, as an API server has them.

The unit of work, the script library, the reconciler and the HTTP API work with it. `client` has it
for an API server, and tests have it in memory; both pass one suite of contract tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from enso_operator.api.document import Document


class Objects(Protocol):
    """The objects of one kind, in one namespace or in all.

    Every call blocks, and may raise Unavailable and Refused.
    """

    @property
    def namespace(self) -> str:
        """Where they are, "" where they are those of all namespaces."""
        ...

    def get(self, name: str) -> Document:
        """Return the object; raise NoSuchObject."""
        ...

    def metadata(self) -> Iterator[Document]:
        """Yield the metadata of each."""
        ...

    def each(self) -> Iterator[Document]:
        """Yield one after the other."""
        ...

    def create(self, document: Document) -> Document:
        """Create the object and return it as it is now; raise Taken where its name is."""
        ...

    def patch(self, name: str, version: str, spec: Document) -> Document:
        """Merge `spec` into the spec, if the object is still of that version; else Conflict."""
        ...

    def patch_status(self, name: str, version: str, patch: Document) -> Document:
        """Merge `patch` into the status, if the object is still of that version; else Conflict."""
        ...

    def delete(self, name: str, uid: str, version: str) -> None:
        """Delete the object, if it is still the same one, unchanged; else Conflict."""
        ...
