"""What a watch shows, whatever an API server, or something before it, does to it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web
from kubernetes.client import ApiClient

from enso_operator.blocking import pause_of
from enso_operator.controller import list_watch
from enso_operator.controller.list_watch import (
    LONGEST_PAUSE_SECONDS,
    LONGEST_REFUSED_SECONDS,
    ListWatch,
)
from enso_operator.controller.pod_watch import pod_watch
from enso_operator.kube import streams
from enso_operator.kube.client import ApiObjects
from enso_operator.sessions.pods.names import JOB_UID_LABEL
from tests.support.answering import answering
from tests.support.eventually import until_async

pytestmark = pytest.mark.anyio
Document = dict[str, Any]
DEEP = 9_000
Answer = Callable[[web.StreamResponse], Any]


def pod(name: str, version: int, **metadata: object) -> Document:
    return {"metadata": {"name": name, "resourceVersion": str(version), **metadata}}


def line(kind: str, shown: Document) -> bytes:
    return json.dumps({"type": kind, "object": shown}).encode() + b"\n"


def error(code: int) -> bytes:
    return line("ERROR", {"kind": "Status", "code": code, "message": "no", "metadata": {}})


class Server:
    """Lists some Pods; what its watches say, one after the other, is told in advance."""

    def __init__(self, *watches: list[bytes] | int, pods: list[Document] | None = None) -> None:
        """Each is what a watch says before it ends, or a code; one more stays open and silent."""
        self.pods = pods or []
        self.watches = [*watches]
        self.asked: list[tuple[str, str]] = []
        """The path and the version of each watch."""
        self.lists = 0
        self.selectors = set[tuple[str, str]]()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        if "watch" not in query:
            self.lists += query["limit"] == "1"
            if query["limit"] != "1":
                self.selectors.add(("list", query.get("labelSelector", "")))
            return web.json_response({"metadata": {"resourceVersion": "7"}, "items": self.pods})
        self.selectors.add(("watch", query["labelSelector"]))
        self.asked.append((request.path, query["resourceVersion"]))
        told = self.watches.pop(0) if self.watches else None
        if isinstance(told, int):
            return web.json_response({"message": "no"}, status=told)
        answer = web.StreamResponse()
        await answer.prepare(request)
        for each in told or ():
            await answer.write(each)
        if told is None:
            await asyncio.Event().wait()
        return answer

    @property
    def versions(self) -> list[str]:
        return [version for _, version in self.asked]

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[ApiClient]:
        async with answering(self.answer) as configuration:
            yield ApiClient(configuration)


Shown = list[tuple[str | None, str]]


async def watched(
    server: Server, until_watches: int, *, namespaces: tuple[str, ...] = ("shows",)
) -> Shown:
    """Return what is shown until the server has been asked for so many watches."""
    shown: Shown = []

    def show(kind: str | None, found: Document) -> None:
        if (name := found["metadata"]["name"]) == "breaks":
            raise KeyError(name)
        shown.append((kind, name))

    async def is_asked() -> bool:
        return len(server.asked) >= until_watches

    async with server.client() as client:
        await during(pod_watch(client, namespaces, show), is_asked)
    return shown


async def during(watch: ListWatch, is_over: Callable[[], Any]) -> None:
    """Run it until that is so."""
    task = asyncio.create_task(watch.run())
    await until_async(is_over)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture(autouse=True)
def tries(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float]]:
    """How often was tried before each pause, and how long it might become; none takes long."""
    asked: list[tuple[int, float]] = []

    def counted(tried: int, shortest: float, longest: float) -> float:
        asked.append((tried, longest))
        return pause_of(tried, shortest, longest) / 1000

    monkeypatch.setattr(list_watch, "pause_of", counted)
    return asked


async def test_what_there_is_is_shown_and_then_what_happens() -> None:
    told = [
        line("ADDED", pod("b", 8)),
        line("MODIFIED", pod("a", 9)),
        line("DELETED", pod("b", 10)),
    ]
    server = Server(told, pods=[pod("a", 3), pod("c", 4)])
    assert await watched(server, 2) == [
        (None, "a"),
        (None, "c"),
        ("ADDED", "b"),
        ("MODIFIED", "a"),
        ("DELETED", "b"),
    ]
    assert server.asked == [
        ("/api/v1/namespaces/shows/pods", "7"),
        ("/api/v1/namespaces/shows/pods", "10"),
    ]
    assert server.selectors == {("list", JOB_UID_LABEL), ("watch", JOB_UID_LABEL)}


async def test_each_namespace_is_watched_or_all_of_them() -> None:
    server = Server()
    await watched(server, 2, namespaces=("a", "b"))
    assert sorted(server.asked) == [
        ("/api/v1/namespaces/a/pods", "7"),
        ("/api/v1/namespaces/b/pods", "7"),
    ]
    server = Server()
    await watched(server, 1, namespaces=())
    assert server.asked == [("/api/v1/pods", "7")]


async def test_it_goes_on_after_the_last_bookmark() -> None:
    bookmark = line("BOOKMARK", {"metadata": {"resourceVersion": "70"}})
    server = Server([line("ADDED", pod("a", 8)), bookmark], [])
    assert await watched(server, 3) == [("ADDED", "a")]
    assert server.versions == ["7", "70", "70"]
    assert server.lists == 1


@pytest.mark.parametrize("expired", [[error(410)], 410, 404, 400, [b'{"type": "ADDED", "obj\n']])
async def test_it_lists_anew_where_it_cannot_go_on(expired: list[bytes] | int) -> None:
    server = Server([line("ADDED", pod("a", 8))], expired, pods=[pod("c", 3)])
    assert await watched(server, 3) == [(None, "c"), ("ADDED", "a"), (None, "c")]
    assert server.versions == ["7", "8", "7"]


@pytest.mark.parametrize("busy", [429, 500, 503, 403, [error(429)], [error(500)]])
async def test_it_goes_on_where_it_was_after_a_pause_where_it_was_put_off(
    busy: list[bytes] | int, tries: list[tuple[int, float]]
) -> None:
    server = Server([line("ADDED", pod("a", 8))], busy, busy, pods=[pod("c", 3)])
    assert await watched(server, 4) == [(None, "c"), ("ADDED", "a")]
    assert (server.versions, server.lists) == (["7", "8", "8", "8"], 1)
    assert [tried for tried, _ in tries] == [0, 1, 2]


async def test_a_watch_that_says_nothing_is_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_WATCH_SILENCE_SECONDS", 0.1)
    server = Server()
    await watched(server, 2)
    assert server.versions == ["7", "7"]
    assert server.lists == 1


async def test_an_object_on_which_somebody_breaks_ends_no_watch() -> None:
    broken: list[Document] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: broken.append(told))
    told = [line("ADDED", pod("breaks", 8)), line("ADDED", pod("a", 9))]
    assert await watched(Server(told, pods=[pod("breaks", 3), pod("c", 4)]), 2) == [
        (None, "c"),
        ("ADDED", "a"),
    ]
    assert len(broken) == 2


async def test_what_is_nested_too_deeply_is_cut() -> None:
    deep = b"[" * DEEP + b"]" * DEEP
    torn = line("ADDED", pod("a", 8, deep="DEEP")).replace(b'"DEEP"', deep)
    server = Server([torn[:997], torn[997:], line("ADDED", pod("b", 9))])
    assert await watched(server, 2) == [("ADDED", "a"), ("ADDED", "b")]


@pytest.mark.parametrize(
    ("code", "longest", "is_told"),
    [
        (403, LONGEST_REFUSED_SECONDS, True),
        (404, LONGEST_PAUSE_SECONDS, False),  # as the list says, once it is asked for
        (400, LONGEST_REFUSED_SECONDS, False),
        (503, LONGEST_PAUSE_SECONDS, False),
    ],
)
async def test_pauses_become_longer_and_a_right_that_is_missing_is_told_once(
    tries: list[tuple[int, float]],
    caplog: pytest.LogCaptureFixture,
    code: int,
    longest: float,
    *,
    is_told: bool,
) -> None:
    await watched(Server(code, code, code), 4)
    assert tries == [(tried, longest) for tried in range(3)]
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in told] == [
        "pods are not watched: the API server does not let us (403): no"
    ] * is_told


async def test_a_watch_that_lasted_is_begun_anew_at_once(
    tries: list[tuple[int, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_watch, "LONGEST_PAUSE_SECONDS", 0.0)
    await watched(Server([], [], []), 4)
    assert tries == [(0, 0.0)] * 3


async def test_who_owns_each_field_of_a_pod_is_not_kept() -> None:
    owned: list[Document] = [{"manager": "enso", "fieldsV1": {"f:spec": {}}}]
    seen: list[Document] = []

    async def is_shown() -> bool:
        return len(seen) == 2

    server = Server([line("ADDED", pod("b", 8, managedFields=owned))])
    server.pods = [pod("a", 3, managedFields=owned)]
    async with server.client() as client:
        await during(pod_watch(client, [], lambda _, found: seen.append(found)), is_shown)
    assert seen == [pod("a", 3), pod("b", 8)]


async def test_more_than_are_shown_at_once_are_shown() -> None:
    shown: list[str] = []

    async def is_watched() -> bool:
        return bool(server.asked)

    server = Server(pods=[pod(str(number), number) for number in range(2 * list_watch.AT_ONCE + 1)])
    async with server.client() as client:
        pods = ApiObjects(client, "", "pods", "v1")
        watch = ListWatch(
            pods, [], lambda found: shown.append(found["metadata"]["name"]), lambda _, __: None
        )
        await during(watch, is_watched)
    assert shown == [str(number) for number in range(2 * list_watch.AT_ONCE + 1)]


async def test_a_right_that_is_taken_away_later_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(list_watch, "LONGEST_REFUSED_SECONDS", 0.01)
    await watched(Server([], 403, 403), 4)
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1
