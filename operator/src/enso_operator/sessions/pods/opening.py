"""Pods that jobs are just opening: from before their creation until they are followed.

Such a Pod may be gated for as long as a busy API server takes to commit to it, and is needed. What
the watch shows of it meanwhile is kept for whoever follows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakValueDictionary

from enso_operator.api.document import Document


@dataclass(eq=False)
class OpeningPod:
    """The claim to one Pod: it is opened as long as somebody holds this."""

    seen: Document | None = None
    """The Pod as the watch showed it last; None where it did not, or showed its deletion."""


class OpeningPods:
    """Those of all jobs."""

    def __init__(self) -> None:
        self._pods = WeakValueDictionary[tuple[str, str], OpeningPod]()
        """By namespace and name."""

    def claim(self, namespace: str, name: str) -> OpeningPod:
        """Return the claim to a Pod that is about to be created, or adopted."""
        pod = self._pods[namespace, name] = OpeningPod()
        return pod

    def __contains__(self, pod: Document) -> bool:
        """Whether somebody is opening this Pod."""
        return _key(pod) in self._pods

    def on_event(self, kind: str | None, pod: Document) -> None:
        """Take a Pod from the watch."""
        if opening := self._pods.get(_key(pod)):
            opening.seen = None if kind == "DELETED" else pod


def _key(pod: Document) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]
