"""Creates and reads the EnsoActions of one namespace, for tests on a real API server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from enso_operator.api.document import Document
from enso_operator.kube.client import ApiObjects, NoSuchObject
from enso_operator.kube.ensoaction import EnsoActionObject
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


def five_scripts(note: Path) -> Document:
    """Return a job whose third script fails until `note`-mended exists.

    Its first script is a setup, and the second one a checkpoint.
    """
    scripts: list[Document] = [
        {"name": name, "source": NOTES, "args": {"note": str(note), "name": name}}
        for name in ("open", "bake", "do", "save", "publish")
    ]
    scripts[0]["setup"], scripts[1]["checkpoint"] = True, True
    scripts[2] |= {"source": FAILS_ONCE, "args": {"note": str(note)}}
    return of_scripts(*scripts)


ActionResult = tuple[str, str, str]
"""Status, reason and message of the condition Succeeded; empty until the action is decided."""


@dataclass(frozen=True)
class ActionClient:
    """Creates EnsoActions of a namespace, and reads their results."""

    ns: ClusterNamespace

    def create(self, verb: str, name: str = "again", **spec: object) -> Document:
        return self._objects().create(action(verb, name, **spec))

    def get(self, name: str = "again") -> Document:
        return self._objects().get(name)

    def result(self, name: str = "again") -> ActionResult:
        return _result_of(self.get(name))

    def has_result(self, name: str) -> bool:
        return self.result(name)[0] != ""

    def results(self) -> dict[str, ActionResult]:
        documents = self._objects().each()
        return {document["metadata"]["name"]: _result_of(document) for document in documents}

    def create_pair(self, names: Sequence[str]) -> None:
        """Create actions one after the other, each named NAME-VERB."""
        for name in names:
            self.create(name.rpartition("-")[2], name)

    def in_order(self) -> list[tuple[str, str]]:
        """Return the name of each action and its second, in the order in which they are done."""
        metadata = [document["metadata"] for document in self._objects().each()]
        metadata.sort(key=lambda one: (one["creationTimestamp"], int(one["resourceVersion"])))
        return [(one["name"], one["creationTimestamp"]) for one in metadata]

    def label_each(self, names: Sequence[str]) -> None:
        """Label each action as soon as it exists."""
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


def apply_failing_job(ns: ClusterNamespace) -> None:
    """Apply job `c`, which fails unless its argument is 2."""
    source = "def main(frames):\n    assert frames == 2"
    script: Document = {"name": "do", "source": source, "args": {"frames": 0}}
    ns.apply(of_scripts(script) | {"metadata": {"name": "c"}})


def resume_with(ns: ClusterNamespace, frames: int) -> None:
    """Wait until job `c` has failed, and resume it with this argument."""
    ns.waits("Finished", "c")
    name, change = f"again-{frames}", {"scripts": [{"name": "do", "args": {"frames": frames}}]}
    ns.create(action("resume", name, job="c", resume=change))
    ns.kubectl("wait", "--for=condition=Succeeded", f"ensoaction/{name}", "--timeout=150s")


def list_of(items: Sequence[Document]) -> Document:
    return {"apiVersion": "v1", "kind": "List", "items": [*items]}


def _result_of(document: Document) -> ActionResult:
    succeeded = EnsoActionObject(document).condition("Succeeded")
    if not succeeded:
        return "", "", ""
    return succeeded["status"], succeeded["reason"], succeeded["message"]
