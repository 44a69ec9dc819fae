"""Watches the metadata of EnsoJobs that have ended, which kopf does not: it reads whole objects.

A job that has ended needs nothing until somebody changes its spec, resumes it or deletes it. Of
each of these the metadata tell that something is to be read. What they were when the operator came
is listed once, a page at a time, and forgotten. What is missed, the sweep finds.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import islice

import aiohttp
from kubernetes.client import Configuration

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.blocking import in_thread, pause_of
from enso_operator.controller import malloc
from enso_operator.kube.api_session import BoundedResponse, authorization, session_of
from enso_operator.kube.client import Refused, path_of, translating_errors
from enso_operator.kube.ensojob import KIND
from enso_operator.kube.finished import FINISHED, ended
from enso_operator.kube.objects import Objects
from job_execution_framework.domain.errors import EnsoError

METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
SILENCE_SECONDS, CONNECT_SECONDS = 70.0, 10.0
"""How long a watch may say nothing: there is a bookmark each minute."""
ONE_PAGE = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
AT_ONCE = 500
"""Jobs that are shown before the loop does something else: some milliseconds."""
PIECE_BYTES = 64 * 1024
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, LONGEST_REFUSED_SECONDS = 0.1, 5.0, 60.0
"""Bounds of the pause before the next watch; after refusals it may become longer."""
_TIMEOUT = aiohttp.ClientTimeout(
    total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
)
_log = logging.getLogger(__name__)


class FinishedWatch:
    """Shows every job that has ended, and then the metadata of each that was changed."""

    def __init__(
        self,
        configuration: Configuration,
        jobs: Callable[[str], Objects],
        namespaces: Sequence[str],
        listed: Callable[[Document], None],
        changed: Callable[[Document], None],
    ) -> None:
        """Watch these namespaces, or all.

        `listed` gets objects as `ended` reads them, `changed` objects that have only metadata.
        """
        self._configuration, self._jobs = configuration, jobs
        self._listed, self._changed = listed, changed
        self._namespaces = namespaces or [""]

    async def run(self) -> None:
        """Watch until cancelled."""
        async with session_of(self._configuration, _TIMEOUT, BoundedResponse) as http:
            await asyncio.gather(*(self._follow(http, place) for place in self._namespaces))

    async def _follow(self, http: aiohttp.ClientSession, namespace: str) -> None:
        """Begin anew wherever a watch ends; with a list where the last version is too old."""
        version, tries = "", 0
        while True:
            longest = LONGEST_PAUSE_SECONDS
            try:
                version = version or await self._list(http, namespace)
                async for event in self._events(http, namespace, version):
                    if event["type"] == "ERROR":
                        version = ""
                        break
                    version, tries = str(event["object"]["metadata"]["resourceVersion"]), 0
                    if event["type"] != "BOOKMARK":
                        self._changed(event["object"])
            except (aiohttp.ClientResponseError, Refused) as error:
                version, longest = "", LONGEST_REFUSED_SECONDS
                _log.debug("jobs that have ended are not watched: %s", error)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError, EnsoError) as error:
                _log.debug("the watch of jobs that have ended is broken off: %r", error)
            await asyncio.sleep(pause_of(tries, SHORTEST_PAUSE_SECONDS, longest))
            tries += 1

    async def _list(self, http: aiohttp.ClientSession, namespace: str) -> str:
        """Show all of them, a few at a time; return from which version on to watch."""
        async with self._ask(http, namespace, {"limit": "1"}, ONE_PAGE) as answer:
            version = str((await answer.json())["metadata"]["resourceVersion"])
        jobs = self._jobs(namespace).each(fields=FINISHED, read=ended)
        while few := await in_thread(lambda: [*islice(jobs, AT_ONCE)]):
            for document in few:
                self._listed(document)
        del few
        await in_thread(malloc.give_back)
        return version

    async def _events(
        self, http: aiohttp.ClientSession, namespace: str, version: str
    ) -> AsyncIterator[Document]:
        """Yield what happens after this version."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
        async with self._ask(http, namespace, query, METADATA_ONLY) as answer:
            async for line in answer.content.iter_chunked(PIECE_BYTES):  # a whole one each
                yield json.loads(line)

    @asynccontextmanager
    async def _ask(
        self, http: aiohttp.ClientSession, namespace: str, query: dict[str, str], accept: str
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        url = self._configuration.host + path_of(namespace, KIND, API_VERSION)
        # A token is renewed before a request, perhaps by a program that takes its time.
        headers = await in_thread(translating_errors(authorization), self._configuration)
        headers["Accept"] = accept
        query = {**query, "fieldSelector": FINISHED}
        async with http.get(url, params=query, headers=headers) as answer:
            answer.raise_for_status()
            yield answer
