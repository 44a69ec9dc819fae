"""Progress of running scripts in their EnsoJobs: how often it is written, what is left of it."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from enso_operator.coordinator.job_progress import JOB_SECONDS
from enso_operator.coordinator.progress_budget import WRITES_A_SECOND
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until
from tests.support.fault_proxy import Call, FaultProxy
from tests.support.operators import Operators, operators_of
from tests.support.resources import Document, of_scripts

JOBS = 5
STILL_SECONDS = 3
TELLS = """\
import enso, os, time
def main(go):
    number = 0
    while not os.path.exists(go):
        number += 1
        enso.progress(min(number / 100, 42.5), f"step {number}")
        time.sleep(0.001)
    enso.progress(99, "meshing")
    while not os.path.exists(f"{go}-on"):
        time.sleep(0.01)
"""


@dataclass(frozen=True)
class Hall:
    ns: ClusterNamespace
    operators: Operators
    proxy: FaultProxy

    def progress_writes(self) -> list[Call]:
        """Return the writes of statuses of running jobs that changed a row and nothing else."""
        return [
            call
            for call in self.proxy.calls
            if call.resource == "ensojobs/status"
            and call.verb == "patch"
            and is_of_rows_only(json.loads(call.body).get("status", {}))
        ]

    def writes(self) -> int:
        return len([call for call in self.proxy.calls if call.resource == "ensojobs/status"])


def is_of_rows_only(status: Document) -> bool:
    """Whether a write changes rows, and of the ledger the number that each write has."""
    return status.keys() <= {"scripts", "progress", "ledger"} and status.get(
        "ledger", {}
    ).keys() <= {"revision"}


@pytest.fixture
def hall(ns: ClusterNamespace, tmp_path: Path) -> Generator[Hall]:
    with (
        FaultProxy(ns.cluster.kubeconfig) as proxy,
        operators_of(proxy.kubeconfig, ns.namespace, tmp_path) as operators,
    ):
        yield Hall(ns, operators, proxy)


def row(ns: ClusterNamespace, name: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = ns.get(name).get("status", {}).get("scripts") or []
    return rows[0] if rows else {}


def shows(ns: ClusterNamespace, name: str, percent: float) -> bool:
    return bool(row(ns, name).get("progress") == percent)


def named(name: str, go: Path) -> Document:
    return of_scripts({"source": TELLS, "args": {"go": str(go)}}) | {"metadata": {"name": name}}


def test_progress_is_written_seldom_and_nothing_of_it_is_left(hall: Hall, tmp_path: Path) -> None:
    ns, go = hall.ns, tmp_path / "go"
    names = [f"shot-{number}" for number in range(JOBS)]
    for name in names:
        ns.apply(named(name, go))
    began = time.monotonic()
    operator = hall.operators.ready()
    for name in names:
        until(partial(shows, ns, name, 42.5), 120)
    go.touch()
    for name in names:
        until(partial(shows, ns, name, 99), 60)
        assert row(ns, name)["message"] == "meshing"
    assert "99%" in ns.kubectl("get", "ensojob", names[0])
    took, written = time.monotonic() - began, hall.progress_writes()
    assert written
    for name in names:
        assert len([call for call in written if call.name == name]) <= took / JOB_SECONDS + 1
    assert len(written) <= took * WRITES_A_SECOND + 1

    before = hall.writes()
    time.sleep(STILL_SECONDS)  # nothing changes
    assert hall.writes() == before

    # Another operator finds it in the status, and reads the same from the session.
    operator.stop()
    operator = hall.operators.ready()
    go.with_name("go-on").touch()
    for name in names:
        ns.waits("Finished", name)
        assert not {"progress", "message"} & row(ns, name).keys()
        assert "progress" not in ns.get(name)["status"]
    before = hall.writes()
    time.sleep(STILL_SECONDS)
    assert hall.writes() == before
