"""The port to the objects of one kind, such as EnsoJobs, of an API server.

The unit of work, the script library, the reconciler and the HTTP API use it. `client` implements it
for an API server, tests implement it in memory; both pass the same contract tests.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Protocol

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.kube.pages import Reader, whole


class Objects(Protocol):
    """The objects of one kind, in one namespace or in all.

    Every call blocks, and may raise Unavailable and Refused.
    """

    @property
    def namespace(self) -> str:
        """Namespace of the objects; "" means all namespaces."""
        ...

    def beside(self, plural: str, api: str = API_VERSION) -> Objects:
        """Return the objects of another kind in the same place; `api` is its group and version."""
        ...

    def within(self, namespace: str) -> Objects:
        """Return those of another namespace; "" stands for all, and for kinds that have none."""
        ...

    def get(self, name: str) -> Document:
        """Return the object; raise NoSuchObject."""
        ...

    def metadata(self) -> Iterator[Document]:
        """Yield the name, uid and version of each, as in its metadata."""
        ...

    def each(
        self, *, fields: str = "", labels: str = "", read: Reader = whole
    ) -> Iterator[Document]:
        """Yield each object that the selectors, such as `spec.job=shot`, select, as it is read."""
        ...

    def table(self) -> Iterator[Document]:
        """Yield the table of all objects in pages: the columns of the CRD, and the metadata."""
        ...

    def create(self, document: Document) -> Document:
        """Create the object and return the stored one; raise Taken where the name exists."""
        ...

    def patch(self, name: str, version: str, spec: Document) -> Document:
        """Merge `spec` into the spec, if the object is still of that version; else Conflict."""
        ...

    def patch_status(self, name: str, version: str, patch: Document) -> Document:
        """Merge `patch` into the status, if the object is still of that version; else Conflict."""
        ...

    def own(self, name: str, version: str, owners: list[Document]) -> Document:
        """Replace its ownerReferences, if the object is still of that version; else Conflict."""
        ...

    def delete(self, name: str, uid: str, version: str) -> None:
        """Delete the object, if it is still the same one, unchanged; else Conflict."""
        ...


def similar_name(objects: Objects, name: str) -> str:
    """Return the name that was probably meant by one that was not found; "" if there is none.

    An object of that very name may have been created meanwhile: it is not what was meant.
    """
    names = [str(metadata["name"]) for metadata in objects.metadata()]
    others = [other for other in names if other != name]
    return next(iter(difflib.get_close_matches(name, others, n=1)), "")
