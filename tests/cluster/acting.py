"""EnsoActions of one namespace, made and read as their users do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from enso_operator.api.document import Document
from enso_operator.kube.client import ApiObjects, NoSuchObject
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until
from tests.support.resources import action, of_scripts

FAILS_ONCE = """
import os
def main(note):
    with open(note, "a") as file:
        file.write("do\\n")
    if not os.path.exists(note + "-mended"):
        raise OSError("no licence")
"""
NOTES = "def main(note, name): open(note, 'a').write(name + '\\n')"


def five(note: Path) -> Document:
    """A job whose third script fails until `note`-mended exists; a setup, then a checkpoint."""
    scripts: list[Document] = [
        {"name": name, "source": NOTES, "args": {"note": str(note), "name": name}}
        for name in ("open", "bake", "do", "save", "publish")
    ]
    scripts[0]["setup"], scripts[1]["checkpoint"] = True, True
    scripts[2] |= {"source": FAILS_ONCE, "args": {"note": str(note)}}
    return of_scripts(*scripts)


Told = tuple[str, str, str]
"""Status, reason and message of the condition Succeeded; empty before the action's turn."""


@dataclass(frozen=True)
class Acting:
    """Makes EnsoActions of a namespace, and reads what came of them."""

    ns: ClusterNamespace

    def create(self, verb: str, name: str = "again", **spec: object) -> Document:
        return self._objects().create(action(verb, name, **spec))

    def get(self, name: str = "again") -> Document:
        return self._objects().get(name)

    def told(self, name: str = "again") -> Told:
        return _told(self.get(name))

    def is_told(self, name: str) -> bool:
        return self.told(name)[0] != ""

    def all_told(self) -> dict[str, Told]:
        return {found["metadata"]["name"]: _told(found) for found in self._objects().each()}

    def create_pair(self, names: Sequence[str]) -> None:
        """Create actions one after the other, each named NAME-VERB."""
        for name in names:
            self.create(name.rpartition("-")[2], name)

    def in_order(self) -> list[tuple[str, str]]:
        """Return the name of each action and its second, in the order in which they are done."""
        metadata = [found["metadata"] for found in self._objects().each()]
        metadata.sort(key=lambda each: (each["creationTimestamp"], int(each["resourceVersion"])))
        return [(each["name"], each["creationTimestamp"]) for each in metadata]

    def label_for_a_while(self, names: Sequence[str]) -> None:
        """Label each action as soon as it is there."""
        for name in names:
            until(partial(self._is_labelled, name), 120)

    def _is_labelled(self, name: str) -> bool:
        try:
            self.get(name)
        except NoSuchObject:
            return False
        self.ns.kubectl("label", "--overwrite", "ensoaction", name, "studio/shot=010")
        return True

    def _objects(self) -> ApiObjects:
        return replace(self.ns.objects, plural="ensoactions")


def is_resumed(ns: ClusterNamespace) -> None:
    """Resume a job twice with changes: for the second one the operator reads the first one."""
    needs_two_frames(ns)
    for frames in (1, 2):
        is_resumed_with(ns, frames)
    ns.waits("Succeeded", "c")
    held = ns.kubectl("get", "controllerrevisions", "-o", "name").split()
    assert len(held) == 2


def needs_two_frames(ns: ClusterNamespace) -> None:
    """Apply a job, `c`, that fails with another argument than 2."""
    source = "def main(frames):\n    assert frames == 2"
    script: Document = {"name": "do", "source": source, "args": {"frames": 0}}
    ns.apply(of_scripts(script) | {"metadata": {"name": "c"}})


def is_resumed_with(ns: ClusterNamespace, frames: int) -> None:
    """Resume it with this argument, once it has failed."""
    ns.waits("Finished", "c")
    name, change = f"again-{frames}", {"scripts": [{"name": "do", "args": {"frames": frames}}]}
    ns.create(action("resume", name, job="c", resume=change))
    ns.kubectl("wait", "--for=condition=Succeeded", f"ensoaction/{name}", "--timeout=50s")


def list_of(items: Sequence[Document]) -> Document:
    return {"apiVersion": "v1", "kind": "List", "items": [*items]}


def _told(document: Document) -> Told:
    status: Document = document.get("status") or {}
    conditions: list[Document] = status.get("conditions") or []
    for condition in conditions:
        if condition["type"] == "Succeeded":
            return condition["status"], condition["reason"], condition["message"]
    return "", "", ""
