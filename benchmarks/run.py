"""One object that was created, and the time until a watch showed its end."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.watching import Document, Watching


@dataclass(frozen=True)
class Run:
    """A job, or a Pod, from its creation to its end."""

    name: str
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """Seconds from the creation to the end."""
        return self.ended - self.began

    @classmethod
    async def of(cls, watch: Watching, document: Document) -> Run:
        """Create the object and wait for its end, which must be a success."""
        kind = "ensojobs" if document["kind"] == "EnsoJob" else "pods"
        name: str = document["metadata"]["name"]
        began = time.time()
        await watch.create(kind, document)
        end = await watch.until(
            kind, lambda document: document["metadata"]["name"] == name and _ended(document)
        )
        if not _well(end.document):
            raise RuntimeError(f"{name} did not succeed: {end.document['status']}")
        return cls(name, began, end.at)


def _ended(document: Document) -> bool:
    status = document.get("status", {})
    return status.get("phase") in ("Succeeded", "Failed") or _is(status, "Finished")


def _well(document: Document) -> bool:
    return document["status"].get("phase") == "Succeeded" or _is(document["status"], "Succeeded")


def _is(status: Document, condition: str) -> bool:
    found = status.get("conditions", [])
    return any(entry["type"] == condition and entry["status"] == "True" for entry in found)


def is_of(pod: Document, job: str) -> bool:
    """Say whether a Pod is of a job's session."""
    return bool(pod["metadata"].get("labels", {}).get("enso.dev/job") == job)
