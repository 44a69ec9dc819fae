"""Watches jobs, actions or Pods at the API server, in a thread of its own.

The commands that wait use it. A caller may wait for a limited time, to update the times that it
shows. When the API server restarts, a watch yields `Disconnected`, connects again, and starts with
a new list.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from enso_operator.api.document import Document
from enso_operator.kube.workstation.api_server import JSON, ApiServer
from enso_operator.kube.workstation.errors import NoCluster, is_temporary
from job_execution_framework.domain.errors import EnsoError
from job_execution_framework.service_layer import bounded_json

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
"""Between two attempts to reach an API server that does not answer."""


@dataclass(frozen=True)
class FullList:
    """The list of all present objects, in pages."""

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
class Disconnected:
    """The API server does not answer; the watch tries again."""

    sentence: str


WatchEvent = FullList | Changed | Deleted | Disconnected


class Follower:
    """Watches the objects at some paths of the API server; all events come in one queue.

    `has_answered` says that the API server has answered this command before. Then the first list is
    tried again, too, if the API server restarts.
    """

    def __init__(self, api: ApiServer, *, has_answered: bool = False) -> None:
        self._access, self._has_answered = api.access, has_answered
        self._events: queue.SimpleQueue[WatchEvent | Exception] = queue.SimpleQueue()

    def follow(self, path: str, query: Mapping[str, str], *, accept: str = JSON) -> None:
        """Start to watch the objects at a path."""
        threading.Thread(target=self._run, args=(path, query, accept), daemon=True).start()

    def next(self, seconds: float | None = None) -> WatchEvent | None:
        """Return the next event; None if there is none within this time.

        Raises NoCluster and Answered if the first list fails.
        """
        try:
            event = self._events.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(event, Exception):
            raise event
        return event

    def _run(self, path: str, query: Mapping[str, str], accept: str) -> None:
        try:
            api, has_answered = ApiServer(self._access), self._has_answered
            for event in watch_objects(api, path, query, accept, has_answered=has_answered):
                self._events.put(event)
        except Exception as error:  # noqa: BLE001  # `next` raises it, or the command ends anyway
            self._events.put(error)


class ProblemPrinter:
    """Prints on standard error why a command cannot go on: once, as long as it is so."""

    def __init__(self) -> None:
        self._problem = ""

    def note(self, event: WatchEvent) -> None:
        """Print why the watch is interrupted; any other event says that it goes on."""
        if isinstance(event, Disconnected):
            self.show(event.sentence)
        else:
            self.clear()

    def show(self, problem: str) -> None:
        """Print the problem, unless it was the last one."""
        if problem != self._problem:
            print(f"enso: {problem}; trying again", file=sys.stderr, flush=True)
        self._problem = problem

    def clear(self) -> None:
        """Forget the problem, so that it is printed when it comes back."""
        self._problem = ""


def watch_objects(
    api: ApiServer, path: str, query: Mapping[str, str], accept: str, *, has_answered: bool = False
) -> Iterator[WatchEvent]:
    """Yield a list of all objects, then changes, without end. Raises if the first list fails."""
    version, pause, has_begun = "", FIRST_PAUSE_SECONDS, False
    while True:
        try:
            if not version:
                pages = tuple(api.pages(path, query, accept=accept))
                version, pause, has_begun = _version(pages[-1]), FIRST_PAUSE_SECONDS, True
                yield FullList(pages)
            watch_query = {
                **query,
                "watch": "1",
                "allowWatchBookmarks": "1",
                "resourceVersion": version,
            }
            for line in api.lines(path, watch_query, accept=accept):
                event = _event(line)
                version = _version(event["object"])
                if event["type"] == "DELETED":
                    yield Deleted(event["object"])
                elif event["type"] != "BOOKMARK":
                    yield Changed(event["object"])
        except EnsoError as error:
            if not has_begun and not (has_answered and is_temporary(error)):
                raise
            version = ""
            yield Disconnected(str(error))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _event(line: bytes) -> Document:
    """Return an event of a watch; raise NoCluster if the watch has failed, or was cut off."""
    try:
        event: Document = bounded_json.loads_cut(line)
        kind = event["type"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoCluster("the watch was cut off") from error
    if kind == "ERROR":  # such as a resourceVersion that is too old
        raise NoCluster(f"the watch has ended: {event['object'].get('message')}")
    return event


def _version(document: Document) -> str:
    """Return the resourceVersion of an object, or of a row in a table."""
    version = document.get("metadata", {}).get("resourceVersion")
    for row in document.get("rows") or ():
        version = version or row["object"]["metadata"]["resourceVersion"]
    return str(version or "")
