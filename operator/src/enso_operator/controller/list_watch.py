"""Lists the objects of a kind and watches them from there on, where kopf does not.

It runs on the event loop of those whom it shows them. `pod_watch.py` and `finished_watch.py` say
what is watched so.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice

from enso_operator.api.document import Document
from enso_operator.blocking import in_thread, pause_of
from enso_operator.controller import malloc
from enso_operator.kube.client import JSON, ApiObjects, Forbidden, NoSuchObject, Refused, path_of
from enso_operator.kube.pages import Reader, whole
from enso_operator.kube.streams import streams_of
from job_execution_framework.domain.errors import EnsoError, Unavailable

AT_ONCE = 200
"""Objects of a list that are shown before the loop does something else: some milliseconds."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, LONGEST_REFUSED_SECONDS = 0.1, 5.0, 60.0
"""Bounds of the pause before the next watch; after refusals it may become longer."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ListWatch:
    """Shows each object of a list, and then what happens to each.

    After a pause it goes on where it was, also where the API server was overloaded or away. Only
    where what happened meanwhile is lost does it list anew: what was deleted is then not shown.
    """

    objects: ApiObjects
    namespaces: Sequence[str]
    """Namespaces that are watched; empty means all."""
    listed: Callable[[Document], None]
    changed: Callable[[str, Document], None]
    """Called with the type of what happened, ADDED, MODIFIED or DELETED, and with the object."""
    fields: str = ""
    labels: str = ""
    """Selectors of the objects that are watched."""
    read: Reader = whole
    """Reads pages of the list."""
    accept: str = JSON
    """The form in which the watch is to have objects."""

    async def run(self) -> None:
        """Watch until cancelled."""
        await asyncio.gather(*(self._follow(each) for each in self.namespaces or [""]))

    async def _follow(self, namespace: str) -> None:
        objects, loop = self.objects.within(namespace), asyncio.get_running_loop()
        version, tries, is_told = "", 0, False
        while True:
            since, longest = math.inf, LONGEST_PAUSE_SECONDS
            try:
                version = version or await self._list(objects)
                since = loop.time()
                async with aclosing(self._events(objects, version)) as events:
                    async for event in events:
                        found = event["object"]
                        version = str(found["metadata"]["resourceVersion"])
                        if event["type"] != "BOOKMARK":
                            # What breaks on an object ends no watch, but is logged.
                            loop.call_soon(self.changed, event["type"], found)
            except EnsoError as error:
                if not isinstance(error, Unavailable | Forbidden):
                    version = ""  # what happened since then cannot be had any more
                if isinstance(error, Refused | NoSuchObject):
                    longest = LONGEST_REFUSED_SECONDS
                is_news = isinstance(error, Forbidden) and not is_told
                is_told = is_told or is_news
                level = logging.WARNING if is_news else logging.DEBUG
                _log.log(level, "%s are not watched: %s", objects.plural, error)
            if loop.time() - since > LONGEST_PAUSE_SECONDS:
                tries, is_told = 0, False
            await asyncio.sleep(pause_of(tries, SHORTEST_PAUSE_SECONDS, longest))
            tries += 1

    async def _list(self, objects: ApiObjects) -> str:
        """Show all of them, a few at a time; return from which version on to watch."""
        loop, version = asyncio.get_running_loop(), await in_thread(objects.version)
        listed = objects.each(fields=self.fields, labels=self.labels, read=self.read)
        while few := await in_thread(lambda: [*islice(listed, AT_ONCE)]):
            for document in few:
                loop.call_soon(self.listed, document)
        del few
        await in_thread(malloc.give_back)
        return version

    def _events(self, objects: ApiObjects, version: str) -> AsyncGenerator[Document]:
        selectors = {"fieldSelector": self.fields, "labelSelector": self.labels}
        path = path_of(objects.namespace, objects.plural, objects.api)
        return streams_of(objects.client).events(path, version, selectors, self.accept)
