"""Finally scripts on a real API server: after each end, once, whatever happens to the operator."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest

from tests.cluster.action_client import ActionClient
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kill_points import at_every_call, end_well_wherever_the_operator_is_killed
from tests.cluster.story import SOURCE, Story
from tests.support.eventually import until
from tests.support.fault_proxy.rules import Fault, Filter
from tests.support.operators import Operators
from tests.support.resources import Document, of_scripts

QUIET_SECONDS = 10
CLEAN = """
import enso

def main(note, name):
    with open(note, "a") as file:
        print(name, enso.job.state, enso.job.failed_script, enso.job.reason, file=file)
"""
FAILS = SOURCE + "\n    raise RuntimeError('no')\n"
WAITS = (
    SOURCE + "\n    import os, time\n    while not os.path.exists(note + '.go'): time.sleep(0.05)\n"
)


def script(name: str, note: Path, source: str, **more: object) -> Document:
    return {"name": name, "source": source, "args": {"note": str(note), "name": name}, **more}


def cleaning_up(note: Path, *finals: Document, source: str = FAILS) -> Document:
    """A job of one script and these finally scripts."""
    return of_scripts(script("do", note, source), **{"finally": list(finals)})


def conditions(document: dict[str, Any]) -> dict[str, str]:
    return {one["type"]: one["status"] for one in document["status"]["conditions"]}


@dataclass(frozen=True)
class Failing(Story):
    """A job that fails, and cleans up in two scripts."""

    def manifest(self, **spec: object) -> Document:
        finals = [
            script("clean", self.note, CLEAN),
            script("tell", self.note, CLEAN, when="Failed"),
        ]
        document = cleaning_up(self.note, *finals)
        document["spec"] |= spec
        return document | {"metadata": {"name": self.name}}

    def ends_well(self) -> None:
        until(self.is_over, self.patience)
        status = self.document["status"]
        assert self.ns.columns(self.name) == [self.name, "Failed", "0/1", "do", "Exception"]
        assert [(row["state"], row.get("attempt", 0)) for row in status["scripts"]] == [
            ("Failed", 1),
            *[("Succeeded", 1)] * 2,
        ]
        assert self.note.read_text().splitlines() == [
            "do",
            "clean Failed do Exception",
            "tell Failed do Exception",
        ]


@pytest.mark.timeout(600)
@at_every_call
def test_each_runs_once_though_the_operator_is_killed(
    ns: ClusterNamespace,
    operators: Operators,
    tmp_path: Path,
    fault: Callable[[Callable[[], object]], Fault],
    calls: Filter,
    lane: int,
) -> None:
    def story(point: int) -> Story:
        return Failing(ns, f"shot-{point}", tmp_path / f"note-{point}")

    end_well_wherever_the_operator_is_killed(operators, story, fault, calls, lane)


def test_the_failure_is_told_at_once_and_the_job_is_finished_when_they_are_over(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    ns.apply(cleaning_up(note, script("clean", note, WAITS)))
    operators.ready()
    until(lambda: note.exists() and note.read_text().split() == ["do", "clean"])
    until(lambda: ns.get()["status"]["scripts"][-1]["state"] == "Running")
    document = ns.get()
    seen = conditions(document)
    assert (seen["Succeeded"], seen["Finished"]) == ("False", "False")
    assert "completionTime" not in document["status"], "its time to live has not begun"
    assert "no" in "\n".join(document["status"]["why"])
    assert "JobFailed" in [reason for reason, _ in ns.job_events()]
    refused = ActionClient(ns)
    refused.create("resume")
    until(lambda: refused.result()[0])
    assert refused.result()[0] == "False"
    assert "its finally scripts run (clean)" in refused.result()[2]
    Path(f"{note}.go").touch()
    ns.waits("Finished")
    status = ns.get()["status"]
    assert status["completionTime"] >= status["scripts"][-1]["completionTime"]
    mark = ns.cluster.audit.mark()
    time.sleep(QUIET_SECONDS)
    assert [one for one in ns.requests(mark) if one.is_write] == []


def test_a_job_that_has_succeeded_says_so_when_they_have(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    ns.apply(
        cleaning_up(note, script("clean", note, WAITS), script("tell", note, FAILS), source=SOURCE)
    )
    operators.ready()
    until(lambda: note.exists() and note.read_text().split() == ["do", "clean"])
    until(lambda: ns.get()["status"].get("script") == "clean")
    assert conditions(ns.get())["Succeeded"] == "Unknown"
    assert ns.columns() == ["shot", "Succeeded", "CleaningUp", "1/1", "clean"]
    Path(f"{note}.go").touch()
    ns.waits("Finished")
    assert conditions(ns.get())["Succeeded"] == "False"
    assert ns.columns() == ["shot", "Failed", "1/1", "tell", "Exception"]


def test_a_cancel_ends_them_and_a_resume_cleans_up_again(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    ns.apply(cleaning_up(note, script("clean", note, WAITS), script("tell", note, CLEAN)))
    operators.ready()
    until(lambda: note.exists() and note.read_text().split() == ["do", "clean"])
    until(lambda: ns.columns() == ["shot", "Failed", "CleaningUp", "0/1", "do", "Exception"])
    actions = ActionClient(ns)
    actions.create("cancel", "stop")
    ns.waits("Finished")
    assert ns.columns() == ["shot", "Failed", "0/1", "do", "Exception"]
    rows = {row["name"]: row for row in ns.get()["status"]["scripts"]}
    assert (rows["clean"]["reason"], rows["tell"]["state"]) == ("Cancelled", "NotStarted")
    Path(f"{note}.go").touch()
    actions.create("resume", "again")
    until(lambda: actions.result("again")[1] == "Done")
    until(lambda: note.read_text().splitlines()[2:] == ["do", "clean", "tell Failed do Exception"])
    ns.waits("Finished")
    rows = {row["name"]: row for row in ns.get()["status"]["scripts"]}
    assert (rows["clean"]["attempt"], rows["tell"]["attempt"]) == (2, 1)


def test_a_deleted_job_cleans_nothing_up(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    ns.apply(cleaning_up(note, script("clean", note, CLEAN), source=WAITS))
    operators.ready()
    until(note.exists)
    ns.kubectl("delete", "ensojob", "shot", "--wait=false")
    until(lambda: not operators.supervisors())
    assert note.read_text().split() == ["do"]


@pytest.mark.parametrize(
    ("finals", "why"),
    [
        ([{"name": "do", "source": "x"}], "has the name of another script"),
        (
            [{"name": "a", "source": "x", "session": "nuke"}],
            "names a session that the job does not",
        ),
        ([{"name": "a"}], "give it exactly one of"),
        ([{"name": f"a{i}", "source": "x"} for i in range(11)], "10 items"),
    ],
)
def test_what_the_api_server_refuses(
    ns: ClusterNamespace, finals: list[Document], why: str
) -> None:
    document = of_scripts({"name": "do"}, **{"finally": finals})
    with pytest.raises(CalledProcessError) as refused:
        ns.apply(document)
    assert why in refused.value.stderr
