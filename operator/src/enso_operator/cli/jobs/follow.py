"""Watches jobs or Pods at the API server, in a thread of its own.

A caller may wait for a limited time, to update the times that it shows. When the API server
restarts, a watch yields `Away`, connects again, and starts with a new list.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from enso_operator.api.document import Document
from enso_operator.kube.workstation.api_server import JSON, ApiServer
from enso_operator.kube.workstation.errors import NoCluster
from job_execution_framework.domain.errors import EnsoError
from job_execution_framework.service_layer import bounded_json

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
"""Between two attempts to reach an API server that does not answer."""


@dataclass(frozen=True)
class All:
    """A list of all present objects, in parts."""

    pages: tuple[Document, ...]


@dataclass(frozen=True)
class Changed:
    """One object was added or changed."""

    document: Document


@dataclass(frozen=True)
class Deleted:
    """One object was deleted."""

    document: Document


@dataclass(frozen=True)
class Away:
    """The API server does not answer; it is asked again."""

    sentence: str


Seen = All | Changed | Deleted | Away


class Follower:
    """Follows the objects at some paths of the API server, all of them in one order."""

    def __init__(self, api: ApiServer) -> None:
        self._access = api.access
        self._seen: queue.SimpleQueue[Seen | EnsoError] = queue.SimpleQueue()

    def follow(self, path: str, query: Mapping[str, str], *, accept: str = JSON) -> None:
        """Begin to follow what is at a path."""
        threading.Thread(target=self._run, args=(path, query, accept), daemon=True).start()

    def next(self, seconds: float | None = None) -> Seen | None:
        """Return what was seen next, None where that takes longer.

        Raises NoCluster and Answered where the API server cannot even be asked a first time.
        """
        try:
            seen = self._seen.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(seen, EnsoError):
            raise seen
        return seen

    def _run(self, path: str, query: Mapping[str, str], accept: str) -> None:
        try:
            for seen in watched(ApiServer(self._access), path, query, accept):
                self._seen.put(seen)
        except EnsoError as error:
            self._seen.put(error)


def watched(api: ApiServer, path: str, query: Mapping[str, str], accept: str) -> Iterator[Seen]:
    """Yield a list of all objects, then changes, without end. Raises if the first list fails."""
    version, pause, has_begun = "", FIRST_PAUSE_SECONDS, False
    while True:
        try:
            if not version:
                pages = tuple(api.pages(path, query, accept=accept))
                version, pause, has_begun = _version(pages[-1]), FIRST_PAUSE_SECONDS, True
                yield All(pages)
            watch = {**query, "watch": "1", "allowWatchBookmarks": "1", "resourceVersion": version}
            for line in api.lines(path, watch, accept=accept):
                event = _event(line)
                version = _version(event["object"])
                if event["type"] == "DELETED":
                    yield Deleted(event["object"])
                elif event["type"] != "BOOKMARK":
                    yield Changed(event["object"])
        except EnsoError as error:
            if not has_begun:
                raise
            version = ""
            yield Away(str(error))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _event(line: bytes) -> Document:
    """Return an event of a watch; raise NoCluster where the watch has failed, or is cut off."""
    try:
        event: Document = bounded_json.loads_cut(line)
        kind = event["type"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoCluster("the watch was cut off") from error
    if kind == "ERROR":  # such as a history that goes back less far
        raise NoCluster(f"the watch has ended: {event['object'].get('message')}")
    return event


def _version(document: Document) -> str:
    """Return the resourceVersion of an object, or of a row in a table."""
    version = document.get("metadata", {}).get("resourceVersion")
    for row in document.get("rows") or ():
        version = version or row["object"]["metadata"]["resourceVersion"]
    return str(version or "")
