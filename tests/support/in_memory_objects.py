"""An API server's objects of one kind, in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from threading import RLock
from typing import Any
from uuid import uuid4

from enso_operator.api.document import Document
from enso_operator.kube.client import NoSuchObject, Taken
from enso_operator.kube.merge_patch import merged
from enso_operator.kube.pages import Reader, named, whole
from enso_operator.on_loop import is_on_loop, wait_for
from job_execution_framework.domain.errors import Conflict
from tests.support.tables import table_of


@dataclass
class InMemoryCluster:
    """All stored objects, by namespace and name; watchers get every change."""

    stored: dict[tuple[str, str], Document] = field(default_factory=dict[tuple[str, str], Document])
    version: int = 0
    other_kinds: dict[str, InMemoryCluster] = field(default_factory=dict[str, "InMemoryCluster"])
    """The objects of other kinds."""
    watch: Callable[[str, Document], None] = lambda _kind, _document: None
    lock: RLock = field(default_factory=RLock)

    def objects(self, namespace: str) -> InMemoryObjects:
        return InMemoryObjects(self, namespace)

    def store(self, kind: str, document: Document) -> Document:
        """Keep the document as the newest version, and return it."""
        self.version += 1
        metadata = document["metadata"]
        metadata["resourceVersion"] = str(self.version)
        self.stored[metadata["namespace"], metadata["name"]] = document
        self.watch(kind, deepcopy(document))
        return deepcopy(document)


@dataclass(frozen=True)
class InMemoryObjects:
    """Implements `kube.objects.Objects`."""

    cluster: InMemoryCluster
    namespace: str

    def beside(self, plural: str, api: str = "") -> InMemoryObjects:
        del api
        other_kinds = self.cluster.other_kinds.setdefault(plural, InMemoryCluster())
        return InMemoryObjects(other_kinds, self.namespace)

    def within(self, namespace: str) -> InMemoryObjects:
        return InMemoryObjects(self.cluster, namespace)

    def get(self, name: str) -> Document:
        _let_others_run()
        with self.cluster.lock:
            return deepcopy(self._stored(name))

    def metadata(self) -> Iterator[Document]:
        return (document["metadata"] for document in self.each(read=named))

    def each(
        self, *, fields: str = "", labels: str = "", read: Reader = whole
    ) -> Iterator[Document]:
        label = labels.split("=") if labels else ()
        with self.cluster.lock:
            selected = [
                document
                for (namespace, _), document in sorted(self.cluster.stored.items())
                if self.namespace in ("", namespace)
                and (not fields or _is_selected(document, fields))
                and (not label or document["metadata"].get("labels", {}).get(label[0]) == label[1])
            ]
            answer = json.dumps({"metadata": {}, "items": selected}).encode()
        page: Any = read(answer)
        return iter(page["items"])

    def table(self) -> Iterator[Document]:
        with self.cluster.lock:
            yield table_of(self.each(), self.cluster.version)

    def create(self, document: Document) -> Document:
        _let_others_run()
        with self.cluster.lock:
            created = deepcopy(document)
            name = created["metadata"]["name"]
            if (self.namespace, name) in self.cluster.stored:
                raise Taken(f"{name} already exists")
            created.pop("status", None)  # the status has its own subresource
            created["metadata"] |= {
                "namespace": self.namespace,
                "uid": str(uuid4()),
                "generation": 1,
                "creationTimestamp": "2026-11-28T12:00:00Z",
            }
            return self.cluster.store("ADDED", created)

    def patch(self, name: str, version: str, spec: Document) -> Document:
        return self._patch(name, version, "spec", spec)

    def patch_status(self, name: str, version: str, patch: Document) -> Document:
        return self._patch(name, version, "status", patch)

    def own(self, name: str, version: str, owners: list[Document]) -> Document:
        return self._patch(name, version, "metadata", {"ownerReferences": owners})

    def delete(self, name: str, uid: str, version: str) -> None:
        _let_others_run()
        with self.cluster.lock:
            metadata = self._stored(name)["metadata"]
            if (metadata["uid"], metadata["resourceVersion"]) != (uid, version):
                raise Conflict(f"{name} was modified")
            deleted = self.cluster.stored[self.namespace, name]
            self.cluster.store("DELETED", deleted)
            del self.cluster.stored[self.namespace, name]

    def _patch(self, name: str, version: str, part: str, patch: Document) -> Document:
        _let_others_run()
        with self.cluster.lock:
            stored = self._stored(name)
            if stored["metadata"]["resourceVersion"] != version:
                raise Conflict(f"{name} was modified")
            before = stored.get(part, {})
            after = merged(before, patch)
            if after == before:
                return deepcopy(stored)
            changed = deepcopy(stored) | {part: after}
            changed["metadata"]["generation"] += part == "spec"
            return self.cluster.store("MODIFIED", changed)

    def _stored(self, name: str) -> Document:
        if stored := self.cluster.stored.get((self.namespace, name)):
            return stored
        raise NoSuchObject(f"{name} not found")


def _is_selected(document: Document, selector: str) -> bool:
    path, _, value = selector.partition("=")
    part, name = path.removesuffix("!").split(".")
    held: str = document.get(part, {}).get(name, "")
    return (held == value) != path.endswith("!")


def _let_others_run() -> None:
    """Do so where a request would wait for its answer on the event loop."""
    if is_on_loop():
        wait_for(asyncio.sleep(0))
