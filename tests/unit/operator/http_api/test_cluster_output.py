"""What an attempt of an EnsoJob wrote, found in the logs of the job's Pods."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest

from enso_operator.http_api import cluster_output
from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.http_api.output import NoOutput
from enso_operator.sessions.pods import names
from job_execution_framework.domain.errors import Unavailable
from tests.support.in_memory_objects import InMemoryCluster
from tests.support.in_memory_streams import InMemoryStreams
from tests.support.resources import of_scripts
from tests.support.statuses import condition

pytestmark = pytest.mark.anyio
Document = dict[str, Any]
LOG = [
    b"preparing\n--- open, attempt 1\nopened\n--- simul",
    b"ate, attempt 1\nframe 1\rframe 2\n--- no mark\n",
    b"half a line --- simulate, attempt 2\n--- simulate, attempt 2\nbetter\n---",
]
"""The log of a session, in pieces that do not end where lines do."""
STARTED, LATER = "2026-11-28T12:00:05Z", "2026-11-28T12:01:00Z"
ROWS = [
    {"name": "open", "state": "Succeeded", "attempt": 1, "done": True, "startTime": STARTED},
    {"name": "simulate", "state": "Running", "attempt": 2, "startTime": LATER},
]
RUNNING = [condition("Succeeded", "Unknown", "Running", "simulate (2 of 2) runs, attempt 2")]


@dataclass
class Shot:
    """A job with Pods, whose kubelet tells what `streams` has."""

    streams: InMemoryStreams = field(default_factory=InMemoryStreams)
    cluster: InMemoryCluster = field(default_factory=InMemoryCluster)

    def __post_init__(self) -> None:
        self.objects = self.cluster.objects("shows")
        spec = of_scripts({"name": "open"}, {"name": "simulate"})
        created = self.objects.create(spec)
        self.uid = created["metadata"]["uid"]
        version = created["metadata"]["resourceVersion"]
        self.objects.patch_status("shot", version, {"conditions": RUNNING, "scripts": ROWS})
        self.jobs = ClusterJobs(self.objects, self.streams)

    def pod(
        self,
        name: str,
        *log: bytes,
        created: str = "2026-11-28T12:00:01Z",
        container: Document | None = None,
        is_over: bool = True,
    ) -> None:
        """Give the job a Pod that has begun, with this log; it may be that of a container."""
        state: Document = (
            {"terminated": {"exitCode": 0}} if is_over else {"running": {"startedAt": STARTED}}
        )
        pod: Document = {
            "metadata": {
                "name": name,
                "namespace": "shows",
                "uid": name,
                "creationTimestamp": created,
                "labels": {names.JOB_UID_LABEL: self.uid, names.SESSION_LABEL: "main"},
                "annotations": {names.ATTEMPT: json.dumps(container)} if container else {},
            },
            "spec": {"containers": [{"name": "session"}]},
            "status": {"containerStatuses": [{"name": "session", "state": state}]},
        }
        pods = self.objects.beside("pods", "v1")
        pods.cluster.store("ADDED", pod)
        if log:
            self.streams.logs[name] = [*log]

    async def output(self, script: str, attempt: int, *, is_following: bool = False) -> bytes:
        pieces = self.jobs.output("shot", script, attempt, is_following=is_following)
        return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_an_attempt_has_its_part_of_the_log_in_whatever_pieces_it_comes(size: int) -> None:
    shot, log = Shot(), b"".join(LOG)
    shot.pod("a", *(log[begin : begin + size] for begin in range(0, len(log), size)))
    assert await shot.output("open", 1) == b"opened\n"
    first = b"frame 1\rframe 2\n--- no mark\nhalf a line --- simulate, attempt 2\n"
    assert await shot.output("simulate", 1) == first
    assert await shot.output("simulate", 2) == b"better\n---"


async def test_the_log_of_a_container_is_that_of_its_attempt() -> None:
    shot = Shot()
    for attempt in (1, 2):
        record = {"script": "simulate", "attempt": attempt}
        log = f"--- simulate, attempt 9\nI am {attempt}\n".encode()
        shot.pod(f"pod-{attempt}", log, container=record)
    assert await shot.output("simulate", 1) == b"--- simulate, attempt 9\nI am 1\n"
    assert shot.streams.opened == [("pod-1", False)]


async def test_the_pod_that_was_the_newest_at_its_start_is_read_first() -> None:
    shot = Shot()
    shot.pod("a", b"--- open, attempt 1\nin a\n")
    shot.pod("b", b"--- simulate, attempt 2\nin b\n", created="2026-11-28T12:00:50Z")
    shot.pod("c", b"--- simulate, attempt 3\nin c\n", created="2026-11-28T12:02:00Z")
    assert await shot.output("simulate", 2) == b"in b\n"
    assert [pod for pod, _ in shot.streams.opened] == ["b"]
    assert await shot.output("open", 1) == b"in a\n"
    with pytest.raises(NoOutput):
        await shot.output("simulate", 1)
    assert [pod for pod, _ in shot.streams.opened][2:] == ["c", "b", "a"]


async def test_what_was_written_without_a_word_is_empty_and_not_missing() -> None:
    shot = Shot()
    shot.pod("a", b"--- open, attempt 1\n--- simulate, attempt 2\n")
    assert await shot.output("open", 1) == await shot.output("simulate", 2) == b""


async def test_a_stream_that_ends_before_its_container_is_read_on_without_doubles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster_output, "PAUSE_SECONDS", 0)
    shot = Shot()
    shot.pod("a", is_over=False)
    mark, reads = b"--- simulate, attempt 2\n", 0

    async def log(*_: str, is_following: bool) -> AsyncGenerator[bytes]:
        nonlocal reads
        reads += 1
        yield mark + b"one\n"
        if reads == 2:
            raise Unavailable("the kubelet restarts")
        if reads > 2:
            yield b"two\n"
            shot.pod("a", is_over=True)
        if reads > 3:
            assert not is_following
            yield b"three\n"

    shot.streams.log = log  # type: ignore[method-assign,assignment]
    assert await shot.output("simulate", 2, is_following=True) == b"one\ntwo\nthree\n"
    assert reads == 4


async def test_who_follows_what_has_ended_gets_the_end_at_once() -> None:
    shot = Shot()
    shot.pod("a", *LOG, is_over=False)
    assert await shot.output("open", 1, is_following=True) == b"opened\n"
    assert shot.streams.opened == [("a", False)]


async def test_an_output_that_is_lost_or_was_never_there_is_said() -> None:
    shot = Shot()
    for script, attempt, why in [
        ("simulate", 2, "what simulate, attempt 2 wrote is not there: its Pod is gone, or it ran"),
        ("simulate", 3, "attempt 3 of 'simulate' has not begun: nothing was written"),
        ("nope", 1, "job shot has no script 'nope'; it has: open, simulate"),
    ]:
        with pytest.raises(NoOutput, match=why):
            await shot.output(script, attempt)


async def test_a_pod_that_only_looks_like_one_of_the_job_holds_nobody_up() -> None:
    shot = Shot()
    shot.pod("a", b"--- open, attempt 1\nopened\n")
    shot.pod("b", b"lies", container={"no": "record"})
    pods = shot.objects.beside("pods", "v1")
    pods.cluster.stored["shows", "b"]["metadata"]["annotations"][names.ATTEMPT] = "{"
    assert await shot.output("open", 1) == b"opened\n"
