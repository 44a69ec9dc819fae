"""Retries by cause, and lines by which a script fails, on a real API server and in its sessions."""

from __future__ import annotations

import re
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest

from tests.cluster.action_client import NOTES, ActionClient
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until
from tests.support.operators import Operators
from tests.support.resources import Document, of_scripts

RENDERS = """
import os
def main(note):
    with open(note, "a") as file:
        file.write("render\\n")
    for line in open(note + "-says").read().splitlines():
        if line.startswith("raise "):
            raise ConnectionError(line)
        print(line)
"""
"""Writes what stands in a file, or raises it, and returns."""
NO_LICENCE = {"pattern": "No licen[cs]e", "reason": "LicenseUnavailable"}


@pytest.fixture
def actions(ns: ClusterNamespace) -> ActionClient:
    return ActionClient(ns)


def shot(
    note: Path, retries: dict[str, Any], says: str = "12:04 No license for Mantra"
) -> Document:
    """A job whose second script has a line by which it fails, until somebody mends it."""
    Path(f"{note}-says").write_text(says)
    return of_scripts(
        {
            "name": "open",
            "source": NOTES,
            "args": {"note": str(note), "name": "open"},
            "setup": True,
        },
        {
            "name": "render",
            "source": RENDERS,
            "args": {"note": str(note)},
            "failOn": [NO_LICENCE],
            "retries": retries,
        },
    )


def mend(note: Path) -> None:
    Path(f"{note}-says").write_text("rendered")


def row(ns: ClusterNamespace) -> Document:
    found: Document = ns.get()["status"]["scripts"][1]
    return found


def message(ns: ClusterNamespace) -> str:
    conditions = ns.get().get("status", {}).get("conditions", [])
    return str(next((c["message"] for c in conditions if c["type"] == "Succeeded"), ""))


def test_a_licence_is_waited_for_without_a_session_also_by_the_next_operator(
    ns: ClusterNamespace, operators: Operators, actions: ActionClient, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    licence = {"reason": "LicenseUnavailable", "limit": 100, "backoffSeconds": 3600}
    ns.apply(shot(note, {"onReasons": [{"reason": "Timeout", "limit": 1}, licence]}))
    operator = operators.ready()
    waits = (
        r"the job waits: attempt 2 of render starts at \S+Z, retry 1 of 100 for "
        "LicenseUnavailable; attempt 1 failed: LicenseUnavailable: 12:04 No license for Mantra"
    )
    until(lambda: re.fullmatch(waits, message(ns)) and "run" not in ns.get()["status"]["ledger"])
    activity = "WaitingForRetry"
    assert ns.columns() == ["shot", "Waiting", activity, "1/2", "render", "LicenseUnavailable"]
    assert (row(ns)["reasonFailures"], row(ns)["lastReason"], row(ns)["failures"]) == ([0, 1], 2, 1)
    assert (
        "2/2 render, attempt 1, retry 1 of 100 for LicenseUnavailable, again in 1 h"
        in (dict(ns.job_events())["ScriptRetrying"])
    )
    version = ns.get()["metadata"]["resourceVersion"]
    operator.kill()
    second = operators.ready()
    until(lambda: "enso_live_jobs 1.0" in second.http_get("/metrics")[1])
    assert ns.get()["metadata"]["resourceVersion"] == version, "it writes while it only waits"
    actions.create("retry", "first")
    until(lambda: actions.has_result("first"))
    assert actions.result("first")[2] == (
        "the next attempt of 'render' starts now, retry 1 of 100 for LicenseUnavailable"
    )
    again = "retry 2 of 100 for LicenseUnavailable"
    until(lambda: again in message(ns) and "run" not in ns.get()["status"]["ledger"])
    mend(note)
    actions.create("retry", "second")
    ns.waits("Succeeded")
    assert note.read_text().split() == ["open", "render"] * 3, "a new session opens the scene again"
    assert (row(ns)["attempt"], row(ns)["reasonFailures"]) == (3, [0, 2])


def test_the_budget_of_another_cause_is_used_up_and_a_resume_changes_both_fields(
    ns: ClusterNamespace, operators: Operators, actions: ActionClient, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    licence = {"reason": "LicenseUnavailable", "limit": 100}
    connection = {"reason": "ConnectionError", "limit": 1}
    ns.apply(shot(note, {"limit": 5, "onReasons": [licence, connection]}, "raise no route"))
    operators.ready()
    ns.waits("Finished")
    assert ns.columns() == ["shot", "Failed", "1/2", "render", "Exception"]
    assert "retries 1 of 1 for ConnectionError, none is left" in ns.get()["status"]["why"]
    assert note.read_text().split() == ["open", "render", "render"]

    Path(f"{note}-says").write_text("12:04 No license for Mantra\nDisk is full")
    full = {"pattern": "^Disk is full", "reason": "DiskFull"}
    retries = {"onReasons": [{"reason": "DiskFull", "limit": 2}]}
    changes = {"scripts": [{"name": "render", "failOn": [full], "retries": retries}]}
    actions.create("resume", resume=changes)
    until(lambda: actions.has_result("again"))
    until(lambda: ns.state() == "Failed")
    ns.waits("Finished")
    assert ns.columns() == ["shot", "Failed", "1/2", "render", "DiskFull"]
    assert "retries 2 of 2 for DiskFull, none is left" in ns.get()["status"]["why"]
    resumed = dict(ns.job_events())["JobResumed"]
    assert "changed render.failOn, render.retries" in resumed or (
        "changed render.retries, render.failOn" in resumed
    )


def test_a_pattern_that_may_take_for_ever_starts_nothing(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    job = shot(note, {})
    job["spec"]["scripts"][1]["failOn"] = [{"pattern": "(a+)+b", "reason": "Slow"}]
    ns.apply(job)
    operators.ready()
    ns.waits("Finished")
    assert ns.get()["status"]["reason"] == "InvalidJob"
    assert "failOn[0].pattern '(a+)+b' has the quantifier + on a group that holds a" in message(ns)
    assert not note.exists()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ({"failOn": [NO_LICENCE | {"reason": "no licence"}]}, "failOn[0].reason"),
        ({"failOn": [NO_LICENCE] * 11}, "must have at most 10 items"),
        ({"failOn": [NO_LICENCE], "container": {"image": "curl"}}, "nobody reads the output of a"),
        ({"retries": {"onReasons": [{"reason": "A"}]}}, "retries.onReasons[0].limit: Required"),
        ({"retries": {"factor": 0.5}}, "should be greater than or equal to 1"),
        (
            {"retries": {"onReasons": [{"reason": "A", "limit": 1}] * 2}},
            "retries.onReasons[1]: Duplicate value",
        ),
    ],
)
def test_what_means_nothing_is_refused_by_the_api_server(
    ns: ClusterNamespace, script: dict[str, Any], why: str
) -> None:
    with pytest.raises(CalledProcessError) as refused:
        ns.apply(of_scripts(script))
    assert why in refused.value.stderr
