"""A job that floods the operator harms itself, and no other."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from enso_operator.controller.event_publisher import AT_ONCE
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.story import Story
from tests.support.eventually import until
from tests.support.operators import Operators
from tests.support.resources import of_scripts

WAITS = """
import pathlib, time
def main(state, what, go):
    while not pathlib.Path(go).exists():
        time.sleep(0.05)
    flood(state, what)
    pathlib.Path(go).unlink()
    time.sleep(60)
"""
"""Floods once a file is there, and then removes it."""
RECORDS = (
    WAITS
    + """
import json
def flood(state, what):
    (journal,) = pathlib.Path(state).glob("*/*/*/floods-1/journal")
    about = {"v": 1, "at": time.time(), "origin": "floods-1", "script": "flood"}
    about.update(number=1, of=3)
    def line(seq, kind, attempt, **details):
        record = {"v": 1, "type": kind, **about, "seq": seq, "attempt": attempt, **details}
        return json.dumps(record, separators=(",", ":")) + "\\n"
    with journal.open("a") as file:
        for number in range(1, 2500):
            file.write(line(2 * number, "ScriptFailed", number, cause={"reason": "Flood"}))
            file.write(line(2 * number + 1, "ScriptStarted", number + 1))
"""
)
"""Valid records, but more of them than the plan can need."""
LINE = (
    WAITS
    + """
def flood(state, what):
    (journal,) = pathlib.Path(state).glob("*/*/*/floods-1/journal")
    with journal.open("a") as file:
        for _ in range(60):
            file.write(what * (1_000_000 // len(what)))
"""
)


def flood(operators: Operators, source: str, what: str, go: Path) -> dict[str, object]:
    args = {"state": str(operators.state), "what": what, "go": str(go)}
    retries = {"limit": 100}
    first = {"name": "flood", "source": source, "args": args, "retries": retries}
    others = [{"name": name, "source": source, "retries": retries} for name in ("two", "three")]
    sessions = [{"name": "floods", "image": "none"}]
    return of_scripts(first, *others, sessions=sessions)


@pytest.mark.parametrize(
    ("source", "what", "why"),
    [
        (RECORDS, "", "floods-1 wrote more than the 3624 records that it can need"),
        (LINE, '{"v":1,', "its journal is damaged"),
    ],
    ids=["records", "one line"],
)
def test_a_flood_ends_its_own_session_alone(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path, source: str, what: str, why: str
) -> None:
    operator, go = operators.ready(), tmp_path / "go"
    ns.apply(flood(operators, source, what, go))
    until(lambda: [*operators.state.glob("*/*/*/floods-1/journal")])
    # It finds all at once: of the first few hundred records alone the script has failed for good.
    operator.send(signal.SIGSTOP)
    go.touch()
    until(lambda: not go.exists())
    operator.send(signal.SIGCONT)
    story = Story(ns, "other", tmp_path / "note")
    story.begin()
    story.ends_well()
    until(lambda: ns.state() == "Failed", 60)
    failure = ns.get()["status"]["failure"]
    # Where it was read in two portions, what the first one claims has failed the script already.
    assert why in failure.get("message", "") or failure["reason"] == "Flood"
    told = [reason for reason, _ in ns.job_events()]
    assert ("EventsLeftOut" in told) is (source is RECORDS)
    assert len(told) < 2 * AT_ONCE
