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
        """How long it took."""
        return self.ended - self.began

    @classmethod
    async def of(cls, watch: Watching, document: Document) -> Run:
        """Create the object and wait for its end, which must be a good one."""
        kind = "ensojobs" if document["kind"] == "EnsoJob" else "pods"
        name: str = document["metadata"]["name"]
        began = time.time()
        await watch.create(kind, document)
        end = await watch.until(kind, lambda one: one["metadata"]["name"] == name and _ended(one))
        if not _well(end.document):
            raise RuntimeError(f"{name} did not succeed: {end.document['status']}")
        return cls(name, began, end.at)


def _ended(one: Document) -> bool:
    status = one.get("status", {})
    return status.get("phase") in ("Succeeded", "Failed") or _is(status, "Finished")


def _well(one: Document) -> bool:
    return one["status"].get("phase") == "Succeeded" or _is(one["status"], "Succeeded")


def _is(status: Document, condition: str) -> bool:
    found = status.get("conditions", [])
    return any(each["type"] == condition and each["status"] == "True" for each in found)


def is_of(pod: Document, job: str) -> bool:
    """Say whether a Pod is of a job's session."""
    return bool(pod["metadata"].get("labels", {}).get("enso.dev/job") == job)
