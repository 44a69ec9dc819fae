"""`enso logs -f` over an API server in trouble, which has no node: this test is its kubelet."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.enso_program import DEADLINE_SECONDS, Enso, set_status, with_status
from tests.cluster.test_cli_wait_and_watch import RUNNING, SUCCEEDED, job
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, answer, before, on
from tests.support.fault_proxy.exchange import Exchange
from tests.support.fault_proxy.rules import Fault
from tests.support.pods import session_pod
from tests.support.resources import Document

SHOWN = ["--- open, attempt 1", "frame 0"]
"""What the log has when it begins to be followed."""
LOG = on("get", "pods/log")
CALLS = [
    *(on("list", kind) | on("watch", kind) for kind in ("ensojobs", "pods")),
    *(on("get", kind) for kind in ("ensojobs", "pods")),
]
"""What a follow asks for, beside the log."""
FAULTS: list[Fault] = [
    before(lambda: None),
    answer(429, "slow down", {"Retry-After": "1"}),
    answer(503, "apiserver is shutting down"),
]


@dataclass
class Shot:
    """A job with one Pod, whose log this is."""

    ns: ClusterNamespace
    proxy: FaultProxy
    log: list[str] = field(default_factory=SHOWN.copy)
    faults: list[Fault] = field(default_factory=list[Fault])
    """What the next readers of the log meet."""

    def __post_init__(self) -> None:
        self.job: Document = with_status(self.ns.objects, job("shot"), RUNNING)
        pod = session_pod(self.job)
        self.name: str = pod["metadata"]["name"]
        self.ns.apply(pod)
        self.tells({"running": {}})

    def tells(self, state: Document) -> None:
        """Write the state of the Pod's container, as a kubelet does."""
        fields: Document = {"imageID": "", "image": "none", "ready": False, "restartCount": 0}
        status = {"containerStatuses": [{"name": "session", "state": state, **fields}]}
        patch = json.dumps({"status": status})
        self.ns.kubectl("patch", "pod", self.name, "--subresource=status", "-p", patch)

    async def is_read(self, exchange: Exchange) -> None:
        """Answer with the next fault; or with the whole log, and end the stream.

        So does a kubelet that restarts.
        """
        if self.faults:
            await self.faults.pop(0)(exchange)
        else:
            await exchange.reply(200, {}, self.written())

    async def ends_while_it_is_read(self, exchange: Exchange) -> None:
        """Answer with what there was before the last line and the end."""
        written = self.written()
        await exchange.act(self.ends)
        await exchange.reply(200, {}, written)

    def written(self) -> bytes:
        return "".join(f"{line}\n" for line in self.log).encode()

    def ends(self) -> None:
        self.log.append("the end")
        self.tells({"terminated": {"exitCode": 0}})

    def succeeds(self) -> None:
        set_status(self.ns.objects, self.ns.get(), SUCCEEDED)

    def is_shown_by(self, following: subprocess.Popen[str]) -> None:
        """Assert that it ends well, and has shown each line once."""
        said, wrong = following.communicate(timeout=DEADLINE_SECONDS)
        assert following.returncode == 0, wrong
        assert [*SHOWN, *said.splitlines()] == self.log, wrong


@pytest.fixture
def shot(ns: ClusterNamespace) -> Generator[Shot]:
    with FaultProxy(ns.cluster.kubeconfig) as proxy:
        yield Shot(ns, proxy)


@pytest.fixture
def following(shot: Shot, tmp_path: Path) -> Generator[subprocess.Popen[str]]:
    """`enso logs -f`, after it has shown what there is."""
    shot.proxy.add(LOG, shot.is_read)
    enso, arguments = Enso(shot.ns, tmp_path), ("logs", "-f", "shot", "-n", shot.ns.namespace)
    with enso.started(*arguments, kubeconfig=shot.proxy.kubeconfig) as process:
        assert process.stdout
        assert [process.stdout.readline().rstrip("\n") for _ in SHOWN] == SHOWN
        yield process


def test_each_line_is_shown_once_whatever_call_fails(
    shot: Shot, following: subprocess.Popen[str]
) -> None:
    shot.proxy.away()
    shot.log.append("frame 1")
    assert following.stderr
    assert "trying again" in following.stderr.readline()
    rules = [shot.proxy.add(calls, fault, times=1) for calls in CALLS for fault in FAULTS]
    shot.faults += [*FAULTS, *FAULTS, *FAULTS]
    shot.proxy.back()
    until(lambda: all(rule.used for rule in rules))
    last = [shot.proxy.add(on("list", "pods"), fault, times=1) for fault in FAULTS]
    shot.ends()
    shot.succeeds()
    shot.is_shown_by(following)
    assert all(rule.used for rule in last)


def test_a_log_that_cannot_be_read_as_the_job_ends_is_read_afterwards(
    shot: Shot, following: subprocess.Popen[str]
) -> None:
    shot.faults += FAULTS
    shot.ends()
    shot.succeeds()
    shot.is_shown_by(following)


def test_a_stream_that_ends_before_the_log_does_is_read_again(
    shot: Shot, following: subprocess.Popen[str]
) -> None:
    shot.faults.append(shot.ends_while_it_is_read)
    until(lambda: not shot.faults)
    shot.succeeds()
    shot.is_shown_by(following)
